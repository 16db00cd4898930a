"""A stream to one reader, and how many each session has."""

from __future__ import annotations

import asyncio
from collections import Counter

from starlette.types import Send

from ..chat.feed import Audience
from ..chat.sessions import Session
from . import wire
from .frames import Encoder


class Connection:
    """A stream to one reader. ``cursor`` is the id of the last event written to it."""

    __slots__ = ("audience", "cursor", "encoder", "ended", "ending", "live", "send", "session", "task", "wire")

    def __init__(self, send: Send, session: Session, audience: Audience, encoder: Encoder, cursor: int) -> None:
        self.send, self.session, self.audience, self.encoder, self.cursor = send, session, audience, encoder, cursor
        self.task = asyncio.current_task()
        self.wire: wire.Wire | None = None
        self.live = self.ending = self.ended = False

    def over(self) -> bool:
        """Whether it is to end, which may come about in any ``await``."""
        return self.ending


class Open:
    """How many requests of each session stay open: its streams, and its polls that wait."""

    def __init__(self) -> None:
        self._by_session: Counter[int] = Counter()

    def add(self, session: Session) -> None:
        """Count one in; :meth:`remove` undoes it."""
        self._by_session[session.id] += 1

    def remove(self, session: Session) -> None:
        """Count one out."""
        self._by_session[session.id] -= 1
        if not self._by_session[session.id]:
            del self._by_session[session.id]

    def of(self, session_id: int) -> int:
        """How many a session has."""
        return self._by_session[session_id]
