"""Sessions that are over, kept in mind for streams that are just being opened."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from ..chat.sessions import Session
from ..events import Event

REMEMBERED = 1_000
"""Sessions that are kept in mind."""


class Ended:
    """The sessions that ended last."""

    def __init__(self) -> None:
        self._sessions: OrderedDict[int | None, None] = OrderedDict()

    def __contains__(self, session_id: int) -> bool:
        return session_id in self._sessions

    def add(self, sessions: Iterable[int | None]) -> None:
        """Keep sessions in mind; those of the longest ago are forgotten."""
        self._sessions.update(dict.fromkeys(sessions))
        while len(self._sessions) > REMEMBERED:
            self._sessions.popitem(last=False)


def revoked(events: Iterable[Event]) -> set[int | None]:
    """The sessions that events say are over."""
    return {event.subject_id for event in events if event.type == "session.revoked"}


def until_its_end(session: Session, events: Sequence[Event]) -> Sequence[Event]:
    """Events up to the one that says that this session is over, if there is one: what came after it is not for it."""
    for at, event in enumerate(events, 1):
        if event.type == "session.revoked" and event.subject_id == session.id:
            return events[:at]
    return events
