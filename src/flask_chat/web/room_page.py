"""The page of a room, as several handlers answer with it."""

from __future__ import annotations

import secrets

from flask import Response
from markupsafe import Markup

from .. import config
from ..chat import rooms, timelines
from ..chat.people import Person
from ..http.visitor import services
from .page import page


def room_page(
    person: Person,
    slug: str,
    status: int = 200,
    *,
    before: int | None = None,
    welcome: bool = False,
    draft: str = "",
    draft_for: str = "",
    error: str = "",
    client_id: str | None = None,
) -> Response:
    """The page of a room that ``person`` is in; ``client_id`` is that of ``draft`` if it was sent before.

    Raises :class:`NotFound`.
    """
    chat = services()
    with chat.db.read() as connection:
        room = rooms.for_member(connection, person, slug)
        if before is None:
            shown = chat.timelines.latest(connection, room)
        else:
            shown = timelines.before(connection, room, before, chat.config.prefix)
        chat.epochs.follow(connection)
    return page(
        "rooms/show.html",
        status,
        room=room,
        person=person,
        timeline=Markup(shown.html),  # noqa: S704 (made by the rendering of messages alone)
        cursor=chat.epochs.cursor(shown.through),
        earlier=shown.earlier,
        first_id=shown.first_id,
        latest=shown.latest,
        welcome=welcome,
        draft=draft,
        draft_for=draft_for,
        error=error or None,
        max_text=config.MAX_TEXT,
        client_id=client_id or secrets.token_urlsafe(12),
    )
