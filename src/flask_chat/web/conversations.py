"""Conversations as pages: my chat, and what I say to somebody alone."""

from __future__ import annotations

import secrets

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from .. import config
from ..chat import conversations, names, overview, people, rooms
from ..chat.errors import Refused
from ..chat.people import Person
from ..db import StorageFull, StorageUnavailable
from ..http.problems import problem
from ..http.visitor import me, services
from ..metrics import KEPT
from .entry import ask_first
from .page import page
from .room_page import room_page

blueprint = Blueprint("conversations", __name__)


@blueprint.get("/chat/<username>")
def show(username: str) -> AnyResponse:
    """Mine: the lobby, or the room I was in last. Another's: what we say to each other, or a place to begin it."""
    person = me()
    if person is None:
        return ask_first()
    if person.username == username:
        return _mine(person)
    if names.fold(person.username) == names.fold(username):
        return redirect(url_for("conversations.show", username=person.username), 303)
    with services().db.read() as connection:
        other = people.find(connection, username)
        found = None if other.id == person.id else conversations.with_one(connection, person, other)
    if other.username != username:
        return redirect(url_for("conversations.show", username=other.username), 303)
    return _new([other.username], given=True) if found is None else room_page(person, found.slug)


@blueprint.get("/conversations/new")
def new() -> AnyResponse:
    """A page that asks with whom to talk."""
    return ask_first() if me() is None else _new([])


@blueprint.post("/conversations")
def create() -> AnyResponse:
    """Say the first thing to somebody, or to a few, and go to the conversation."""
    person = me()
    words = request.form.get("message", "")
    if person is None:
        return ask_first(words)
    chat = services()
    wanted = [name for field in request.form.getlist("with") for each in field.split(",") if (name := each.strip())]
    client_id = request.form.get("client_id") or None
    try:
        chat.limits.arranging(person.id)
        chat.limits.posting(person.id)
        begun = chat.db.write(
            lambda transaction: conversations.say(transaction, person, wanted, words, client_id, chat.config.prefix)
        )
    except (Refused, StorageFull, StorageUnavailable) as error:
        told = problem(error)
        assert told is not None
        # Under its own client id it can be sent again, even if it was kept after all.
        same = client_id if isinstance(error, StorageUnavailable) else None
        return _new(wanted, told.status, words, told.detail, client_id=same)
    chat.metrics.posted(KEPT)
    return redirect(url_for("rooms.show", slug=begun.room.slug), 303)


def _mine(person: Person) -> AnyResponse:
    with services().db.read() as connection:
        listed = overview.of(connection, person)
    slugs = [each.slug for each in listed]
    if not slugs:
        return redirect(url_for("directory.index"), 303)
    return room_page(person, rooms.LOBBY if rooms.LOBBY in slugs else slugs[0], welcome=True)


def _new(
    wanted: list[str],
    status: int = 200,
    draft: str = "",
    error: str = "",
    *,
    given: bool = False,
    client_id: str | None = None,
) -> Response:
    return page(
        "conversations/new.html",
        status,
        wanted=wanted,
        given=given,
        draft=draft,
        error=error or None,
        max_text=config.MAX_TEXT,
        most=conversations.MOST,
        client_id=client_id or secrets.token_urlsafe(12),
    )
