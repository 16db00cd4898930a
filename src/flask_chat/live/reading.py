"""Reading on from a cursor: from the last stretch of the log in memory, or from the log itself."""

from __future__ import annotations

import asyncio

from ..chat import feed
from ..chat.feed import Audience
from ..db import Database
from ..events import Epochs, Event
from .audiences import Audiences
from .frames import pieces
from .history import History

TOGETHER = 24
"""Events that are read from the log at once for a sip, and in proportion for more."""

SIP = 16 * 1024
"""Bytes of events for a reader that is catching up: one that takes nothing costs a few of these."""


class Reading:
    """What came after a cursor, for one reader."""

    def __init__(self, database: Database, epochs: Epochs, history: History, audiences: Audiences) -> None:
        self._database, self._epochs, self._history, self._audiences = database, epochs, history, audiences

    async def after(self, audience: Audience, cursor: int, most: int = SIP) -> tuple[list[Event], int]:
        """What came after a cursor that its holder may see, up to ``most`` bytes, and the id that it reaches to."""
        recent = self._history.after(cursor, together(most))
        # What somebody may see by now, the database knows.
        if recent is None or self._audiences.stale(audience):
            return await asyncio.to_thread(self._read, audience, cursor, most)
        found = [event for event in recent if audience.includes(event)]
        through = recent[-1].id if recent else cursor
        piece = next(pieces(found, most), [])
        return piece, through if len(piece) == len(found) else piece[-1].id

    def _read(self, audience: Audience, cursor: int, most: int) -> tuple[list[Event], int]:
        with self._database.read() as connection:
            found = feed.after(connection, audience, cursor, together(most), most)
            self._epochs.follow(connection)
            return found


def together(most: int) -> int:
    """How many events are read for so many bytes."""
    return TOGETHER * most // SIP
