"""The order of the log, restored: several processes tell what they commit, and who is told hears it in any order."""

from __future__ import annotations

from collections.abc import Sequence

from ..events import Event

MOST_EARLY = 5_000
"""Events that wait for one before them; more are let go, for the log has them."""


class Order:
    """Hands on events one after another, without a gap. ``position`` is the id of the last one handed on.

    ``known`` is the highest id that anybody has spoken of: if it is more, something is on its way, or was lost.
    """

    def __init__(self, position: int) -> None:
        self.position = self.known = position
        self._early: dict[int, Event] = {}

    @property
    def gap(self) -> bool:
        """Whether the log has got further than what was handed on."""
        return self.known > self.position

    def take(self, events: Sequence[Event]) -> Sequence[Event]:
        """Take events that were told of, once or again, sorted by id; returns those whose turn it is now."""
        following = events[0].id == self.position + 1 and events[-1].id == self.position + len(events)
        if following and not self._early:
            self.position = events[-1].id
            self.known = max(self.known, self.position)
            return events
        for event in events:
            if event.id > self.position:
                self._early[event.id] = event
                self.known = max(self.known, event.id)
        ready = []
        while self.position + 1 in self._early:
            self.position += 1
            ready.append(self._early.pop(self.position))
        if len(self._early) > MOST_EARLY:
            self._early.clear()
        return ready

    def note(self, last: int) -> None:
        """The log has got as far as ``last``."""
        self.known = max(self.known, last)

    def jump(self, position: int) -> None:
        """Go on from another place, before or behind."""
        self.position = self.known = position
        self._early.clear()
