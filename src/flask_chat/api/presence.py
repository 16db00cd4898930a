"""Who is here, for programs and for the page's scripts."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from ..chat import rooms, signals
from ..chat.signals import Resting
from ..http.bodies import contents
from ..http.problems import Problem
from ..http.visitor import current, member, services

blueprint = Blueprint("api_presence", __name__, url_prefix="/api/presence")

MOST_NAMED = 200
"""People that can be asked for at once."""


@blueprint.get("")
def show() -> Response:
    """The states of some people, or of those in a room who are not offline."""
    person = member()
    chat = services()
    slug, listed = request.args.get("room"), request.args.get("people")
    if slug is not None:
        with chat.db.read() as connection:
            room = rooms.for_member(connection, person, slug)
            return jsonify(people=chat.presence.within(connection, room, person))
    if listed is None:
        raise Problem(400, "Ask for people=<username>,<username>, or for a room=<room>.")
    wanted = [name for name in listed.split(",") if name and "\0" not in name]
    if len(wanted) > MOST_NAMED:
        raise Problem(400, f"Ask for {MOST_NAMED} people at most.")
    return jsonify(people=chat.presence.named(wanted, person))


@blueprint.put("")
def rest() -> tuple[str, int]:
    """Say whether anybody looks at this browser; 204. It is true of the session until it says otherwise, or goes."""
    member()
    session = current()
    assert session is not None
    active = contents('{"active": false}').get("active")
    if not isinstance(active, bool):
        raise Problem(422, "active is true or false.")
    services().bus.signal(signals.encode(Resting(session.id, not active)))
    return "", 204
