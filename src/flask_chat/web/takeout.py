"""My data: all that the chat keeps of me, to take along."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from flask import Blueprint
from starlette.types import Receive, Scope, Send
from werkzeug.wrappers import Response as AnyResponse

from .. import config
from ..chat import credentials, sessions, takeout
from ..chat.sessions import Session
from ..http import asgi, headers
from ..http.problems import Problem, problem
from ..http.services import Services
from ..http.visitor import me
from ..http.wsgi import Bridge
from .entry import ask_first
from .page import page
from .proof import prove_first

blueprint = Blueprint("takeout", __name__, url_prefix="/account/data")


@blueprint.get("")
def ask() -> AnyResponse:
    """What is in the archive, and the button that makes it."""
    if me() is None:
        return ask_first()
    return prove_first() or page("people/data.html")


@blueprint.post("")
def show() -> AnyResponse:
    """What :class:`TakeOut` leaves to be told: nobody is signed in, or a proof is needed."""
    return ask()


BUSY = 10
"""Seconds after which somebody may ask again while their archive is on its way."""


class TakeOut:
    """The gateway's endpoint ``POST /account/data``: the archive, sent while it is made.

    Whatever needs a page is Flask's.
    """

    def __init__(self, chat: Services, flask: Bridge) -> None:
        self._chat, self._flask = chat, flask
        self._busy: set[int] = set()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send it, one at a time to each person."""
        sent = dict(scope["headers"])
        try:
            session = await asgi.session(self._chat.identity, sent)
        except Exception as error:
            if problem(error) is None:
                raise
            session = None
        if session is None or not await asyncio.to_thread(self._may, session):
            await self._flask(scope, receive, send)
            return
        if session.person.id in self._busy:
            await self._flask.refuse(scope, send, Problem(429, "Your data is on its way already.", BUSY))
            return
        self._busy.add(session.person.id)
        try:
            await asgi.body(sent, receive, config.MAX_BODY)
            await self._send(session, send)
        except Problem as error:
            await self._flask.refuse(scope, send, error)
        finally:
            self._busy.discard(session.person.id)

    async def _send(self, session: Session, send: Send) -> None:
        pieces = takeout.archive(self._chat.db, session.person)
        first = await asyncio.to_thread(next, pieces, b"")
        name = f'attachment; filename="flask-chat-{datetime.now(UTC):%Y-%m-%d}.zip"'
        listed = [
            (b"content-type", b"application/zip"),
            (b"content-disposition", name.encode()),
            (b"cache-control", headers.PRIVATE.encode()),
            *asgi.SECURITY,
        ]
        await send({"type": "http.response.start", "status": 200, "headers": listed})
        await send({"type": "http.response.body", "body": first, "more_body": True})
        while (piece := await asyncio.to_thread(next, pieces, None)) is not None:
            await send({"type": "http.response.body", "body": piece, "more_body": True})
        await send({"type": "http.response.body", "body": b""})

    def _may(self, session: Session) -> bool:
        """Whether no proof is needed first: there is none to show, or it is fresh."""
        with self._chat.db.read() as connection:
            held = credentials.held(connection, session.person.id)
            return not held.something(self._chat.openid is not None) or sessions.proved(connection, session.id)
