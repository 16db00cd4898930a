"""A room's page, and the pages on which rooms are made and changed."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import favourites, moderation, permissions, rooms, upkeep
from ..chat.errors import Forbidden, NotFound, Refused
from ..chat.people import Person
from ..chat.rooms import DIRECT, GROUP, Room
from ..db import Transaction
from ..http.problems import problem
from ..http.visitor import me, services
from .entry import ask_first
from .page import page
from .room_page import room_page

blueprint = Blueprint("rooms", __name__)

PAUSES = (
    (0, "as often as they like"),
    (10, "10 seconds"),
    (30, "30 seconds"),
    (60, "a minute"),
    (300, "5 minutes"),
    (3600, "an hour"),
)


@blueprint.get("/rooms/<slug>")
def show(slug: str) -> AnyResponse:
    """The room: its latest messages, or those before the one that ``before`` names. An old address leads to the new."""
    person = me()
    if person is None:
        return ask_first()
    before = request.args.get("before")
    if before is not None and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise NotFound("There is no such page.")
    try:
        return room_page(person, slug, before=None if before is None else int(before))
    except NotFound:
        with services().db.read() as connection:
            place = rooms.moved(connection, person, slug)
        if place is None:
            raise
    return redirect(url_for("rooms.show", slug=place.slug, before=before), 301)


@blueprint.get("/rooms/new")
def new() -> AnyResponse:
    """A page that asks what the new room is called."""
    person = me()
    if person is None:
        return ask_first()
    with services().db.read() as connection:
        permissions.require(connection, person, "room.create")
    return _new()


@blueprint.post("/rooms")
def create() -> AnyResponse:
    """Make a room and go there."""
    person = me()
    if person is None:
        return ask_first()
    chat = services()
    name, topic = request.form.get("name", ""), request.form.get("topic", "")
    kind = request.form.get("kind", rooms.PUBLIC)
    try:
        chat.limits.creating(person.id)
        made = chat.db.write(lambda transaction: upkeep.create(transaction, person, name, kind, topic))
    except Refused as error:
        return _new(_status(error), name=name[:200], topic=topic[:500], kind=kind, error=error.reason)
    return redirect(url_for("rooms.show", slug=made.slug), 303)


@blueprint.get("/rooms/<slug>/settings")
def settings(slug: str) -> AnyResponse:
    """What is said of a room, for those who may change it to change, for others to read."""
    person = me()
    return ask_first() if person is None else _settings(person, slug)


@blueprint.post("/rooms/<slug>/settings")
def change(slug: str) -> AnyResponse:
    """Change a room's name, topic and description, as far as the form says them, or whether it is archived."""
    person = me()
    if person is None:
        return ask_first()
    changes: dict[str, object] = {
        field: request.form[field] for field in ("name", "topic", "description") if field in request.form
    }
    if "archived" in request.form:
        changes["archived"] = request.form["archived"] == "yes"
    try:
        services().limits.arranging(person.id)
        after = services().db.write(lambda transaction: upkeep.change(transaction, person, slug, changes))
    except NotFound:
        raise
    except Refused as error:
        return _settings(person, slug, _status(error), changes, error.reason)
    return redirect(url_for("rooms.settings", slug=after.slug), 303)


@blueprint.post("/rooms/<slug>/quiet")
def quieten(slug: str) -> AnyResponse:
    """Slow a room down, by ``slow`` seconds between two messages of one person, and lock it or open it again."""
    person = me()
    if person is None:
        return ask_first()
    slow, locked = request.form.get("slow", ""), request.form.get("locked") == "yes"
    seconds = int(slow) if slow.isascii() and slow.isdecimal() and len(slow) < 9 else -1

    def change(transaction: Transaction) -> None:
        place, _ = rooms.visible(transaction.connection, person, slug)
        moderation.slow_down(transaction, person, place, seconds)
        moderation.lock(transaction, person, place, locked=locked)

    services().limits.arranging(person.id)
    services().db.write(change)
    return redirect(url_for("rooms.settings", slug=slug), 303)


@blueprint.post("/rooms/<slug>/clear")
def clear(slug: str) -> AnyResponse:
    """Remove everything that was said in a room, once its name was written to confirm it."""
    person = me()
    if person is None:
        return ask_first()
    try:
        services().limits.arranging(person.id)
        upkeep.clear(services().db, person, slug, request.form.get("name", ""))
    except NotFound:
        raise
    except Refused as error:
        return _settings(person, slug, _status(error), not_cleared=error.reason)
    return redirect(url_for("rooms.show", slug=slug), 303)


@blueprint.post("/rooms/<slug>/favourite")
def favourite(slug: str) -> AnyResponse:
    """Put a room among my favourites, or one of them further ``up``; without ``favourite``, take it out."""
    person = me()
    if person is None:
        return ask_first()
    wanted = request.form.get("favourite")
    verb = favourites.move_up if wanted == "up" else favourites.keep if wanted else favourites.drop
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: verb(transaction, person, slug))
    return redirect(url_for("directory.index") if wanted == "up" else url_for("rooms.show", slug=slug), 303)


def _new(status: int = 200, *, name: str = "", topic: str = "", kind: str = rooms.PUBLIC, error: str = "") -> Response:
    return page(
        "rooms/new.html",
        status,
        name=name,
        topic=topic,
        kind=kind,
        error=error or None,
        max_name=rooms.MAX_NAME,
        max_topic=upkeep.MAX_TOPIC,
    )


def _settings(
    person: Person,
    slug: str,
    status: int = 200,
    written: dict[str, object] | None = None,
    error: str = "",
    not_cleared: str = "",
) -> Response:
    with services().db.read() as connection:
        room, inside = rooms.visible(connection, person, slug)
        if room.kind in (DIRECT, GROUP):
            raise Forbidden("A conversation has no settings: it is between those who are in it.")
        changes, clears = (permissions.may(connection, person, act, room) for act in ("room.change", "room.clear"))
    return page(
        "rooms/settings.html",
        status,
        room=room,
        inside=inside,
        said=_said(room) | (written or {}),
        changes=changes,
        clears=clears,
        error=error or None,
        pauses=PAUSES
        if room.slow_seconds in dict(PAUSES)
        else (*PAUSES, (room.slow_seconds, f"{room.slow_seconds} seconds")),
        not_cleared=not_cleared or None,
        max_name=rooms.MAX_NAME,
        max_topic=upkeep.MAX_TOPIC,
        max_description=upkeep.MAX_DESCRIPTION,
    )


def _said(room: Room) -> dict[str, object]:
    return {"name": room.name, "topic": room.topic, "description": room.description}


def _status(error: Refused) -> int:
    told = problem(error)
    assert told is not None
    return told.status
