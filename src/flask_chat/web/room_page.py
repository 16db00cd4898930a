"""The page of a room, as several handlers answer with it."""

from __future__ import annotations

import secrets
import time
from functools import partial

from flask import Response
from markupsafe import Markup
from sqlalchemy import Connection

from .. import config
from ..chat import blocks, names, overview, permissions, rendering, rooms, timelines
from ..chat.errors import Forbidden
from ..chat.overview import Listed
from ..chat.people import MODERATOR, Person
from ..chat.restrictions import Gate
from ..chat.settings import Settings
from ..http.assets import Assets
from ..http.visitor import services
from .page import page

MOST_SHOWN = 200
"""People beside whose names the sidebar says whether they are there."""


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
    """The page of a room that ``person`` may know of; ``client_id`` is that of ``draft`` if it was sent before.

    Who is outside a public room reads it there and is asked to join. Raises :class:`NotFound`.
    """
    chat = services()
    chosen = chat.settings.get()
    with chat.db.read() as connection:
        room, inside = rooms.visible(connection, person, slug)
        if before is None:
            shown = chat.timelines.latest(connection, room)
        else:
            shown = timelines.before(connection, room, before, chat.config.prefix)
        chat.epochs.follow(connection)
        listed = in_order(overview.of(connection, person))
        here = next((each for each in listed if each.slug == room.slug), None)
        # Who came in between two of these looks is inside the next time.
        inside = inside and here is not None
        title = room.name if here is None else here.name
        blocked = blocks.of(connection, person)
        closed = _closed(connection, person, room, inside)
    talked_with = [each.person for each in listed if each.person][:MOST_SHOWN]
    return page(
        "rooms/show.html",
        status,
        head=partial(_head, chat.assets, inside and shown.latest),
        room=room,
        title=title,
        here=here,
        inside=inside,
        closed=closed,
        groups=_groups(listed),
        wanted=wanted,
        presence=chat.presence.named(talked_with, person) if talked_with else {},
        hue=names.colour,
        initials=names.initials,
        person=person,
        moderates=permissions.RANKS.index(person.role) >= permissions.RANKS.index(MODERATOR),
        edits=_edits(chosen) if inside and not closed else "",
        deletes=permissions.offered(person, "message.delete", chosen, here.role if here else None),
        blocked=blocked,
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


def in_order(listed: list[Listed]) -> list[Listed]:
    """Rooms as the sidebar has them: what is new first, then favourites in their order, then the most recent."""
    # Sorting is stable, and they come most recent first.
    return sorted(listed, key=lambda each: (not wanted(each), not each.favourite, each.position or 0))


def wanted(room: Listed) -> bool:
    """Whether something is new in a room that its member wants to know of."""
    if room.mentions and room.notify != "none":
        return True
    return bool(room.unread) and room.notify == "all" and not room.muted


def _groups(listed: list[Listed]) -> list[tuple[str, str, list[Listed]]]:
    direct = [each for each in listed if each.kind in (rooms.DIRECT, rooms.GROUP)]
    return [
        ("rooms", "Rooms", [each for each in listed if each.kind not in (rooms.DIRECT, rooms.GROUP)]),
        ("direct", "Direct messages", direct),
    ]


def _head(assets: Assets, framed: bool, nonce: str) -> Markup:
    """What the page fetches with it: long, and the same for everybody but for the nonce."""
    made = assets.lists.get(("room", framed))
    if made is None:
        made = rendering.template("rooms/_head.html").render(asset=assets.url, framed=framed, nonce=rendering.BLANK)
        assets.lists["room", framed] = made
    return Markup(made.replace(rendering.BLANK, nonce))  # noqa: S704 (of a template of its own)


def _edits(chosen: Settings) -> str:
    """For how many minutes, or that always, people may edit what they sent; empty if not at all."""
    return "always" if chosen.edit_minutes is None else str(chosen.edit_minutes or "")


def _closed(connection: Connection, person: Person, room: rooms.Room, inside: bool) -> str:
    """Why somebody who reads a room cannot write there; empty if they can, or could after joining.

    Slow mode closes nothing: a text may be written while one waits.
    """
    if not inside and room.archived_at is None:
        return ""
    refused = Gate(connection, time.time_ns() // 1_000_000).refuse(person, room)
    return refused.reason if isinstance(refused, Forbidden) else ""
