"""Who is asking: from the session cookie or a bearer token."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import timedelta
from typing import Any

from flask import Flask, Request, request
from flask.sessions import SecureCookieSession, SecureCookieSessionInterface
from itsdangerous import BadSignature, URLSafeTimedSerializer
from werkzeug.http import dump_cookie

from .. import config
from ..chat.sessions import Directory, Session

COOKIE = "flask_chat"
"""The name of the session cookie."""

TOKEN, KEPT = "token", "kept"
"""In the cookie: the session's token; the last token of each name that this browser took."""

REMEMBERED = 10_000


class CookieSessions(SecureCookieSessionInterface):
    """Flask's signed cookie, without an age of its own.

    How long a session lives is decided by the database. Flask's own check would sign everybody out who came within
    the last hour when the server's clock is set back by one.
    """

    def open_session(self, app: Flask, request: Request) -> SecureCookieSession:
        """The cookie's contents, or an empty session if there is none that we signed."""
        found: Identity = app.extensions["flask_chat"].identity
        return self.session_class(found.contents(request.cookies.get(COOKIE)))

    def get_cookie_secure(self, app: Flask) -> bool:
        """Under TLS the cookie is for TLS alone."""
        return request.is_secure


class Identity:
    """Finds the session of a request, for the gateway and for Flask alike."""

    def __init__(self, serializer: URLSafeTimedSerializer, sessions: Directory) -> None:
        self._serializer = serializer
        self._sessions = sessions
        # Cookies whose signature was found good: checking one costs as much as a tenth of a page.
        self._opened: dict[str, dict[str, Any]] = {}

    def bearer(self, headers: Mapping[bytes, bytes]) -> str | None:
        """The token that a program sends. Other schemes are for a proxy in front of us (RFC 6750, 2.1)."""
        scheme, _, credentials = headers.get(b"authorization", b"").decode("latin-1").partition(" ")
        return credentials.strip() or None if scheme.lower() == "bearer" else None

    def token(self, headers: Mapping[bytes, bytes]) -> str | None:
        """The session token that a request carries, whether or not it is good for anything."""
        return self.bearer(headers) or self.cookie_token(headers)

    def cookie_token(self, headers: Mapping[bytes, bytes]) -> str | None:
        """The token in the session cookie, whether or not it is good for anything."""
        token = self.contents(_cookie(headers)).get(TOKEN)
        return token if isinstance(token, str) else None

    def contents(self, cookie: str | None) -> dict[str, Any]:
        """What a session cookie says; nothing if it is not signed by us."""
        if cookie is None:
            return {}
        found = self._opened.get(cookie)
        if found is None:
            try:
                found = self._serializer.loads(cookie)
            except BadSignature:
                return {}
            if not isinstance(found, dict):
                return {}
            if len(self._opened) >= REMEMBERED:
                self._opened.clear()
            self._opened[cookie] = found
        return found

    def cookie_again(self, headers: Mapping[bytes, bytes], *, path: str, secure: bool) -> str:
        """A ``Set-Cookie`` that lets the browser keep the cookie it sent for another full time."""
        return dump_cookie(
            COOKIE,
            self._serializer.dumps(self.contents(_cookie(headers))),
            max_age=timedelta(days=config.SESSION_DAYS),
            path=path,
            httponly=True,
            samesite="Lax",
            secure=secure,
        )

    def known(self, token: str) -> Session | None:
        """The session of a token if that can be said without waiting for the database."""
        return self._sessions.known(token)

    def find(self, token: str) -> Session | None:
        """The session of a token, or None."""
        return self._sessions.find(token)


def _cookie(headers: Mapping[bytes, bytes]) -> str | None:
    for pair in headers.get(b"cookie", b"").decode("latin-1").split(";"):
        name, _, value = pair.partition("=")
        if name.strip() == COOKIE:
            return value.strip().strip('"')
    return None
