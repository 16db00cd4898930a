"""Rooms for programs: making them, changing them, and which of them come first."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response, jsonify

from ..chat import favourites, overview, rooms, upkeep
from ..chat.people import Person
from ..chat.rooms import Room
from ..http.bodies import contents
from ..http.visitor import member, services

blueprint = Blueprint("api_rooms", __name__)


@blueprint.post("/api/rooms")
def create() -> Response:
    """Make a room; 201 with it."""
    person = member()
    sent = contents('{"name": "…", "kind": "public"}')
    chat = services()
    chat.limits.creating(person.id)
    made = chat.db.write(
        lambda transaction: upkeep.create(
            transaction, person, sent.get("name"), sent.get("kind", rooms.PUBLIC), sent.get("topic", "")
        )
    )
    return listed(person, made, 201)


@blueprint.get("/api/rooms/<slug>")
def show(slug: str) -> Response:
    """What a room says of itself, for everybody who may know of it; under an old address, too."""
    person = member()
    with services().db.read() as connection:
        moved = rooms.moved(connection, person, slug)
    return _room(person, slug if moved is None else moved.slug)


@blueprint.patch("/api/rooms/<slug>")
def change(slug: str) -> Response:
    """Change a room's name, topic or description, archive it or bring it back; answers with what it is now."""
    person = member()
    changes = contents('{"topic": "…"}')
    services().limits.arranging(person.id)
    after = services().db.write(lambda transaction: upkeep.change(transaction, person, slug, changes))
    return _room(person, after.slug)


@blueprint.delete("/api/rooms/<slug>/messages")
def clear(slug: str) -> Response:
    """Remove everything that was said in a room, if ``confirm`` is its name; answers with how many messages."""
    person = member()
    services().limits.arranging(person.id)
    confirmed = contents('{"confirm": "<the name of the room>"}').get("confirm")
    return jsonify(cleared=upkeep.clear(services().db, person, slug, confirmed))


@blueprint.put("/api/rooms/<slug>/favourite")
def favour(slug: str) -> tuple[str, int]:
    """Put a room among my favourites; 204."""
    person = member()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: favourites.keep(transaction, person, slug))
    return "", 204


@blueprint.delete("/api/rooms/<slug>/favourite")
def unfavour(slug: str) -> tuple[str, int]:
    """Take a room out of my favourites; 204."""
    person = member()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: favourites.drop(transaction, person, slug))
    return "", 204


@blueprint.put("/api/favourites")
def arrange() -> tuple[str, int]:
    """Say which rooms are my favourites, in their order; 204."""
    person = member()
    slugs = contents('{"rooms": ["<room>", …]}').get("rooms")
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: favourites.arrange(transaction, person, slugs))
    return "", 204


def listed(person: Person, room: Room, status: int) -> Response:
    """A room of mine as ``GET /api/rooms`` has it."""
    with services().db.read() as connection:
        found = overview.one(connection, person, room)
    return Response(msgspec.json.encode(found), status, mimetype="application/json")


def _room(person: Person, slug: str) -> Response:
    with services().db.read() as connection:
        room, inside = rooms.visible(connection, person, slug)
        title = overview.title(connection, person, room)
    return jsonify(
        slug=room.slug,
        name=title,
        kind=room.kind,
        topic=room.topic,
        description=room.description,
        archived=room.archived_at is not None,
        inside=inside,
    )
