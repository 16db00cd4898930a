"""The directory: the rooms that somebody could be in."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select

from ..db.lists import among
from . import rooms, slugs
from .memberships import membership
from .people import Person
from .rooms import PUBLIC, Room, room

PAGE = 50
"""Rooms on one page."""

MOST_LOOKED_AT = 1_000
"""Rooms that one page looks through; beyond them the next page goes on."""


@dataclass(frozen=True, slots=True)
class Entry:
    """A room in the directory: how many are in it, and whether the one who looks is."""

    room: Room
    members: int
    inside: bool


@dataclass(frozen=True, slots=True)
class Page:
    """Some of the directory. ``after`` is where the next page begins, None on the last."""

    entries: list[Entry]
    after: int | None


def page(connection: Connection, viewer: Person, query: str = "", after: int = 0, *, outside: bool = False) -> Page:
    """The public rooms whose name or topic has all words of ``query``, from the oldest on.

    Case and accents do not count. Archived ones come up only when they are searched for. ``outside``: only those that
    ``viewer`` is not in. ``after`` is what the page before said.
    """
    words = slugs.plain(query).split()
    parameters = {"person_id": viewer.id, "after": after, "most": MOST_LOOKED_AT + 1}
    rows = connection.execute(_PUBLIC, parameters).all()
    found: list[tuple[Room, bool]] = []
    last = after
    for row in rows[:MOST_LOOKED_AT]:
        if len(found) == PAGE:
            break
        place, inside = rooms.from_row(row[:-1]), row[-1] is not None
        last = place.id
        if not (outside and inside) and _fits(place, words):
            found.append((place, inside))
    more = bool(rows) and rows[-1][0] > last
    counts = _counts(connection, [place.id for place, _ in found])
    return Page([Entry(place, counts.get(place.id, 0), inside) for place, inside in found], last if more else None)


def _fits(place: Room, words: list[str]) -> bool:
    if not words:
        return place.archived_at is None
    said = slugs.plain(f"{place.name}\n{place.topic}")
    return all(word in said for word in words)


def _counts(connection: Connection, room_ids: list[int]) -> dict[int, int]:
    if not room_ids:
        return {}
    return {row[0]: row[1] for row in connection.execute(_COUNTS, {"room_ids": room_ids})}


_PUBLIC = (
    select(*rooms.COLUMNS, membership.c.person_id)
    .outerjoin(membership, (membership.c.room_id == room.c.id) & (membership.c.person_id == bindparam("person_id")))
    .where(room.c.kind == PUBLIC, room.c.id > bindparam("after"))
    .order_by(room.c.id)
    .limit(bindparam("most"))
)
_COUNTS = (
    select(membership.c.room_id, func.count())
    .where(among(membership.c.room_id, "room_ids"))
    .group_by(membership.c.room_id)
)
