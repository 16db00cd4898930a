"""The visitor of a page: who they are, for handlers that Flask runs."""

from __future__ import annotations

from typing import cast

from flask import current_app, g, request, session

from ..chat import browsers
from ..chat.browsers import Browser
from ..chat.people import Person
from ..chat.sessions import Session
from . import identity, origin, problems, wsgi
from .services import Services

MOST_KEPT = 12
"""Names that a browser can hold on to: as many as a cookie has room for."""


def services() -> Services:
    """The running chat."""
    return cast(Services, current_app.extensions["flask_chat"])


def current() -> Session | None:
    """The visitor's session, or None."""
    if "session" not in g:
        g.session = _find()
    return cast("Session | None", g.session)


def me() -> Person | None:
    """The visitor, or None if nobody is signed in."""
    found = current()
    return None if found is None else found.person


def known() -> Person | None:
    """The visitor, or None if the database would have to be asked who it is."""
    sent = token()
    found = services().identity.known(sent) if sent else None
    return None if found is None else found.person


def member() -> Person:
    """The visitor. Raises a 401 problem if nobody is signed in."""
    person = me()
    if person is None:
        raise problems.not_signed_in()
    return person


def browser() -> Browser:
    """What the visitor's browser says of itself, and where it comes from."""
    return Browser(browsers.device(request.headers.get("User-Agent", "")), request.remote_addr)


def kept() -> list[str]:
    """The tokens by which this browser can prove which names are its own."""
    return [token for _, token in _kept()]


def signed_in(person: Person, token: str) -> None:
    """Remember a session in the browser, beside those under its other names."""
    before = [pair for pair in _kept() if pair[0] != person.username]
    session.clear()
    session.permanent = True
    session[identity.TOKEN] = token
    session[identity.KEPT] = [*before[1 - MOST_KEPT :], [person.username, token]]
    g.pop("session", None)


def keep(name: str, token: str) -> None:
    """Remember a token that may prove a name to be this browser's, and change nothing else."""
    session.permanent = True
    session[identity.KEPT] = [*_kept()[1 - MOST_KEPT :], [name, token]]


def signed_out() -> None:
    """Forget the session, but not that the name is this browser's."""
    session.pop(identity.TOKEN, None)
    g.pop("session", None)


def refuse_too_large() -> None:
    """Tell of a body that was too large to be taken."""
    refused = request.environ.get(wsgi.REFUSED)
    if refused is not None:
        raise refused


def refuse_other_origins() -> None:
    """Refuse what another site has somebody's browser send."""
    if request.method not in origin.SAFE and origin.foreign(
        request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin"), request.host
    ):
        raise problems.from_elsewhere()


def token() -> str | None:
    """The session token that the visitor sends, as a bearer or in the cookie."""
    bearer = services().identity.bearer({b"authorization": request.headers.get("Authorization", "").encode("latin-1")})
    return bearer or session.get(identity.TOKEN)


def _find() -> Session | None:
    sent = token()
    return None if sent is None else services().identity.find(sent)


def _kept() -> list[list[str]]:
    """Pairs of name and token, the longest ago first. A list: the order of a dict is lost in a cookie."""
    return [pair for pair in session.get(identity.KEPT, []) if isinstance(pair, list) and len(pair) == 2]
