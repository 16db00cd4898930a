"""What every reader needs: to be let in, to have its cursor understood, to be served until it goes."""

from __future__ import annotations

import asyncio

from starlette.types import Receive

from .. import events
from ..chat import feed
from ..chat.feed import Audience
from ..chat.sessions import Session
from ..events import BadCursor
from ..http.problems import Problem
from ..http.services import Services
from . import wire
from .connection import Connection
from .hub import Hub

MOST_OPEN = 30
"""Streams that one session may have open at once."""


class Readers:
    """Lets readers in to the hub."""

    def __init__(self, chat: Services, hub: Hub) -> None:
        self.chat, self.hub = chat, hub

    def admit(self, session: Session) -> None:
        """Raise a problem if this session may not open another stream now."""
        if self.hub.closing:
            raise Problem(503, "This chat is restarting.", 1)
        if self.chat.limits.on and self.hub.open.of(session.id) >= MOST_OPEN:
            raise Problem(429, "This browser has too many streams open.", 10)

    def still(self, generation: int) -> None:
        """Raise a problem if the log has become another since the hub was of this generation."""
        if self.hub.generation != generation:
            raise Problem(503, "This chat has another history now.", 1)

    async def audience(self, session: Session) -> Audience:
        """What the session's person may see."""
        return await asyncio.to_thread(self._audience, session)

    async def place(self, cursor: str) -> int | None:
        """The id that a cursor stands after; None if it is of another history. Raises a 400 problem."""
        try:
            place = self.chat.epochs.parse(cursor, self.hub.position)
            if place is None:
                # A page may have been read from the log just before the hub heard of its last event.
                # And another process may have begun an epoch.
                place = self.chat.epochs.parse(cursor, await asyncio.to_thread(self._look))
        except BadCursor:
            raise Problem(400, "This is not a cursor of this chat.") from None
        return place

    def _audience(self, session: Session) -> Audience:
        with self.chat.db.read() as connection:
            return feed.audience(connection, session.person.id, self.chat.config.prefix)

    def _look(self) -> int:
        """Learn of epochs that others began; returns the log's last id."""
        with self.chat.db.read() as connection:
            self.chat.epochs.follow(connection)
            return events.last_id(connection)


async def serve(
    hub: Hub, connection: Connection, receive: Receive, headers: list[tuple[bytes, bytes]], welcome: bytes
) -> None:
    """Open a stream with its first bytes and keep it until one side ends it."""
    hub.join(connection)
    try:
        await hub.follow(connection, {"type": "http.response.start", "status": 200, "headers": headers}, welcome)
        # They must not live as long as the stream.
        del headers, welcome
        while (await receive())["type"] != "http.disconnect":
            pass
    except TimeoutError:
        # It took nothing for too long. Its reader comes back with its cursor.
        wire.abort(connection.send)
    except asyncio.CancelledError:
        # The server stops, or the stream failed.
        return
    finally:
        hub.leave(connection)
