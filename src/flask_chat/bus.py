"""The bus: a hint that there is more in the log, with the events already encoded.

It is only a hint. The database is the truth: who misses a hint sees a gap in the numbers and reads the log.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from .events import Event

Listener = Callable[[Sequence[Event]], None]


class Bus(Protocol):
    """What every bus can do."""

    def publish(self, events: Sequence[Event]) -> None:
        """Tell every subscriber of committed events, in order. Never raises, never waits."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have ``listener`` called with what is published, in the publisher's thread; returns how to stop it."""


class MemoryBus:
    """The bus of a chat that runs as one process."""

    def __init__(self) -> None:
        self._listeners: tuple[Listener, ...] = ()

    def publish(self, events: Sequence[Event]) -> None:
        """Call every listener."""
        for listener in self._listeners:
            listener(events)

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Add a listener; calling what is returned removes it."""
        self._listeners = (*self._listeners, listener)

        def unsubscribe() -> None:
            self._listeners = tuple(other for other in self._listeners if other is not listener)

        return unsubscribe
