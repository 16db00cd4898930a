"""Rooms: where people talk. For now there is one, the lobby, and everybody who is signed in is in it."""

from __future__ import annotations

import re
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, bindparam, insert, select

from ..db import Transaction, metadata
from ..db.lists import among
from .errors import NotFound
from .people import Person

room = Table(
    "room",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

LOBBY = "lobby"


@dataclass(frozen=True, slots=True)
class Room:
    """A room. ``slug`` is its name in addresses."""

    id: int
    slug: str
    name: str


def for_member(connection: Connection, member: Person, slug: str) -> Room:
    """The room with this slug. Raises :class:`NotFound` if there is none that ``member`` may know of."""
    row = connection.execute(_BY_SLUG, {"slug": slug}).first() if _SLUG.fullmatch(slug) else None
    if row is None:
        raise NotFound("There is no such room.")
    return Room(*row)


def for_members(connection: Connection, asked: set[tuple[int, str]]) -> dict[tuple[int, str], Room]:
    """The rooms that so many people ask for, by person's id and slug; what somebody may not know of is left out."""
    found = {
        row.slug: Room(row.id, row.slug, row.name)
        for row in connection.execute(_BY_SLUGS, {"slugs": list({slug for _, slug in asked if _SLUG.fullmatch(slug)})})
    }
    return {(person_id, slug): found[slug] for person_id, slug in asked if slug in found}


def all_for(connection: Connection, member: Person) -> list[Room]:
    """Every room that ``member`` is in, oldest first."""
    return [Room(*row) for row in connection.execute(_ROOMS.order_by(room.c.id))]


def make_lobby(transaction: Transaction) -> None:
    """Make the room that everybody starts in, unless it is there."""
    if transaction.connection.execute(_BY_SLUG, {"slug": LOBBY}).first() is None:
        transaction.connection.execute(insert(room).values(slug=LOBBY, name="Lobby", created_at=transaction.now))


# What is no slug must not reach the database: it may hold what no text of PostgreSQL can.
_SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_ROOMS = select(room.c.id, room.c.slug, room.c.name)
_BY_SLUGS = _ROOMS.where(among(room.c.slug, "slugs"))
_BY_SLUG = _ROOMS.where(room.c.slug == bindparam("slug"))
