"""``GET /rooms/<room>/timeline``: a room as a document that goes on and on, for the page that has no script."""

from __future__ import annotations

import asyncio

from markupsafe import Markup
from starlette.types import Receive, Scope, Send

from ..chat import rendering, rooms
from ..chat.rooms import Room
from ..chat.sessions import Session
from ..chat.timelines import Timeline
from ..http import asgi, headers, problems, request_ids
from .connection import Connection
from .frames import Document, linked
from .stream import Readers, serve

_HEADERS = [
    (b"content-type", b"text/html; charset=utf-8"),
    (b"content-security-policy", headers.policy(None, framed=True).encode()),
    (b"cache-control", headers.PRIVATE.encode()),
    (b"x-accel-buffering", b"no"),
    *asgi.SECURITY,
]


class TimelineDocument:
    """The gateway's endpoint."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The latest messages, then each new one when it is posted, in the same document."""
        chat = self._readers.chat
        generation = self._readers.hub.generation
        try:
            session = await asgi.session(chat.identity, dict(scope["headers"]), safe=True)
            self._readers.admit(session)
            audience = await self._readers.audience(session)
            room, shown = await asyncio.to_thread(self._latest, session, scope["path_params"]["room"])
            self._readers.still(generation)
        except Exception as error:
            await self._refuse(scope, send, error)
            return
        head = rendering.template("rooms/timeline.html").render(
            room=room,
            asset=chat.assets.url,
            timeline=Markup(linked(shown.html)),  # noqa: S704 (made by the rendering of messages alone)
        )
        connection = Connection(send, session, audience, Document(room.id, shown.last_day), shown.through)
        await serve(self._readers.hub, connection, receive, [*_HEADERS, request_ids.told(scope)], head.encode())

    async def _refuse(self, scope: Scope, send: Send, error: Exception) -> None:
        """Say in the frame what is wrong, in a document that is loaded anew by itself while that can help."""
        told = problems.problem(error)
        if told is None:
            raise error
        chat = self._readers.chat
        said = rendering.template("errors/frame.html").render(
            detail=told.detail, root=chat.config.prefix, asset=chat.assets.url, signed_out=told.status == 401
        )
        await asgi.respond(send, told.status, [*_HEADERS, request_ids.told(scope)], said.encode())

    def _latest(self, session: Session, slug: str) -> tuple[Room, Timeline]:
        with self._readers.chat.db.read() as connection:
            room = rooms.for_member(connection, session.person, slug)
            return room, self._readers.chat.timelines.latest(connection, room)
