"""The directory of public rooms for programs."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from ..chat import directory
from ..http.problems import Problem
from ..http.visitor import member, services

blueprint = Blueprint("api_directory", __name__)


@blueprint.get("/api/directory")
def index() -> Response:
    """Public rooms, those that ``q`` asks for, 50 at a time; ``after`` is what the answer before says."""
    person = member()
    after = request.args.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise Problem(400, "after is a whole number.")
    with services().db.read() as connection:
        found = directory.page(connection, person, request.args.get("q", "")[:200], int(after))
    return jsonify(
        rooms=[
            {
                "slug": each.room.slug,
                "name": each.room.name,
                "topic": each.room.topic,
                "members": each.members,
                "inside": each.inside,
                "archived": each.room.archived_at is not None,
            }
            for each in found.entries
        ],
        after=found.after,
    )
