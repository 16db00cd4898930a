"""The hub: writes what happens to everybody who is connected, on the event loop.

A connection is live (the hub writes to it directly) or catching up (it reads the log from its cursor until it is
level, then goes live). One that reads too slowly falls back to catching up: there are no queues, so that memory stays
bounded, nothing is lost and nobody else waits.
"""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Awaitable, Callable, Coroutine, Sequence
from contextlib import suppress
from itertools import groupby
from operator import attrgetter
from typing import Any

import structlog
from starlette.types import Message

from .. import config, logs
from ..db import Database, StorageUnavailable
from ..events import Epochs, Event
from ..metrics import LIVE, LOG, Metrics
from . import wire
from .audiences import Audiences
from .connection import Connection
from .ended import Ended, revoked
from .frames import Encoder, pieces
from .history import History
from .intake import Intake, a_moment
from .open import Open
from .polls import Polls
from .reading import SIP, Reading
from .rounds import Rounds

TURN = 250
"""Writes after which the event loop gets a turn."""

PIECE = 64 * 1024
"""Bytes of events that are written in one piece, but for one event that is larger by itself."""

AHEAD = 512 * 1024
"""Bytes of events that are read from the log at once for one reader that takes all it is given; many share them."""

PATIENCE = 60.0
"""Seconds that a reader may take for what fits into its socket's buffer before it is given up."""

log = structlog.get_logger("flask_chat.live")


class Hub:
    """Everybody who is connected to this process.

    ``heard`` is called with events, in order, that were read from the log or had to wait for their turn; ``missed``
    with the log's last id when events up to there are passed over, as too many. ``root`` begins all links.
    """

    def __init__(
        self,
        database: Database,
        position: int,
        *,
        heard: Callable[[Sequence[Event]], None] = lambda _: None,
        missed: Callable[[int], None] = lambda _: None,
        metrics: Metrics | None = None,
        root: str = "",
        epochs: Epochs | None = None,
    ) -> None:
        self.connections: set[Connection] = set()
        self.closing = False
        self.generation = 0
        self._database = database
        self._epochs = epochs or Epochs()
        self._epoch = self._epochs.current
        self._epochs.changed = self._settle_soon
        self._missed = missed
        self.rounds = Rounds(metrics or Metrics())
        self.intake = Intake(database, position, self, heard, missed, self.rounds.metrics, self._epochs, root)
        self._history = History(position)
        self._audiences = Audiences(database, position)
        self.reading = Reading(database, self._epochs, self._history, self._audiences)
        self.polls = Polls()
        self.open = Open()
        self._ended = Ended()
        self._arrived: list[Event] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._delivering = False
        self._catching_up = 0
        self._loop = asyncio.get_running_loop()
        self._context = contextvars.copy_context()

    @property
    def position(self) -> int:
        """The id of the last event that was handed on to everybody."""
        return self.intake.position

    def receive(self, events: Sequence[Event]) -> None:
        """Take committed events from the bus, in any thread."""
        try:
            self._loop.call_soon_threadsafe(self._arrive, events, logs.request_ids.get(), context=self._context)
        except RuntimeError:
            log.debug("hub.closed")  # The loop has ended: whoever comes back reads the log.

    def start(self) -> None:
        """Begin to give signs of life."""
        self._spawn(self._beat())

    async def follow(self, connection: Connection, start: Message, welcome: bytes) -> None:
        """Open a connection and serve it from its cursor on. Raises TimeoutError for a reader that takes nothing."""
        async with asyncio.timeout(PATIENCE):
            await connection.send(start)
            await connection.send(wire.body(welcome))
        await self.catch_up(connection)

    def join(self, connection: Connection) -> None:
        """Count a connection in; :meth:`leave` undoes it."""
        # Its session may have ended while it was being let in.
        connection.ending = self.closing or connection.session.id in self._ended
        self.connections.add(connection)
        self._audiences.add(connection)
        self.open.add(connection.session)

    def leave(self, connection: Connection) -> None:
        """Count a connection out."""
        connection.live = False
        self.connections.discard(connection)
        self._audiences.discard(connection)
        self.open.remove(connection.session)

    async def close(self) -> None:
        """Tell everybody to come back, and end all streams."""
        self.closing = True
        self.polls.wake()
        for count, connection in enumerate(list(self.connections), 1):
            self._end(connection)
            if count % TURN == 0:
                await asyncio.sleep(0)

    def deliver(self, events: Sequence[Event]) -> None:
        """Write events, which are the next ones in the log, to everybody who may see them."""
        self._ended.add(revoked(events))
        self._audiences.hear(events)
        self._history.add(events)
        self.rounds.arrived(events)
        self._arrived += events
        if not self._delivering:
            self._delivering = True
            self._spawn(self._deliver())
        self.polls.wake()

    async def tell(self, audience: int, frame: bytes, whom: Callable[[Connection], bool]) -> None:
        """Write what is so for the moment to live connections of an audience. Whoever is slow never hears of it."""
        piece = wire.chunk(frame)
        for count, connection in enumerate(list(self._audiences.of(audience)), 1):
            if connection.live and whom(connection):
                short = connection.wire
                if short is None:
                    self._write(connection, frame)
                elif not (short.end.disconnected or short.flow.write_paused):
                    with suppress(Exception):
                        short.write(piece)
            if count % TURN == 0:
                await asyncio.sleep(0)

    def pass_over(self, last: int, sessions: set[int | None]) -> None:
        """Too much was missed to be written from here: everybody reads it by themselves."""
        self._history.restart(last)
        self._audiences.forget(last)
        self._ended.add(sessions)
        self._end_sessions(sessions)
        for connection in list(self.connections):
            if connection.live:
                self._fall_back(connection)
        self.polls.wake()

    def go_back(self, last: int) -> None:
        """Another log is in this one's place, and is the same up to ``last``: all come back, and are told to resync.

        ``generation`` counts how often that was so: a place from before may mean nothing any more.
        """
        log.error("log.went_back", had=self.position, has=last)
        self.generation += 1
        self.intake.jump(last)
        self._history.restart(last)
        self._audiences.forget(last)
        self._arrived.clear()
        self.rounds.forget()
        # Their numbers are given out anew.
        self._ended = Ended()
        for connection in list(self.connections):
            self._end(connection)
        self.polls.wake()

    def _settle_soon(self) -> None:
        """In any thread: before the loop gets anything that this thread reads after it."""
        with suppress(RuntimeError):  # The loop has ended.
            self._loop.call_soon_threadsafe(self.settle, context=self._context)

    def settle(self) -> None:
        """Look whether another epoch has begun, before anything that belongs to it is taken."""
        if self._epochs.current == self._epoch:
            return
        common, self._epoch = self._epochs.common(self._epoch, self.position), self._epochs.current
        if common < self.position:
            self.go_back(common)
        else:
            # The log is the same so far. What is kept in memory of it need not be.
            self._missed(self.position)

    def _arrive(self, events: Sequence[Event], requests: Sequence[str]) -> None:
        self.settle()
        self._ended.add(revoked(events))
        self.rounds.asked_by(requests)
        self.intake.take(events)

    async def _deliver(self) -> None:
        try:
            while self._arrived:
                events, self._arrived = self._arrived, []
                with self.rounds:
                    for _, group in groupby(events, key=attrgetter("audience")):
                        for piece in pieces(list(group), PIECE):
                            await self._write_all(piece)
                            self._audiences.apply(piece)
                            self._end_sessions(revoked(piece))
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
        count = spared = 0
        for count, connection in enumerate(list(self._audiences.of(events[0].audience)), 1):
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
                    spared += len(events)
                elif short is None or short.flow.write_paused:
                    self._write(connection, frame)
                else:
                    try:
                        short.write(piece)
                    except Exception:
                        # The socket went away under us; its reader is about to be counted out.
                        connection.live = False
            else:
                spared += len(events)
            if count % TURN == 0:
                await asyncio.sleep(0)
        self.rounds.metrics.delivered(LIVE, count * len(events) - spared)

    def _write(self, connection: Connection, frame: bytes, *, more: bool = True) -> None:
        """Write to a live connection without waking its task.

        uvicorn's ``send`` suspends only while the socket's buffer is full, so that one step of it is the whole call
        for a reader that keeps up. One that suspends is slow: a task of its own sees it through.
        """
        step = connection.send(wire.body(frame, more=more))
        try:
            waiting = step.send(None)  # type: ignore[attr-defined]
        except StopIteration:
            return
        except Exception:
            connection.live = False
            return
        connection.live = False
        self._spawn(self._resume(connection, wire.finish(step, waiting)))

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
        self._catching_up += 1
        try:
            await self._read_on(connection)
        finally:
            self._catching_up -= 1

    async def _read_on(self, connection: Connection) -> None:
        while connection in self.connections and not connection.over():
            most = max(AHEAD // self._catching_up, SIP) if wire.keeps_up(connection.send) else SIP
            try:
                events, through = await self.reading.after(connection.audience, connection.cursor, most)
            except StorageUnavailable:
                await a_moment()
                continue
            self._end_sessions(revoked(events))
            sips = deque(pieces(events, SIP))
            del events
            while sips and not connection.over():
                await self._sip(connection, sips.popleft())
                if not wire.keeps_up(connection.send):
                    # What else was read is read again: a reader must not cost what it does not take.
                    break
            if not sips:
                connection.cursor = max(connection.cursor, through)
            if self._audiences.stale(connection.audience):
                await self._audiences.renew(connection)
            elif connection.cursor >= self.position and not connection.over():
                connection.wire = wire.wire(connection.send)
                connection.live = True
                return
        if connection in self.connections and not connection.ended:
            connection.ended = True
            async with asyncio.timeout(PATIENCE):
                await connection.send(wire.body(connection.encoder.farewell(), more=False))

    async def _sip(self, connection: Connection, events: list[Event]) -> None:
        """Write events that were read from the log."""
        frame, last = connection.encoder.encode(events), events[-1].id
        self.rounds.metrics.delivered(LOG, len(events) if frame else 0)
        del events  # The write may take a minute.
        if frame:
            async with asyncio.timeout(PATIENCE):
                await connection.send(wire.body(frame))
        connection.cursor = max(connection.cursor, last)

    def _end(self, connection: Connection) -> None:
        """End a stream now if it keeps up, else after the write that it is at."""
        connection.ending = True
        if connection.live:
            connection.live = False
            connection.ended = True
            self._write(connection, connection.encoder.farewell(), more=False)

    def _end_sessions(self, sessions: set[int | None]) -> None:
        """End the streams of sessions that are over."""
        for connection in [each for each in self.connections if each.session.id in sessions] if sessions else ():
            self._end(connection)

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
