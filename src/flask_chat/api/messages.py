"""Messages for programs.

Posting is on the hot path: the gateway answers it on the event loop, where it waits for the commit without a thread.
"""

from __future__ import annotations

from contextlib import suppress

import msgspec
from flask import Blueprint, Response, request
from starlette.types import Receive, Scope, Send

from .. import config
from ..chat import messages, rooms
from ..db import StorageFull, StorageUnavailable
from ..http import asgi
from ..http.problems import Problem, outcome
from ..http.services import Services
from ..http.visitor import member, services
from ..metrics import AGAIN, KEPT

blueprint = Blueprint("api_messages", __name__)


@blueprint.get("/api/rooms/<slug>/messages")
def index(slug: str) -> Response:
    """A page of a room's messages, oldest first."""
    person = member()
    before, after = _bound("before"), _bound("after")
    limit = _bound("limit")
    if limit == 0:
        raise Problem(400, "limit is a whole number from 1.")
    chat = services()
    most = min(limit or config.PAGE, config.MAX_PAGE)
    with chat.db.read() as connection:
        room = rooms.for_member(connection, person, slug)
        page = messages.page(connection, room, before=before, after=after, limit=most, root=chat.config.prefix)
    return Response(msgspec.json.encode({"messages": page}), mimetype="application/json")


class PostMessage:
    """The gateway's endpoint ``POST /api/rooms/<room>/messages``."""

    def __init__(self, chat: Services) -> None:
        self._chat = chat

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """201 with the message once it is durable; 200 if this client id brought it here before."""
        headers = dict(scope["headers"])
        try:
            session = await asgi.session(self._chat.identity, headers)
            contents = _contents(headers, await asgi.body(headers, receive, config.MAX_BODY))
            draft = messages.draft(
                session.person,
                scope["path_params"]["room"],
                contents.get("text"),
                contents.get("client_id"),
                self._chat.config.prefix,
            )
            self._chat.limits.posting(session.person.id)
            posted = await self._chat.db.submit_from_loop(messages.post_together, draft)
        except asgi.Gone:
            raise
        except Exception as error:
            self._chat.metrics.posted(outcome(error))
            await asgi.refuse(send, error)
            return
        self._chat.metrics.posted(KEPT if posted.new else AGAIN)
        renewed: list[tuple[bytes, bytes]] = []
        if session.due:
            # It can be renewed with the next message too; this one is kept, and nothing else may be answered.
            with suppress(StorageFull, StorageUnavailable):
                renewed = await asgi.renew(self._chat, session, scope)
        await asgi.json(send, 201 if posted.new else 200, msgspec.json.encode(posted.message), renewed)


def _contents(headers: asgi.Headers, body: bytes) -> dict[str, object]:
    contents = asgi.contents(headers, body, '{"text": "…", "client_id": "…"}')
    if "text" not in contents:
        raise Problem(400, "A message needs its text.")
    return contents


def _bound(name: str) -> int | None:
    value = request.args.get(name)
    if value is None:
        return None
    if not (value.isascii() and value.isdecimal() and len(value) < 19):
        raise Problem(400, f"{name} is a whole number.")
    return int(value)
