"""A stream to one reader."""

from __future__ import annotations

import asyncio

from starlette.types import Send

from ..chat.feed import Audience
from ..chat.sessions import Session
from . import wire
from .frames import Encoder


class Connection:
    """A stream to one reader. ``cursor`` is the id of the last event written to it.

    ``looking`` are the slugs of the rooms of which it is told what is so for the moment, None for all of them.
    """

    __slots__ = (
        "audience",
        "cursor",
        "encoder",
        "ended",
        "ending",
        "live",
        "looking",
        "send",
        "session",
        "task",
        "wire",
    )

    def __init__(
        self,
        send: Send,
        session: Session,
        audience: Audience,
        encoder: Encoder,
        cursor: int,
        looking: frozenset[str] | None = frozenset(),
    ) -> None:
        self.send, self.session, self.audience, self.encoder, self.cursor = send, session, audience, encoder, cursor
        self.looking = looking
        self.task = asyncio.current_task()
        self.wire: wire.Wire | None = None
        self.live = self.ending = self.ended = False

    def over(self) -> bool:
        """Whether it is to end, which may come about in any ``await``."""
        return self.ending
