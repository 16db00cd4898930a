"""What the gateway's endpoints share: reading a request, refusing it, answering it."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence

import msgspec
from starlette.types import Receive, Scope, Send

from ..chat import sessions
from ..chat.errors import Forbidden
from ..chat.people import APPLICANT
from ..chat.permissions import WAITING
from ..chat.sessions import Session
from . import headers as security
from . import origin, problems
from .identity import Identity
from .problems import Problem
from .services import Services

Headers = Mapping[bytes, bytes]

SECURITY = [(name.encode(), value.encode()) for name, value in security.EVERYWHERE.items()]
# No page: what guards pages (framing, referrers, permissions) has nothing to guard here, and this is the hot path.
_JSON = [
    (b"content-type", b"application/json"),
    (b"cache-control", security.PRIVATE.encode()),
    (b"x-content-type-options", b"nosniff"),
]


_NOTHING = [(b"cache-control", security.PRIVATE.encode()), *SECURITY]

BODY_WITHIN = 20.0
"""Seconds that a client may take to send a request's body."""


class Gone(Exception):
    """The client went away before it had sent its request."""


async def session(identity: Identity, headers: Headers, *, safe: bool = False) -> Session:
    """The session that asks. Raises a 401 problem, or 403 for what another site sends with its cookie.

    Who has not been let in yet is refused too.
    """
    bearer = identity.bearer(headers)
    if bearer is None and foreign(headers, safe=safe):
        raise problems.from_elsewhere()
    token = identity.token(headers)
    found = None
    if token is not None:
        found = identity.known(token) or await asyncio.to_thread(identity.find, token)
    if found is None:
        raise problems.not_signed_in()
    if found.person.role == APPLICANT:
        raise Forbidden(WAITING)
    return found


def foreign(headers: Headers, *, safe: bool) -> bool:
    """Whether another origin asks. A safe request may come by a link from anywhere: it only must not be a script's."""
    site = headers.get(b"sec-fetch-site")
    if safe and site is None and b"origin" not in headers:
        return False
    if safe and headers.get(b"sec-fetch-mode") == b"navigate" and headers.get(b"sec-fetch-dest") == b"document":
        return False
    return origin.foreign(_text(site), _text(headers.get(b"origin")), _text(headers.get(b"host")))


async def body(headers: Headers, receive: Receive, most: int) -> bytes:
    """The request's body. Raises a 413 problem as soon as it is more than ``most`` bytes, having kept no more."""
    length = headers.get(b"content-length", b"0")
    if not length.isdigit() or int(length) > most:
        raise Problem(413, "That is more than this chat takes at once.")
    parts: list[bytes] = []
    size = 0
    more = True
    try:
        async with asyncio.timeout(BODY_WITHIN):
            while more:
                message = await receive()
                if message["type"] == "http.disconnect":
                    raise Gone
                part = message.get("body", b"")
                size += len(part)
                if size > most:
                    raise Problem(413, "That is more than this chat takes at once.")
                parts.append(part)
                more = message.get("more_body", False)
    except TimeoutError:
        raise Problem(408, "The rest of this request did not come.") from None
    return b"".join(parts)


def contents(headers: Headers, body: bytes, example: str) -> dict[str, object]:
    """The JSON object in a request's body; ``example`` says what it looks like. Raises a 415 or a 400 problem."""
    if headers.get(b"content-type", b"").partition(b";")[0].strip().lower() != b"application/json":
        raise Problem(415, "Send JSON, with Content-Type: application/json.")
    try:
        sent = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Problem(400, "This is not JSON.") from None
    if not isinstance(sent, dict):
        raise Problem(400, f"Send {example}.")
    return sent


async def nothing(send: Send) -> None:
    """Answer that it is done, and that there is nothing to say."""
    await send({"type": "http.response.start", "status": 204, "headers": _NOTHING})
    await send({"type": "http.response.body", "body": b""})


async def json(send: Send, status: int, body: bytes, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Answer with JSON that is encoded already."""
    await respond(send, status, [*_JSON, *more] if more else _JSON, body)


async def renew(chat: Services, session: Session, scope: Scope) -> list[tuple[bytes, bytes]]:
    """Let a session live on; returns the header by which its browser does, if it came by cookie."""
    headers = dict(scope["headers"])
    await chat.db.submit_from_loop(sessions.renew, session)
    sent = chat.identity.token(headers)
    if sent is not None:
        chat.sessions.forget(sent)
    if chat.identity.bearer(headers) is not None:
        return []
    secure = scope.get("scheme") == "https"
    cookie = chat.identity.cookie_again(headers, path=chat.config.prefix or "/", secure=secure)
    return [(b"set-cookie", cookie.encode("latin-1"))]


async def refuse(send: Send, error: Exception, more: Sequence[tuple[bytes, bytes]] = ()) -> None:
    """Answer with the problem that an error of ours is, and ``more`` headers; raise any other error again."""
    told = problems.problem(error)
    if told is None:
        raise error
    listed = [(name.encode(), value.encode()) for name, value in told.headers.items()]
    await respond(send, told.status, [*listed, *SECURITY, *more], told.encode())


async def respond(send: Send, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
    """Answer whole."""
    length = (b"content-length", b"%d" % len(body))
    await send({"type": "http.response.start", "status": status, "headers": [*headers, length]})
    await send({"type": "http.response.body", "body": body})


def _text(value: bytes | None) -> str | None:
    return None if value is None else value.decode("latin-1")
