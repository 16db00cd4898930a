"""The directory as a page: my rooms, and those that I could join. On a phone it is where one goes from room to room."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from ..chat import directory, names, overview, permissions, rooms, slugs
from ..chat.errors import NotFound
from ..chat.overview import Listed
from ..http.visitor import me, services
from .entry import ask_first
from .page import page
from .room_page import in_order, wanted

blueprint = Blueprint("directory", __name__)


@blueprint.get("/rooms")
def index() -> AnyResponse:
    """My rooms and public ones: all, or those that ``q`` asks for."""
    person = me()
    if person is None:
        return ask_first()
    query, after = request.args.get("q", "")[:200], request.args.get("after", "0")
    if not (after.isascii() and after.isdecimal() and len(after) < 10):
        raise NotFound("There is no such page.")
    words = slugs.plain(query).split()
    with services().db.read() as connection:
        listed = [] if int(after) else in_order(overview.of(connection, person))
        found = directory.page(connection, person, query, int(after), outside=True)
        creates = permissions.may(connection, person, "room.create")
    mine = [each for each in listed if all(word in slugs.plain(f"{each.name}\n{each.topic}") for word in words)]
    return page(
        "rooms/directory.html",
        query=query,
        first=not int(after),
        mine=[each for each in mine if each.kind not in (rooms.DIRECT, rooms.GROUP)],
        direct=[each for each in mine if each.kind in (rooms.DIRECT, rooms.GROUP)],
        others=found.entries,
        after=found.after,
        creates=creates,
        raised=_raised(mine),
        wanted=wanted,
        hue=names.colour,
        initials=names.initials,
    )


def _raised(mine: list[Listed]) -> set[str]:
    """The favourites that another comes before."""
    favourites = sorted((each for each in mine if each.favourite), key=lambda each: each.position or 0)
    return {each.slug for each in favourites[1:]}
