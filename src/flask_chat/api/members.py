"""Members of rooms for programs."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from ..chat import clock, members, rooms
from ..http.bodies import contents
from ..http.problems import Problem
from ..http.visitor import member, services

blueprint = Blueprint("api_members", __name__, url_prefix="/api/rooms/<slug>/members")


@blueprint.get("")
def index(slug: str) -> Response:
    """Who is in a room, 100 at a time; ``after`` is what the answer before says."""
    person = member()
    after = request.args.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise Problem(400, "after is a whole number.")
    with services().db.read() as connection:
        room, _ = rooms.visible(connection, person, slug)
        found = members.of(connection, room, int(after), members.PAGE + 1)
    shown = found[: members.PAGE]
    there = services().presence.of((each.person.id for each in shown), person)
    return jsonify(
        members=[
            {
                "username": each.person.username,
                "role": each.role,
                "since": clock.rfc3339(each.joined_at),
                "presence": there[each.person.id],
            }
            for each in shown
        ],
        after=shown[-1].person.id if len(found) > len(shown) else None,
    )


@blueprint.put("/<username>")
def put(slug: str, username: str) -> tuple[str, int]:
    """Join a room under my own name, or bring somebody else in; 204, also if they are in it already."""
    person = member()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: members.put(transaction, person, slug, username))
    return "", 204


@blueprint.patch("/<username>")
def change(slug: str, username: str) -> tuple[str, int]:
    """Hand the room over, with the role ``owner``; 204."""
    person = member()
    if contents('{"role": "owner"}').get("role") != "owner":
        raise Problem(422, "A room is handed over with the role owner.")
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: members.hand_over(transaction, person, slug, username))
    return "", 204


@blueprint.delete("/<username>")
def delete(slug: str, username: str) -> tuple[str, int]:
    """Leave a room under my own name, or put somebody else out; 204, also if they are not in it."""
    person = member()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: members.drop(transaction, person, slug, username))
    return "", 204
