"""A room's page."""

from __future__ import annotations

from flask import Blueprint, request
from werkzeug.wrappers import Response as AnyResponse

from ..chat.errors import NotFound
from ..http.visitor import me
from .entry import ask_first
from .room_page import room_page

blueprint = Blueprint("rooms", __name__)


@blueprint.get("/rooms/<slug>")
def show(slug: str) -> AnyResponse:
    """The room: its latest messages, or those before the one that ``before`` names."""
    person = me()
    if person is None:
        return ask_first()
    before = request.args.get("before")
    if before is not None and not (before.isascii() and before.isdecimal() and len(before) < 19):
        raise NotFound("There is no such page.")
    return room_page(person, slug, before=None if before is None else int(before))
