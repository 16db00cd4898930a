"""The last stretch of the log in memory: readers that come back after a moment are answered from it."""

from __future__ import annotations

from collections.abc import Sequence

from ..events import Event

MOST_EVENTS = 10_000
MOST_BYTES = 4 * 1024 * 1024

TAKEN_BACK = frozenset({"message.deleted", "message.edited", "person.departed", "room.cleared"})
"""The types of event after which something that was said is not there any more, not in those words, or not by that
name."""


class History:
    """Every event after ``floor``, in order, without a gap."""

    def __init__(self, floor: int) -> None:
        self.floor = floor
        self._events: list[Event] = []
        self._bytes = 0

    def add(self, events: Sequence[Event]) -> None:
        """Append the events that come next; the oldest go once there are too many."""
        for at in range(len(events) - 1, -1, -1):
            if events[at].type in TAKEN_BACK:
                # What was said must not be told again: from before this only the log is asked.
                self.restart(events[at].id)
                events = events[at + 1 :]
                break
        self._events += events
        self._bytes += sum(map(_size, events))
        gone = 0
        while len(self._events) - gone > MOST_EVENTS or self._bytes > MOST_BYTES:
            self._bytes -= _size(self._events[gone])
            gone += 1
        if gone:
            self.floor = self._events[gone - 1].id
            del self._events[:gone]

    def restart(self, floor: int) -> None:
        """Forget everything up to ``floor``."""
        self._events.clear()
        self._bytes = 0
        self.floor = floor

    def after(self, cursor: int, most: int = MOST_EVENTS) -> list[Event] | None:
        """Up to ``most`` events after a cursor, or None if only the log goes back so far."""
        if cursor < self.floor:
            return None
        # Numbers have no gaps, so that an event's number says where it is.
        start = cursor - self.floor
        return self._events[start : start + most]


def _size(event: Event) -> int:
    return len(event.body) + len(event.html)
