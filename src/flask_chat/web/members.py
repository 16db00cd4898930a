"""Members as a page: who is in a room, coming in and going."""

from __future__ import annotations

from collections.abc import Callable

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import members, overview, permissions, rooms
from ..chat.errors import NotFound, Refused
from ..chat.people import Person
from ..chat.rooms import DIRECT, GROUP, Room
from ..db import Transaction
from ..http.problems import problem
from ..http.visitor import me, services
from .entry import ask_first
from .page import page

blueprint = Blueprint("members", __name__)

Verb = Callable[[Transaction, Person, str, str], Room]


@blueprint.get("/rooms/<slug>/members")
def index(slug: str) -> AnyResponse:
    """Who is in the room."""
    person = me()
    return ask_first() if person is None else _members(person, slug)


@blueprint.post("/rooms/<slug>/members")
def add(slug: str) -> AnyResponse:
    """Bring somebody in, by their name."""
    return _do(slug, members.put)


@blueprint.post("/rooms/<slug>/members/remove")
def remove(slug: str) -> AnyResponse:
    """Put somebody out, by their name."""
    return _do(slug, members.drop)


@blueprint.post("/rooms/<slug>/members/owner")
def hand_over(slug: str) -> AnyResponse:
    """Make somebody in the room its owner, by their name."""
    return _do(slug, members.hand_over)


@blueprint.post("/rooms/<slug>/join")
def join(slug: str) -> AnyResponse:
    """Come into a public room."""
    person = me()
    if person is None:
        return ask_first()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: members.put(transaction, person, slug, person.username))
    return redirect(url_for("rooms.show", slug=slug), 303)


@blueprint.post("/rooms/<slug>/leave")
def leave(slug: str) -> AnyResponse:
    """Leave a room, and go to the list of rooms."""
    person = me()
    if person is None:
        return ask_first()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: members.drop(transaction, person, slug, person.username))
    return redirect(url_for("directory.index"), 303)


def _do(slug: str, verb: Verb) -> AnyResponse:
    person = me()
    if person is None:
        return ask_first()
    name = " ".join(request.form.get("username", "").split())
    try:
        services().limits.arranging(person.id)
        services().db.write(lambda transaction: verb(transaction, person, slug, name))
    except Refused as error:
        told = problem(error)
        assert told is not None
        try:
            return _members(person, slug, told.status, name[:200], error.reason)
        except NotFound:
            # Of the room itself nothing more is said, whoever was named.
            raise NotFound("There is no such room.") from None
    return redirect(url_for("members.index", slug=slug), 303)


def _members(person: Person, slug: str, status: int = 200, name: str = "", error: str = "") -> Response:
    after = request.args.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise NotFound("There is no such page.")
    with services().db.read() as connection:
        room, inside = rooms.visible(connection, person, slug)
        found = members.of(connection, room, int(after), members.PAGE + 1)
        shown = found[: members.PAGE]
        acts = ("member.add", "member.remove", "room.hand_over")
        adds, removes, hands_over = (permissions.may(connection, person, act, room) for act in acts)
        title = overview.title(connection, person, room)
        count = members.count(connection, room)
    conversation = room.kind in (DIRECT, GROUP)
    return page(
        "rooms/members.html",
        status,
        room=room,
        title=title,
        inside=inside,
        members=shown,
        there=services().presence.of((each.person.id for each in shown), person),
        count=count,
        after=shown[-1].person.id if len(found) > len(shown) else None,
        adds=adds and not conversation,
        removes=removes and not conversation,
        hands_over=hands_over and not conversation,
        leaves=inside and room.kind != DIRECT,
        name=name,
        error=error or None,
    )
