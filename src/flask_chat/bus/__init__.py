"""The bus: a hint that there is more in the log, with the events already encoded.

It is only a hint. The database is the truth: who misses a hint sees a gap in the numbers and reads the log.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Protocol

from ..events import Event

Listener = Callable[[Sequence[Event]], None]
Hears = Callable[[bytes], None]

ANNOUNCE_EVERY = 5.0
"""Seconds between two announcements of a node."""

EXPIRES = 15.0
"""Seconds after which what a node announced is forgotten, if it has not announced anything since."""


class Bus(Protocol):
    """What every bus can do. ``node`` is this process's name on it, no other's."""

    node: str
    kind: str

    @property
    def up(self) -> bool:
        """Whether hints get through just now, as far as one can tell."""

    def publish(self, events: Sequence[Event]) -> None:
        """Tell every subscriber, here and elsewhere, of committed events, in order. Never raises, never waits."""

    def subscribe(self, listener: Listener) -> Callable[[], None]:
        """Have ``listener`` called with what is published, in some thread; returns how to stop it.

        What one process publishes arrives in order; what several publish may arrive in any.
        """

    def signal(self, said: bytes) -> None:
        """Tell every node, this one too, something of the moment. Nobody keeps it: who does not hear it now never will.

        Never raises, never waits.
        """

    def subscribe_signals(self, hears: Hears) -> Callable[[], None]:
        """Have ``hears`` called with what is signalled, in some thread; returns how to stop it."""

    def announce(self, facts: bytes) -> None:
        """Tell what is so on this node; it is forgotten after :data:`EXPIRES` seconds. Never raises, never waits."""

    def announced(self) -> Mapping[str, bytes]:
        """What every living node announced last, this one's too, by its name."""

    def close(self) -> None:
        """Stop; nothing is told to anybody any more."""
