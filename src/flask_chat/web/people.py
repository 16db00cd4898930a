"""People's pages: my own is the chat, another's says who they are."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import clock, messages, names, people, rooms
from ..http.visitor import me, services
from .entry import ask_first
from .page import page
from .room_page import room_page

blueprint = Blueprint("people", __name__)


@blueprint.get("/chat/<username>")
def show(username: str) -> AnyResponse:
    """Mine: the chat. Another's: their profile."""
    person = me()
    if person is None:
        return ask_first()
    if person.username == username:
        return room_page(person, rooms.LOBBY, welcome=True)
    if names.fold(person.username) == names.fold(username):
        return redirect(url_for("people.show", username=person.username), 303)
    with services().db.read() as connection:
        found = people.find(connection, username)
        sent = messages.count_by(connection, found)
    since = clock.local(found.created_at)
    return page(
        "people/show.html",
        person=found,
        since={"date": since.date().isoformat(), "label": clock.date(since)},
        messages=sent,
    )
