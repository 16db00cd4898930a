"""How every page is made: its template, its policy, what all pages know."""

from __future__ import annotations

import zlib
from typing import Any

from flask import Response, make_response, render_template, request

from ..chat.people import Person
from ..chat.settings import DEFAULTS, Settings
from ..http import headers
from ..http.visitor import known, me, services

LEVEL = 1
"""Of zlib's levels the fastest: a page has a hundred bytes more for it, and a small machine ten times the pages."""

GZIP = 31
"""zlib's window bits for the largest window, in gzip's wrapper."""


def page(template: str, code: int = 200, **context: Any) -> Response:
    """A page from a template, with a nonce for its scripts."""
    return _made(template, code, services().settings.get(), me(), context)


def remembered_page(template: str, code: int, **context: Any) -> Response:
    """As :func:`page`, from what is known without the database."""
    return _made(template, code, services().settings.known or DEFAULTS, known(), context)


def _made(template: str, code: int, chosen: Settings, person: Person | None, context: dict[str, Any]) -> Response:
    chat = services()
    nonce = headers.nonce()
    response = make_response(
        render_template(
            template,
            chat_name=chosen.name or chat.config.name,
            accent=chosen.accent,
            joining=chosen.joining,
            throwaway=chat.throwaway,
            root=chat.config.prefix,
            asset=chat.assets.url,
            nonce=nonce,
            me=person,
            **context,
        ),
        code,
    )
    _pack(response)
    response.headers["content-security-policy"] = headers.policy(nonce)
    response.headers["cache-control"] = headers.PRIVATE
    return response


def _pack(response: Response) -> None:
    """Compress for a browser that can unpack it. The secret in a page, its nonce, is new for every answer (BREACH)."""
    response.vary.add("Accept-Encoding")
    if "gzip" in request.headers.get("Accept-Encoding", ""):
        packer = zlib.compressobj(LEVEL, zlib.DEFLATED, GZIP)
        response.set_data(packer.compress(response.get_data()) + packer.flush())
        response.headers["content-encoding"] = "gzip"
