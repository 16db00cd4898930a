"""How a refusal is told: its status, and for programs a problem document (RFC 9457)."""

from __future__ import annotations

from http import HTTPStatus

import msgspec

from ..chat.errors import Busy, Conflict, Forbidden, Invalid, NotFound, Refused, Taken, TooFast, TooLong, Unproven
from ..db import StorageFull, StorageUnavailable
from ..metrics import FAILED, REFUSED, TOO_FAST

CONTENT_TYPE = "application/problem+json"


class Problem(Exception):
    """A refusal on its way out. ``retry_after`` is in whole seconds."""

    def __init__(self, status: int, detail: str, retry_after: int | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.retry_after = status, detail, retry_after

    @property
    def title(self) -> str:
        """The status in words."""
        return _TITLES.get(self.status, "Refused")

    @property
    def headers(self) -> dict[str, str]:
        """The headers that go with it."""
        headers = {"content-type": CONTENT_TYPE, "cache-control": "no-store"}
        if self.retry_after is not None:
            headers["retry-after"] = str(self.retry_after)
        if self.status == HTTPStatus.UNAUTHORIZED:
            headers["www-authenticate"] = "Bearer"
        return headers

    def encode(self) -> bytes:
        """The problem document."""
        # It may name what was sent, and half a character has no encoding.
        detail = self.detail.encode(errors="replace").decode()
        return msgspec.json.encode(
            {"type": "about:blank", "title": self.title, "status": self.status, "detail": detail}
        )


def problem(error: Exception) -> Problem | None:
    """The problem that an error of ours is; None for one that is nobody's fault but ours."""
    if isinstance(error, Problem):
        return error
    if isinstance(error, TooFast):
        return Problem(429, error.reason, error.retry_after)
    for kind, status in _STATUS:
        if isinstance(error, kind):
            return Problem(status, str(error), 5 if status == HTTPStatus.SERVICE_UNAVAILABLE else None)
    return None


def outcome(error: Exception) -> str:
    """What became of a message that was not kept because of an error, as :mod:`flask_chat.metrics` counts it."""
    told = problem(error)
    if told is None or told.status >= 500:
        return FAILED
    return TOO_FAST if told.status == HTTPStatus.TOO_MANY_REQUESTS else REFUSED


def not_signed_in() -> Problem:
    """Nobody we know is asking."""
    return Problem(401, "Sign in first: send the session cookie, or a token as Authorization: Bearer.")


def from_elsewhere() -> Problem:
    """Another site is asking, through somebody's browser."""
    return Problem(403, "This request comes from another site.")


# Our own words: those of Python's http module differ between its versions.
_TITLES = {
    400: "Bad Request",
    401: "Not Signed In",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    408: "Request Timeout",
    409: "Conflict",
    413: "Content Too Large",
    415: "Unsupported Media Type",
    422: "Unprocessable Content",
    429: "Too Many Requests",
    500: "Internal Server Error",
    503: "Service Unavailable",
    507: "Insufficient Storage",
}

_STATUS: tuple[tuple[type[Exception], int], ...] = (
    (NotFound, 404),
    (Forbidden, 403),
    (Conflict, 409),
    (Taken, 409),
    (TooLong, 413),
    (Invalid, 422),
    (Unproven, 401),
    (Busy, 503),
    (Refused, 403),
    (StorageFull, 507),
    (StorageUnavailable, 503),
)
