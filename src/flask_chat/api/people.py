"""People for programs: who they are, what they say of themselves, and whether they are there."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime

import msgspec
from flask import Blueprint, Response, jsonify, request

from ..chat import people, profiles, renaming
from ..chat.errors import Forbidden, Invalid
from ..chat.people import Person
from ..db import Transaction
from ..http import bodies
from ..http.visitor import member, services

blueprint = Blueprint("api_people", __name__, url_prefix="/api/people")


@blueprint.get("")
def index() -> Response:
    """People whose name has ``q`` in it, up to 20; ``after`` is the last name of the answer before."""
    person = member()
    words, after = request.args.get("q", ""), request.args.get("after", "")
    with services().db.read() as connection:
        found = profiles.search(connection, words, after)
    there = services().presence.of([each.person.id for each in found], person)
    return jsonify(
        people=[
            {
                "username": each.person.username,
                "display_name": each.display_name,
                "presence": there[each.person.id],
            }
            for each in found
        ]
    )


@blueprint.get("/<username>")
def show(username: str) -> Response:
    """Somebody's profile; one who has another name by now is told of under that."""
    person = member()
    with services().db.read() as connection:
        found = people.find(connection, username)
        said = profiles.of(connection, found.id)
    return _card(person, found, said)


@blueprint.patch("/<username>")
def change(username: str) -> Response:
    """Change my profile, and with ``username`` my name; answers with what it is now."""
    person = member()
    contents = bodies.contents('what is to be changed: {"status": "…"}')
    chat = services()
    with chat.db.read() as connection:
        found = people.find(connection, username)
    if found.id != person.id:
        raise Forbidden("Only they themselves change that.")
    chat.limits.changing(person.id)
    renamed = contents.pop("username", None)
    if renamed is not None and not isinstance(renamed, str):
        raise Invalid("A name must be a text.")
    changes = _times(contents)

    def write(transaction: Transaction) -> tuple[Person, profiles.Profile]:
        called = found if renamed is None else renaming.rename(transaction, found, renamed)
        return called, profiles.change(transaction, called, changes)

    return _card(person, *chat.db.write(write))


def _card(viewer: Person, person: Person, said: profiles.Profile) -> Response:
    card = profiles.card(person, said, services().presence.of([person.id], viewer)[person.id])
    return Response(msgspec.json.encode(card), mimetype="application/json")


def _times(contents: Mapping[str, object]) -> dict[str, object]:
    """Times as the house counts them."""
    until = contents.get("status_until")
    if until is None:
        return dict(contents)
    try:
        moment = datetime.fromisoformat(until if isinstance(until, str) else "")
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise Invalid("status_until is a time like 2026-11-23T18:00:00Z.")
    return {**contents, "status_until": round(moment.timestamp() * 1000)}
