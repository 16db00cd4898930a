"""What can be done with a message, and blocking somebody, without scripts."""

from __future__ import annotations

import time

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import blocks, editing, moderation, people, reports, rooms
from ..chat.errors import Refused
from ..db import Transaction
from ..http.problems import problem
from ..http.visitor import me, services
from .entry import ask_first
from .page import page

blueprint = Blueprint("reports", __name__)


@blueprint.get("/rooms/<slug>/messages/<long:id>/report")
def ask(slug: str, id: int) -> AnyResponse:
    """What the visitor can do with a message: edit it, delete it, say what is wrong with it."""
    return _form(slug, id, 200)


@blueprint.post("/rooms/<slug>/messages/<long:id>/report")
def create(slug: str, id: int) -> AnyResponse:
    """Report a message to the moderators."""
    person = me()
    if person is None:
        return ask_first()
    chat, reason = services(), request.form.get("reason", "")

    def change(transaction: Transaction) -> None:
        room = rooms.for_member(transaction.connection, person, slug)
        reports.file(transaction, person, room, id, reason)

    try:
        chat.limits.reporting(person.id)
        chat.db.write(change)
    except Refused as error:
        told = problem(error)
        if told is None or told.status == 404:
            raise
        return _form(slug, id, told.status, error.reason)
    return page("reports/done.html", slug=slug, id=id)


@blueprint.post("/rooms/<slug>/messages/<long:id>/delete")
def delete(slug: str, id: int) -> AnyResponse:
    """Delete a message, one's own or as who keeps order there, and go back to the room."""
    person = me()
    if person is None:
        return ask_first()

    def change(transaction: Transaction) -> None:
        room, _ = rooms.visible(transaction.connection, person, slug)
        moderation.delete_message(transaction, person, room, id)

    services().db.write(change)
    return redirect(url_for("rooms.show", slug=slug), 303)


@blueprint.post("/people/<username>/block")
def block(username: str) -> AnyResponse:
    """Hear somebody no more."""
    return _block(username, blocked=True)


@blueprint.post("/people/<username>/unblock")
def unblock(username: str) -> AnyResponse:
    """Hear somebody again."""
    return _block(username, blocked=False)


def _block(username: str, *, blocked: bool) -> AnyResponse:
    person = me()
    if person is None:
        return ask_first()
    services().limits.arranging(person.id)

    def change(transaction: Transaction) -> str:
        other = people.find(transaction.connection, username)
        (blocks.add if blocked else blocks.remove)(transaction, person, other)
        return other.username

    name = services().db.write(change)
    return redirect(url_for("people.show", username=name), 303)


def _form(slug: str, id: int, status: int, error: str = "") -> AnyResponse:
    person = me()
    if person is None:
        return ask_first()
    with services().db.read() as connection:
        room = rooms.for_member(connection, person, slug)
        found = moderation.look(connection, person, room, id)
        now = time.time_ns() // 1_000_000
        editable = editing.may(connection, person, room, found.author_id, found.created_at, now)
    return page(
        "reports/ask.html",
        status,
        slug=slug,
        id=id,
        author=found.author,
        text=found.text,
        mine=found.mine,
        edits=editable,
        deletes=found.deletable,
        reason=request.form.get("reason", "")[:1000],
        error=error,
        most=moderation.MAX_REASON,
    )
