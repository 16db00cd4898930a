"""The way in and out: say your name."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import unquote, urlsplit

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import names, people, rooms, sessions
from ..chat.errors import Refused, Taken
from ..chat.people import Person
from ..db import StorageUnavailable, Transaction
from ..http.origin import SAFE
from ..http.problems import problem
from ..http.visitor import browser, current, keep, kept, me, services, signed_in, signed_out
from .page import page
from .room_page import room_page

blueprint = Blueprint("entry", __name__)


@blueprint.get("/")
def ask() -> AnyResponse:
    """The form that asks for a name; who has one goes straight in."""
    person = me()
    if person is not None:
        return redirect(url_for("conversations.show", username=person.username), 303)
    return _form(200, error=_banned(), next=request.args.get("next", ""))


@blueprint.post("/")
def enter() -> AnyResponse:
    """Sign in under a name."""
    name = request.form.get("username", "")
    person = me()
    if person is None or person.username != name:
        try:
            person = sign_in(name)
        except Refused as error:
            return _refusal(error, name)
    message = request.form.get("message", "")
    if message:
        return room_page(person, rooms.LOBBY, welcome=True, draft=message)
    following = local(request.form.get("next", ""))
    if following is not None:
        return redirect(request.root_path + following, 303)
    return redirect(url_for("conversations.show", username=person.username), 303)


@blueprint.post("/sign-out")
def leave() -> AnyResponse:
    """Sign this browser out; its name stays its own."""
    session = current()
    if session is not None:
        services().db.write(lambda transaction: sessions.sign_out(transaction, session.id))
    signed_out()
    return redirect(url_for("entry.ask"), 303)


def sign_in(raw_name: str, invited: bool = False) -> Person:
    """Begin a session for this browser, in place of the one that it has.

    ``invited``: an invitation lets it in. Raises :class:`Refused`.
    """
    services().limits.joining(request.remote_addr)
    name, tokens, whence = people.check_name(raw_name), kept(), browser()
    return begin_session(
        name,
        lambda transaction, token: sessions.begin(transaction, name, tokens, token, browser=whence, invited=invited)[0],
    )


def begin_session(name: str, begin: Callable[[Transaction, str], Person]) -> Person:
    """Have ``begin`` begin a session with the token that it is given, in place of the one that this browser has."""
    before, token = current(), sessions.new_token()

    def change(transaction: Transaction) -> Person:
        person = begin(transaction, token)
        if before is not None:
            sessions.sign_out(transaction, before.id)
        return person

    try:
        person = services().db.write(change)
    except StorageUnavailable:
        # Perhaps it was kept after all: then the name is this browser's, and it must be able to prove that.
        keep(name, token)
        raise
    signed_in(person, token)
    return person


def ask_first(message: str = "", username: str = "") -> AnyResponse:
    """Send a visitor without a name to say one, and on to where they were going."""
    if message:
        return _form(200 if request.method in SAFE else 401, username=username[:200], message=message)
    here = request.full_path.rstrip("?")
    return redirect(url_for("entry.ask", next=here if request.method in SAFE else None), 303)


def _banned() -> str:
    """Why somebody is out who was in with this browser; empty if they are not banned."""
    tokens = kept()
    if not tokens:
        return ""
    with services().db.read() as connection:
        ban = sessions.banned(connection, tokens)
    return "" if ban is None else ban.words


def _refusal(error: Refused, name: str) -> Response:
    told = problem(error)
    assert told is not None
    response = _form(
        422 if told.status in (409, 413) else told.status,
        username=name[:200],
        error=error.reason,
        holder=error.holder if isinstance(error, Taken) else "",
        next=request.form.get("next", ""),
        message=request.form.get("message", ""),
    )
    if told.retry_after is not None:
        response.headers["retry-after"] = str(told.retry_after)
    return response


def _form(
    status: int, username: str = "", error: str = "", next: str = "", message: str = "", holder: str = ""
) -> Response:
    return page(
        "join.html",
        status,
        username=username,
        error=error or None,
        holder=holder,
        next=local(next) or "",
        message=message,
    )


def local(address: str) -> str | None:
    """A page of this chat, as an address from where it begins; None for anything that a browser could take elsewhere.

    Nor an address that would send a message: another site may have chosen it.
    """
    try:
        parts = urlsplit(address)
    except ValueError:
        return None
    plain = not parts.scheme and not parts.netloc and address.startswith("/") and not address.startswith("//")
    if not plain or "\\" in address or not address.isprintable():
        return None
    first, *rest = unquote(parts.path[1:]).split("/")
    # A browser removes dot segments, and what then comes first was not looked at.
    if "." in rest or ".." in (first, *rest):
        return None
    # Of an escaped slash at the beginning a proxy may make a plain one, which leads to another host.
    return address if parts.path == "/" or names.is_reserved(first) else None
