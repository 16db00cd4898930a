"""Saying something: by the form, and by an address."""

from __future__ import annotations

import secrets
from urllib.parse import parse_qs, quote, unquote

from flask import Blueprint, redirect, request, url_for
from flask import session as cookie
from starlette.types import Receive, Scope, Send
from werkzeug.routing import BaseConverter
from werkzeug.wrappers import Response as AnyResponse

from .. import config
from ..chat import messages, names, rooms, sessions
from ..chat.errors import Conflict, NotFound
from ..chat.people import Person
from ..db import StorageUnavailable
from ..http import asgi, headers
from ..http.problems import Problem, outcome, problem
from ..http.services import Services
from ..http.visitor import current, me, services, token
from ..http.wsgi import Bridge
from ..metrics import AGAIN, KEPT
from .entry import ask_first
from .room_page import room_page

blueprint = Blueprint("messages", __name__)
_CHANGED = "This page has sent a message already. Press Send to send this one too."
_NO_STORE = (b"cache-control", headers.PRIVATE.encode())


@blueprint.post("/rooms/<slug>/messages")
def create(slug: str) -> AnyResponse:
    """Post what the form says and go back to the room."""
    person = me()
    words = request.form.get("message", "")
    if person is None:
        return ask_first(words)
    client_id = next(filter(None, request.form.getlist("client_id")), None)
    return _post(person, slug, words, client_id)


@blueprint.get("/<username>/<words:message>")
def send_by_address(username: str, message: str) -> AnyResponse:
    """Send ``message`` as ``username``, if it is they who went to this address themselves; else fill it in.

    A link on another site, a picture's address, a crawler or a browser that looks ahead must send nothing. Only the
    browser's own word that a person navigated here counts (Fetch Metadata, W3C), and only for a session under that
    name. Where that word is missing, the message waits in the text box, one press from sent.
    """
    if names.is_reserved(username):
        raise NotFound("There is no such page.")
    words = _whole(message)
    person = me()
    if person is None:
        return ask_first(words, username)
    if names.fold(person.username) == names.fold(username) and _navigated():
        return _post(person, rooms.LOBBY, words, None)
    mine = names.fold(person.username) == names.fold(username)
    return room_page(person, rooms.LOBBY, draft=words, draft_for="" if mine else username)


class Words(BaseConverter):
    """The rest of an address as it is: with all its slashes and line ends, which ``path`` would stop at."""

    part_isolating = False
    regex = "(?s:.+)"
    weight = 300


class PostForm:
    """The gateway's endpoint ``POST /rooms/<room>/messages``: the usual case without a thread.

    The commit is waited for on the event loop, so that all who wait share it. Whatever needs a page (nobody signed
    in, a refusal, a cookie to renew) is Flask's, which does the same and says so: see :func:`create`.
    """

    def __init__(self, chat: Services, flask: Bridge) -> None:
        self._chat, self._flask = chat, flask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Post and send the browser back to the room."""
        sent = dict(scope["headers"])
        if sent.get(b"content-type") != b"application/x-www-form-urlencoded":
            await self._flask(scope, receive, send)
            return
        try:
            body = await asgi.body(sent, receive, config.MAX_BODY)
        except Problem as error:
            await self._flask.refuse(scope, send, error)
            return
        refused = await self._post(sent, scope["path_params"]["room"], body)
        if refused is None:
            room = f"{self._chat.config.prefix}/rooms/{quote(scope['path_params']['room'])}"
            await asgi.respond(send, 303, [(b"location", room.encode()), _NO_STORE, *asgi.SECURITY], b"")
        else:
            await self._flask.answer(scope, send, refused)

    async def _post(self, sent: dict[bytes, bytes], room: str, body: bytes) -> bytes | None:
        """Post what a form says. None if it is kept, else the form for Flask to try, and to tell of what comes of it.

        It has a client id then, whatever it had before: what is tried again here may have been kept after all.
        """
        try:
            session = await asgi.session(self._chat.identity, sent)
            if session.due:
                return body
            form = parse_qs(body.decode(), keep_blank_values=True, max_num_fields=10)
            words, client_id = form.get("message", [""])[0], form.get("client_id", [""])[0]
            if not client_id:
                client_id = secrets.token_urlsafe(12)
                body += b"&client_id=" + client_id.encode()
            draft = messages.draft(session.person, room, words, client_id, self._chat.config.prefix)
            self._chat.limits.posting(session.person.id)
            posted = await self._chat.db.submit_from_loop(messages.post_together, draft)
        except Exception as error:
            if problem(error) is None and not isinstance(error, ValueError):
                raise
            return body
        self._chat.metrics.posted(KEPT if posted.new else AGAIN)
        return None


def _post(person: Person, slug: str, words: str, client_id: str | None) -> AnyResponse:
    chat = services()
    try:
        draft = messages.draft(person, slug, words, client_id, chat.config.prefix)
        chat.limits.posting(person.id)
        posted = messages.post(chat.db, draft).result()
    except Exception as error:
        chat.metrics.posted(outcome(error))
        told = problem(error)
        if told is None or isinstance(error, NotFound):
            raise
        detail = told.detail if not isinstance(error, Conflict) else _CHANGED
        # Under its own client id it can be sent again, even if it was kept after all.
        same = client_id if isinstance(error, StorageUnavailable) else None
        response = room_page(person, slug, told.status, draft=words, error=detail, client_id=same)
        if told.retry_after is not None:
            response.headers["retry-after"] = str(told.retry_after)
        return response
    chat.metrics.posted(KEPT if posted.new else AGAIN)
    _renew()
    return redirect(url_for("rooms.show", slug=slug), 303)


def _renew() -> None:
    """Let a session that is used live on, a day at a time: written with a message, never for looking."""
    session, sent = current(), token()
    if session is not None and sent is not None and session.due:
        services().db.submit(sessions.renew, session).result()
        services().sessions.forget(sent)
        cookie.modified = True


def _navigated() -> bool:
    sent = request.headers
    # Below a prefix, other pages of this host may be anybody's: a link on one of them is not the person's own word.
    if sent.get("Sec-Fetch-Site") == "same-origin" and not _from_our_page():
        return False
    # A link in a message leaves no referrer: somebody else wrote it, so that following it is not sending.
    by_link = sent.get("Sec-Fetch-Site") == "same-origin" and "Sec-Fetch-User" in sent and "Referer" not in sent
    return (
        request.method == "GET"
        and not by_link
        and sent.get("Sec-Fetch-Site") in ("none", "same-origin")
        and sent.get("Sec-Fetch-Mode") == "navigate"
        and sent.get("Sec-Fetch-Dest", "document") == "document"
        and not any(name in sent for name in ("Sec-Purpose", "Purpose", "X-Purpose", "X-Moz"))
    )


def _from_our_page() -> bool:
    """Whether the visitor comes from below our prefix, where there is one."""
    path = "/" + request.headers.get("Referer", "").partition("://")[2].partition("/")[2]
    return not request.root_path or path.startswith(f"{request.root_path}/")


def _whole(message: str) -> str:
    """The message as it was typed: a question mark in it makes the browser send the rest as a query."""
    query = request.query_string.decode("latin-1")
    return f"{message}?{unquote(query)}" if query else message
