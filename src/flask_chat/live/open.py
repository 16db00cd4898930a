"""What stays open for each session, its streams and the polls that wait, and so who is here."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import Callable

from ..chat.sessions import Session

LINGERS = 10.0
"""Seconds that somebody is still here after their last stream: who loads a page anew does not come and go."""


class Open:
    """Counts what each session has open. ``changed`` is set when a session came that was not here."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self.changed = asyncio.Event()
        self._clock = clock
        self._by_session: Counter[int] = Counter()
        self._people: dict[int, int] = {}
        self._leaves_at: dict[int, float] = {}
        self._resting: set[int] = set()

    def add(self, session: Session) -> None:
        """Count one in; :meth:`remove` undoes it."""
        self._by_session[session.id] += 1
        self._leaves_at.pop(session.id, None)
        if session.id not in self._people:
            self._people[session.id] = session.person.id
            self.changed.set()

    def remove(self, session: Session) -> None:
        """Count one out."""
        self._by_session[session.id] -= 1
        if not self._by_session[session.id]:
            del self._by_session[session.id]
            self._leaves_at[session.id] = self._clock() + LINGERS

    def of(self, session_id: int) -> int:
        """How many a session has."""
        return self._by_session[session_id]

    def rest(self, session_id: int, resting: bool) -> None:
        """Take a session's word for whether nobody looks at it."""
        if session_id in self._people and (session_id in self._resting) != resting:
            (self._resting.add if resting else self._resting.discard)(session_id)
            self.changed.set()

    def people(self) -> tuple[set[int], set[int]]:
        """The ids of all who are here, and of those of them who are away: none of their sessions is looked at."""
        now = self._clock()
        for session_id in [id for id, leaves_at in self._leaves_at.items() if leaves_at <= now]:
            del self._leaves_at[session_id], self._people[session_id]
            self._resting.discard(session_id)
        here = set(self._people.values())
        return here, here - {id for session_id, id in self._people.items() if session_id not in self._resting}
