"""The bus of a chat that runs as one process."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence

from ..events import Event
from . import EXPIRES, Hears, Listener
from .announcements import Announcements


class MemoryBus:
    """Calls every listener in the publisher's thread."""

    kind = "memory"
    up = True

    def __init__(self, node: str = "here", *, expires: float = EXPIRES) -> None:
        self.node = node
        self._listeners: tuple[Listener, ...] = ()
        self._hearing: tuple[Hears, ...] = ()
        self._announcements = Announcements(expires)

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

    def signal(self, said: bytes) -> None:
        """Call all who hear."""
        for hears in self._hearing:
            hears(said)

    def subscribe_signals(self, hears: Hears) -> Callable[[], None]:
        """Add one who hears; calling what is returned removes it."""
        self._hearing = (*self._hearing, hears)

        def unsubscribe() -> None:
            self._hearing = tuple(other for other in self._hearing if other is not hears)

        return unsubscribe

    def announce(self, facts: bytes) -> None:
        """Keep what is so here."""
        self._announcements.put(self.node, facts, time.monotonic())

    def announced(self) -> Mapping[str, bytes]:
        """What is so here, while it is."""
        return self._announcements.living(time.monotonic())

    def close(self) -> None:
        """Forget every listener."""
        self._listeners, self._hearing = (), ()
