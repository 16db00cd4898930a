"""What is said for the moment, on its way to those whom it concerns. It is no event: it moves no cursor."""

from __future__ import annotations

import asyncio
import time
from collections import OrderedDict
from collections.abc import Callable
from contextlib import suppress

import msgspec

from ..chat import signals
from ..chat.signals import Resting, Typing
from .connection import Connection
from .hub import Hub

MOST_TYPING = 5
"""Hints that a room is given within :data:`WITHIN`: nobody reads the names of more people who write at once."""

WITHIN = 3.0
"""Seconds."""

ROOMS = 1_000
"""Rooms whose last hints are kept in mind."""


class Signals:
    """Hears signals for a hub."""

    def __init__(self, hub: Hub, clock: Callable[[], float] = time.monotonic) -> None:
        self._hub, self._clock = hub, clock
        self._loop = asyncio.get_running_loop()
        self._told: OrderedDict[int, list[float]] = OrderedDict()
        self._tasks: set[asyncio.Task[None]] = set()

    def receive(self, said: bytes) -> None:
        """Take a signal from the bus, in any thread."""
        signal = signals.decode(said)
        if signal is not None:
            with suppress(RuntimeError):  # The loop has ended.
                self._loop.call_soon_threadsafe(self._take, signal)

    def _take(self, signal: signals.Signal) -> None:
        if isinstance(signal, Resting):
            self._hub.open.rest(signal.session_id, signal.resting)
        elif not self._too_many(signal.room_id):
            task = self._loop.create_task(self._hub.tell(signal.room_id, frame(signal), _looks(signal)))
            self._tasks.add(task)
            task.add_done_callback(self._tasks.discard)

    def _too_many(self, room_id: int) -> bool:
        now = self._clock()
        lately = [at for at in self._told.pop(room_id, ()) if at > now - WITHIN]
        crowded = len(lately) >= MOST_TYPING
        self._told[room_id] = lately if crowded else [*lately, now]
        if len(self._told) > ROOMS:
            self._told.popitem(last=False)
        return crowded


def frame(signal: Typing) -> bytes:
    """A signal as a server-sent event. Without an ``id:``, who reads it stays where they are in the log."""
    data = msgspec.json.encode({"room": signal.room, "username": signal.username})
    return b"event: typing\ndata: %b\n\n" % data


def _looks(signal: Typing) -> Callable[[Connection], bool]:
    """Whose streams are told: those that look at the room, but not the writer's own."""

    def looks(connection: Connection) -> bool:
        if connection.session.person.id == signal.person_id:
            return False
        return connection.looking is None or signal.room in connection.looking

    return looks
