"""Editing a message without scripts."""

from __future__ import annotations

import time

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from .. import config
from ..chat import editing, messages, moderation, rooms
from ..chat.errors import Refused
from ..http.problems import problem
from ..http.visitor import me, services
from .entry import ask_first
from .page import page

blueprint = Blueprint("editing", __name__)


@blueprint.get("/rooms/<slug>/messages/<long:id>/edit")
def ask(slug: str, id: int) -> AnyResponse:
    """The form with what a message says."""
    return _form(slug, id, 200)


@blueprint.post("/rooms/<slug>/messages/<long:id>/edit")
def save(slug: str, id: int) -> AnyResponse:
    """Give a message of the visitor's other words and go back to the room."""
    person, words = me(), request.form.get("message", "")
    if person is None:
        return ask_first(words)
    chat = services()
    try:
        draft = messages.draft(person, slug, words, root=chat.config.prefix)
        chat.limits.posting(person.id)
        chat.db.write(lambda transaction: editing.edit(transaction, draft, id))
    except Refused as error:
        told = problem(error)
        if told is None or told.status == 404:
            raise
        return _form(slug, id, told.status, words, error.reason)
    return redirect(url_for("rooms.show", slug=slug), 303)


def _form(slug: str, id: int, status: int, words: str | None = None, error: str = "") -> AnyResponse:
    person = me()
    if person is None:
        return ask_first()
    with services().db.read() as connection:
        room = rooms.for_member(connection, person, slug)
        found = moderation.look(connection, person, room, id)
        if words is None or not found.mine:
            editing.require(connection, person, room, found.author_id, found.created_at, time.time_ns() // 1_000_000)
    return page(
        "messages/edit.html",
        status,
        slug=slug,
        id=id,
        text=found.text if words is None else words,
        error=error,
        max_text=config.MAX_TEXT,
    )
