"""A name for each request, by which its traces are found again in the logs of every process that had to do with it."""

from __future__ import annotations

import itertools
import re
import secrets
from collections.abc import Callable, Iterable

from starlette.types import Scope

KEY = "flask_chat.request_id"
"""Where a request's scope has its name."""

HEADER = b"x-request-id"


def maker() -> Callable[[], str]:
    """Makes names: a part that is this process's by chance, and a number."""
    numbers = itertools.count(1)
    prefix = secrets.token_hex(4)
    return lambda: f"{prefix}-{next(numbers):x}"


def given(headers: Iterable[tuple[bytes, bytes]]) -> str | None:
    """The name that a proxy gave a request, if it is one that can be written down as it is."""
    for name, value in headers:
        if name == HEADER:
            return value.decode() if _FORM.fullmatch(value) else None
    return None


def told(scope: Scope) -> tuple[bytes, bytes]:
    """The header that tells a client the name of its request."""
    return HEADER, scope[KEY].encode()


_FORM = re.compile(rb"[A-Za-z0-9_-]{1,64}")
