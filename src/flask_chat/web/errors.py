"""Errors as a person meets them: a page in plain words; as a program does: a problem document."""

from __future__ import annotations

import secrets
from http import HTTPStatus
from urllib.parse import quote

import structlog
from flask import Flask, Response, request
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import HTTPException, MethodNotAllowed

from .. import config
from ..db import StorageUnavailable
from ..http.problems import Problem, problem
from .page import page, remembered_page

log = structlog.get_logger("flask_chat.web")


def register(app: Flask) -> None:
    """Answer every error of ``app`` in its visitor's form."""
    app.register_error_handler(Exception, _answer)


def _answer(error: Exception) -> Response:
    told = problem(error) or _foreign(error)
    if told is None:
        log.error("request.failed", route=str(request.url_rule), exc_info=error)
        told = Problem(500, "Something went wrong here. It has been written down for the one who runs this chat.")
    if request.path.startswith("/api/"):
        return _allowing(Response(told.encode(), told.status, headers=told.headers), error)
    response = _page(told)
    if told.retry_after is not None:
        response.headers["retry-after"] = str(told.retry_after)
    return _allowing(response, error)


def _page(told: Problem) -> Response:
    """The page that says so. What could not be kept just now is on it, to be sent once more."""
    later = told.status in (HTTPStatus.SERVICE_UNAVAILABLE, HTTPStatus.INSUFFICIENT_STORAGE)
    form = _form() if later and request.method == "POST" else MultiDict[str, str]()
    words = form.get("message", "")
    repeated = [(name, value) for name in _REPEATED for value in form.getlist(name)]
    client_id = next(filter(None, form.getlist("client_id")), None) or secrets.token_urlsafe(12)
    context = {
        "status": told.status,
        "title": told.title,
        "detail": told.detail,
        "here": _here(),
        "again": later and request.method == "GET",
        "words": words,
        "repeated": [*repeated, ("client_id", client_id)],
        "max_text": config.MAX_TEXT,
    }
    template = "errors/unsent.html" if words else "errors/error.html"
    if told.status == HTTPStatus.SERVICE_UNAVAILABLE:
        return remembered_page(template, told.status, **context)
    try:
        return page(template, told.status, **context)
    except StorageUnavailable:
        return remembered_page(template, told.status, **context)


_REPEATED = ("with", "username", "next")
"""What a form says beside a message that is sent once more: to whom, or as whom. Never a password."""


def _form() -> MultiDict[str, str]:
    try:
        return request.form
    except HTTPException:
        return MultiDict()


def _here() -> str:
    """The address that was asked for, below where the chat begins."""
    query = request.query_string.decode("latin-1")
    return quote(request.path) + (f"?{query}" if query else "")


def _allowing(response: Response, error: Exception) -> Response:
    """Say what is allowed where a method is not (RFC 9110, 15.5.6)."""
    if isinstance(error, MethodNotAllowed) and error.valid_methods:
        response.headers["allow"] = ", ".join(sorted(error.valid_methods))
    return response


def _foreign(error: Exception) -> Problem | None:
    """What Flask and Werkzeug refuse by themselves, in our words."""
    if not isinstance(error, HTTPException) or error.code is None or error.code >= 500:
        return None
    return Problem(error.code, _WORDS.get(error.code, HTTPStatus(error.code).description or str(error.description)))


_WORDS = {
    400: "This request could not be understood.",
    404: "There is no such page.",
    405: "This page does not do that.",
    413: "That is more than this chat takes at once.",
}
