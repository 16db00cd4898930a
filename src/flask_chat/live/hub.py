"""The hub: writes what happens to everybody who is connected, on the event loop.

A connection is live (the hub writes to it directly) or catching up (it reads the log from its cursor until it is
level, then goes live). One that reads too slowly falls back to catching up: there are no queues, so that memory stays
bounded, nothing is lost and nobody else waits.
"""

from __future__ import annotations

import asyncio
import types
from collections import Counter, OrderedDict
from collections.abc import Awaitable, Coroutine, Generator, Iterable, Iterator, Sequence
from itertools import groupby
from operator import attrgetter
from typing import Any

import structlog
from starlette.types import Message, Send

from .. import config
from ..chat import feed
from ..chat.feed import Audience
from ..chat.sessions import Session
from ..db import Database
from ..events import Event
from . import wire
from .frames import Encoder
from .history import History

TURN = 250
"""Writes after which the event loop gets a turn."""

TOGETHER = 50
"""Events that are read from the log at once."""

PIECE = 64 * 1024
"""Bytes of events that are written in one piece, but for one event that is larger by itself."""

SIP = 16 * 1024
"""The same for a reader that is catching up: one that takes nothing costs a few of these."""

REMEMBERED = 1_000
"""Ended sessions that are kept in mind, for streams that are being opened."""

PATIENCE = 60.0
"""Seconds that a reader may take for what fits into its socket's buffer before it is given up."""

log = structlog.get_logger("flask_chat.live")


class Connection:
    """A stream to one reader. ``cursor`` is the id of the last event written to it."""

    __slots__ = ("audience", "cursor", "encoder", "ended", "ending", "live", "send", "session", "task", "wire")

    def __init__(self, send: Send, session: Session, audience: Audience, encoder: Encoder, cursor: int) -> None:
        self.send, self.session, self.audience, self.encoder, self.cursor = send, session, audience, encoder, cursor
        self.task = asyncio.current_task()
        self.wire: wire.Wire | None = None
        self.live = self.ending = self.ended = False


class Hub:
    """Everybody who is connected to this process."""

    def __init__(self, database: Database, position: int) -> None:
        self.position = position
        self.connections: set[Connection] = set()
        self.closing = False
        self._database = database
        self._history = History(position)
        self._waiting: set[asyncio.Future[None]] = set()
        self._by_session: Counter[int] = Counter()
        self._by_audience: dict[int, set[Connection]] = {}
        self._revoked: OrderedDict[int | None, None] = OrderedDict()
        self._arrived: list[Event] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivering = False
        self._loop = asyncio.get_running_loop()

    def receive(self, events: Sequence[Event]) -> None:
        """Take committed events from the bus, in any thread."""
        try:
            self._loop.call_soon_threadsafe(self._arrive, events)
        except RuntimeError:
            log.debug("hub.closed")  # The loop has ended: whoever comes back reads the log.

    def start(self) -> None:
        """Begin to give signs of life."""
        self._spawn(self._beat())

    async def follow(self, connection: Connection, start: Message, welcome: bytes) -> None:
        """Open a connection and serve it from its cursor on. Raises TimeoutError for a reader that takes nothing."""
        async with asyncio.timeout(PATIENCE):
            await connection.send(start)
            await connection.send(_body(welcome))
        await self.catch_up(connection)

    def join(self, connection: Connection) -> None:
        """Count a connection in; :meth:`leave` undoes it."""
        # Its session may have ended while it was being let in.
        connection.ending = self.closing or connection.session.id in self._revoked
        self.connections.add(connection)
        for key in connection.audience.keys:
            self._by_audience.setdefault(key, set()).add(connection)
        self.watch(connection.session)

    def leave(self, connection: Connection) -> None:
        """Count a connection out."""
        connection.live = False
        self.connections.discard(connection)
        for key in connection.audience.keys:
            self._by_audience[key].discard(connection)
            if not self._by_audience[key]:
                del self._by_audience[key]
        self.unwatch(connection.session)

    def watch(self, session: Session) -> None:
        """Count an open request of a session; :meth:`unwatch` undoes it."""
        self._by_session[session.id] += 1

    def unwatch(self, session: Session) -> None:
        """Count an open request of a session out."""
        self._by_session[session.id] -= 1
        if not self._by_session[session.id]:
            del self._by_session[session.id]

    def open_by(self, session_id: int) -> int:
        """How many streams a session has open."""
        return self._by_session[session_id]

    async def after(self, audience: Audience, cursor: int) -> tuple[list[Event], int]:
        """What came after a cursor that its holder may see, in pieces, and the id that the piece reaches to."""
        recent = self._history.after(cursor, TOGETHER)
        if recent is None:
            found, through = await asyncio.to_thread(self._read, audience, cursor)
        else:
            found = [event for event in recent if audience.includes(event)]
            through = recent[-1].id if recent else cursor
        piece = next(_pieces(found, SIP), [])
        return piece, through if len(piece) == len(found) else piece[-1].id

    async def more(self, seconds: float, gone: asyncio.Future[None]) -> None:
        """Wait until there is more in the log, or the time is up, or the reader has gone, or the hub closes."""
        arrival = self._loop.create_future()
        self._waiting.add(arrival)
        try:
            await asyncio.wait({arrival, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.discard(arrival)

    async def close(self) -> None:
        """Tell everybody to come back, and end all streams."""
        self.closing = True
        self._wake()
        for count, connection in enumerate(list(self.connections), 1):
            self._end(connection)
            if count % TURN == 0:
                await asyncio.sleep(0)

    def _read(self, audience: Audience, cursor: int) -> tuple[list[Event], int]:
        with self._database.read() as connection:
            return feed.after(connection, audience, cursor, TOGETHER, SIP)

    def _arrive(self, events: Sequence[Event]) -> None:
        fresh = [event for event in events if event.id > self.position]
        if not fresh:
            return
        self._remember_revoked(fresh)
        if fresh[0].id != self.position + 1:
            # The bus dropped a hint. The log has what is missing: everybody reads it there.
            log.warning("bus.gap", expected=self.position + 1, got=fresh[0].id)
            self.position = fresh[-1].id
            self._history.restart(self.position)
            self._end_revoked(fresh)
            for connection in list(self.connections):
                if connection.live:
                    self._fall_back(connection)
        else:
            self.position = fresh[-1].id
            self._history.add(fresh)
            self._arrived += fresh
            if not self._delivering:
                self._delivering = True
                self._spawn(self._deliver())
        self._wake()

    def _wake(self) -> None:
        for arrival in self._waiting:
            if not arrival.done():
                arrival.set_result(None)

    async def _deliver(self) -> None:
        try:
            while self._arrived:
                events, self._arrived = self._arrived, []
                for _, group in groupby(events, key=attrgetter("audience")):
                    for piece in _pieces(list(group), PIECE):
                        await self._write_all(piece)
                        self._end_revoked(piece)
        except Exception as error:
            # Whoever has not got these events reads them from the log.
            log.error("delivery.failed", exc_info=error)
            for connection in list(self.connections):
                if connection.live:
                    self._fall_back(connection)
        finally:
            self._delivering = False
            if self._arrived:
                self._delivering = True
                self._spawn(self._deliver())

    async def _write_all(self, events: list[Event]) -> None:
        """Write events of one audience to every live connection in it.

        This loop is the chat's hottest: most of its time should be the kernel's.
        """
        first, last = events[0].id, events[-1].id
        encoder: Encoder | None = None
        frame = piece = b""
        for count, connection in enumerate(list(self._by_audience.get(events[0].audience, ())), 1):
            if connection.live and connection.cursor < last:
                if connection.cursor >= first:
                    # It went live between these events: the earlier ones it has read from the log.
                    encoder = None
                    frame = connection.encoder.encode([event for event in events if event.id > connection.cursor])
                    piece = wire.chunk(frame)
                elif connection.encoder is not encoder:
                    encoder = connection.encoder
                    frame = encoder.encode(events)
                    piece = wire.chunk(frame)
                connection.cursor = last
                short = connection.wire
                if not frame or (short is not None and short.end.disconnected):
                    pass
                elif short is None or short.flow.write_paused:
                    self._write(connection, frame)
                else:
                    try:
                        short.write(piece)
                    except Exception:
                        # The socket went away under us; its reader is about to be counted out.
                        connection.live = False
            if count % TURN == 0:
                await asyncio.sleep(0)

    def _write(self, connection: Connection, frame: bytes, *, more: bool = True) -> None:
        """Write to a live connection without waking its task.

        uvicorn's ``send`` suspends only while the socket's buffer is full, so that one step of it is the whole call
        for a reader that keeps up. One that suspends is slow: a task of its own sees it through.
        """
        step = connection.send(_body(frame, more=more))
        try:
            waiting = step.send(None)  # type: ignore[attr-defined]
        except StopIteration:
            return
        except Exception:
            connection.live = False
            return
        connection.live = False
        self._spawn(self._resume(connection, _finish(step, waiting)))

    def _fall_back(self, connection: Connection) -> None:
        connection.live = False
        self._spawn(self._resume(connection))

    async def _resume(self, connection: Connection, unfinished: Awaitable[None] | None = None) -> None:
        """Finish a write that had to wait, then catch up."""
        try:
            if unfinished is not None:
                async with asyncio.timeout(PATIENCE):
                    await unfinished
            await self.catch_up(connection)
        except TimeoutError:
            log.info("stream.too_slow", session=connection.session.id)
            wire.abort(connection.send)
        except Exception as error:
            log.error("stream.failed", exc_info=error)
            if connection.task is not None:
                connection.task.cancel()

    async def catch_up(self, connection: Connection) -> None:
        """Write what the log has after the connection's cursor until it is level, then let it go live."""
        while connection in self.connections and not self._over(connection):
            events, through = await self.after(connection.audience, connection.cursor)
            self._end_revoked(events)
            if events and not self._over(connection):
                frame = connection.encoder.encode(events)
                del events  # The write may take a minute, and the reader must not cost what it does not take.
                if frame:
                    async with asyncio.timeout(PATIENCE):
                        await connection.send(_body(frame))
            connection.cursor = max(connection.cursor, through)
            if connection.cursor >= self.position and not self._over(connection):
                connection.wire = wire.wire(connection.send)
                connection.live = True
                return
        if connection in self.connections and not connection.ended:
            connection.ended = True
            async with asyncio.timeout(PATIENCE):
                await connection.send(_body(connection.encoder.farewell(), more=False))

    def _over(self, connection: Connection) -> bool:
        """Whether the connection is to end, which may come about in any ``await``."""
        return connection.ending

    def _end(self, connection: Connection) -> None:
        """End a stream now if it keeps up, else after the write that it is at."""
        connection.ending = True
        if connection.live:
            connection.live = False
            connection.ended = True
            self._write(connection, connection.encoder.farewell(), more=False)

    def _end_revoked(self, events: Iterable[Event]) -> None:
        """End the streams of sessions that the log says are over."""
        revoked = _revoked(events)
        if revoked:
            for connection in [each for each in self.connections if each.session.id in revoked]:
                self._end(connection)

    def _remember_revoked(self, events: Iterable[Event]) -> None:
        """Keep in mind which sessions are over, for streams that are just being opened."""
        self._revoked.update(dict.fromkeys(_revoked(events)))
        while len(self._revoked) > REMEMBERED:
            self._revoked.popitem(last=False)

    async def _beat(self) -> None:
        while not self.closing:
            await asyncio.sleep(config.HEARTBEAT)
            for count, connection in enumerate(list(self.connections), 1):
                if connection.live:
                    self._write(connection, connection.encoder.heartbeat)
                if connection.session.expired:
                    self._end(connection)
                if count % TURN == 0:
                    await asyncio.sleep(0)

    def _spawn(self, work: Coroutine[Any, Any, None]) -> None:
        task = self._loop.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _revoked(events: Iterable[Event]) -> set[int | None]:
    return {event.subject_id for event in events if event.type == "session.revoked"}


def _pieces(events: Sequence[Event], most: int) -> Iterator[list[Event]]:
    """Cut events into lists of up to ``most`` bytes, at least one event each."""
    piece: list[Event] = []
    size = 0
    for event in events:
        if piece and size + len(event.body) > most:
            yield piece
            piece, size = [], 0
        piece.append(event)
        size += len(event.body)
    if piece:
        yield piece


def _body(frame: bytes, *, more: bool = True) -> dict[str, Any]:
    return {"type": "http.response.body", "body": frame, "more_body": more}


@types.coroutine
def _finish(step: Any, waiting: Any) -> Generator[Any, Any, None]:
    """Drive a coroutine that was started elsewhere and waits for ``waiting`` to its end, inside the running task."""
    try:
        while True:
            yield waiting
            waiting = step.send(None)
    except StopIteration:
        return
    except BaseException:
        step.close()
        raise
