"""Readers of the hub that read as slowly as a test wants, and a log for them that costs nothing."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections.abc import AsyncIterator, Callable, Iterator, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from starlette.types import Message

from flask_chat.chat.feed import Audience
from flask_chat.chat.people import Person
from flask_chat.chat.sessions import Session
from flask_chat.events import Event, plain
from flask_chat.live.connection import Connection
from flask_chat.live.frames import Encoder, ServerSentEvents
from flask_chat.live.hub import Hub
from flask_chat.live.reading import together
from flask_chat.live.stream import serve

LOBBY, KITCHEN = 1, 2
TURNS = 400
"""More turns of the loop than anything here needs to come to rest."""


def frames() -> ServerSentEvents:
    return ServerSentEvents(lambda id: f"cursor-{id}")


class Log:
    """A log in memory: what the hub reads where it does not know by itself."""

    def __init__(self) -> None:
        self.events: list[Event] = []
        self.reads = 0

    def append(self, *audiences: int, type: str = "message.posted", subject_id: int | None = None) -> list[Event]:
        """Append an event for each audience: a room's number, or a person's with a minus before it."""
        fresh = []
        for audience in audiences:
            id = len(self.events) + 1
            room, person = (audience, None) if audience > 0 else (None, -audience)
            event = Event(
                id, type, room, person, subject_id or id, plain(id, type), f"({id})", "2026-11-23T12:00:00.000Z"
            )
            self.events.append(event)
            fresh.append(event)
        return fresh

    def after(self, audience: Audience, cursor: int, limit: int) -> tuple[list[Event], int]:
        """As :func:`flask_chat.chat.feed.after`."""
        self.reads += 1
        last = len(self.events)
        if last <= cursor:
            return [], cursor
        found = [event for event in self.events[cursor:] if audience.includes(event)][:limit]
        return found, found[-1].id if len(found) == limit else last

    def ids(self, audience: Audience, cursor: int = 0) -> list[int]:
        return [event.id for event in self.events[cursor:] if audience.includes(event)]

    @contextmanager
    def read(self) -> Iterator[None]:
        """In the place of a database's reader."""
        yield


class LogHub(Hub):
    """The hub over a log in memory."""

    def __init__(self, log: Log, position: int | None = None) -> None:
        super().__init__(log, len(log.events) if position is None else position)  # type: ignore[arg-type]
        self.log = log
        self.intake._read = self._read_all  # type: ignore[method-assign]
        self.reading._read = self._read  # type: ignore[method-assign]

    def _read(self, audience: Audience, cursor: int, most: int) -> tuple[list[Event], int]:
        return self.log.after(audience, cursor, together(most))

    def _read_all(self, position: int) -> tuple[list[Event], int, set[int | None]]:
        from flask_chat.live import intake

        self.log.reads += 1
        missed, last = self.log.events[position:], len(self.log.events)
        if last - position > intake.MOST_MISSED:
            return [], last, {event.subject_id for event in missed if event.type == "session.revoked"}
        return missed[: intake.FILL], last, set()


class AtOnce(ThreadPoolExecutor):
    """Does in the caller's thread what others do in theirs, so that a test's turns of the loop are always the same."""

    def submit(self, work: Callable[..., Any], /, *arguments: Any, **options: Any) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*arguments, **options))
        except Exception as error:
            future.set_exception(error)
        return future


def person(id: int, *rooms: int) -> Audience:
    return Audience.of(id, frozenset(rooms), as_of=2**40)


class Reader:
    """A connected reader. While ``reading`` is not set, a write to it waits, as for a socket with a full buffer."""

    def __init__(
        self,
        hub: Hub,
        cursor: int = 0,
        audience: Audience | None = None,
        encoder: Encoder | None = None,
        session: int = 1,
    ) -> None:
        self.hub, self.audience, self.encoder = hub, audience or person(1, LOBBY), encoder or frames()
        self.start = cursor
        self.session = Session(session, Person(1, "Ann", "member", 0), int(time.time() * 1000))
        self.reading, self.gone, self.wrote = asyncio.Event(), asyncio.Event(), asyncio.Event()
        self.reading.set()
        self.written: list[bytes] = []
        self.ended = False
        self.waits = 0
        self.connection: Connection
        self.task = asyncio.ensure_future(self._serve())

    async def _serve(self) -> None:
        self.connection = Connection(self.send, self.session, self.audience, self.encoder, self.start)
        await serve(self.hub, self.connection, self.receive, [], b"welcome\n\n")

    async def send(self, message: Message) -> None:
        while not self.reading.is_set():
            self.waits += 1
            await self.reading.wait()
        if self.gone.is_set():
            return
        assert not self.ended, "something was written after the end"
        self.written.append(message.get("body", b""))
        self.wrote.set()
        if message["type"] == "http.response.body" and not message.get("more_body", False):
            self.ended = True
            self.gone.set()

    async def receive(self) -> Message:
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def until(self, true: Callable[[], bool]) -> None:
        """Read until something holds."""
        while not true():
            self.wrote.clear()
            await self.wrote.wait()

    async def leave(self) -> None:
        self.gone.set()
        self.reading.set()
        await self.task

    @property
    def got(self) -> list[int]:
        """The ids of the events that it was sent."""
        return [int(id) for id in re.findall(rb'data: {"id":(\d+)', b"".join(self.written))]

    @property
    def text(self) -> str:
        return b"".join(self.written).decode()

    @property
    def live(self) -> bool:
        return self.connection.live


async def turns(count: int = TURNS) -> None:
    """Give the loop so many turns."""
    for _ in range(count):
        await asyncio.sleep(0)


@asynccontextmanager
async def a_hub(log: Log, position: int | None = None) -> AsyncIterator[LogHub]:
    """A hub on the running loop; whoever is still connected at the end is let go."""
    asyncio.get_running_loop().set_default_executor(AtOnce(1))
    hub = LogHub(log, position)
    yield hub
    await hub.close()
    for connection in list(hub.connections):
        if connection.task is not None:
            connection.task.cancel()
    await turns(20)


def tell(hub: Hub, events: Sequence[Event]) -> None:
    """Hand events to the hub as the writer does: from another thread."""
    telling = threading.Thread(target=hub.receive, args=(events,))
    telling.start()
    telling.join()
