"""Rooms: where people talk.

Everything is reached through the person who asks: a room that they may not know of is simply not found, by the same
query and with the same words as one that does not exist.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)
from sqlalchemy import text as sql_text

from ..db import Transaction, metadata
from ..db.lists import among
from . import memberships, restrictions, slugs, text
from .errors import Forbidden, Invalid, NotFound, TooLong
from .memberships import membership

if TYPE_CHECKING:
    from .people import Person

room = Table(
    "room",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("slug", String(64), nullable=False, unique=True),
    Column("name", String(128), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("kind", String(16), nullable=False, server_default="public"),
    Column("topic", String(500), nullable=False, server_default=sql_text("''")),
    Column("description", Text, nullable=False, server_default=sql_text("''")),
    # Who a direct or group conversation is between: their ids in order, so that it is the same one each time.
    Column("pair", String(250)),
    Column("archived_at", BigInteger),
    Column("locked_at", BigInteger),
    Column("slow_seconds", Integer, nullable=False, server_default="0"),
    Column("retention_days", Integer),
    Index("room_between", "pair", unique=True),
)

former_slug = Table(
    "former_slug",
    metadata,
    Column("slug", String(64), primary_key=True),
    Column("room_id", ForeignKey("room.id"), nullable=False, index=True),
)

LOBBY = "lobby"

PUBLIC, PRIVATE, DIRECT, GROUP = "public", "private", "direct", "group"
"""The kinds of room: everybody may come in; only members know of it; two people talk; up to twenty do."""


MAX_NAME = 80
"""Characters in the name of a room."""


@dataclass(frozen=True, slots=True)
class Room:
    """A room. ``slug`` is its name in addresses. Times are in milliseconds since 1970, UTC.

    ``watched``: whether who asked may not be free to write here; only of a room that was found for one person.
    """

    id: int
    slug: str
    name: str
    kind: str = PUBLIC
    topic: str = ""
    description: str = ""
    archived_at: int | None = None
    locked_at: int | None = None
    slow_seconds: int = 0
    watched: bool = False

    @property
    def guarded(self) -> bool:
        """Whether who writes here must be asked about: see :class:`flask_chat.chat.restrictions.Gate`."""
        return bool(self.watched or self.slow_seconds or self.archived_at or self.locked_at or self.kind == DIRECT)

    @property
    def place(self) -> tuple[int, str]:
        """What an event says of it."""
        return self.id, self.slug

    @property
    def open(self) -> bool:
        """Whether everybody may come in."""
        return self.kind == PUBLIC


def for_member(connection: Connection, member: Person, slug: str) -> Room:
    """The room with this slug that ``member`` is in.

    Raises :class:`NotFound` if there is none that they may know of, :class:`Forbidden` if they may come in first.
    """
    found, inside = visible(connection, member, slug)
    if not inside:
        raise Forbidden("Join this room first.")
    return found


def visible(connection: Connection, viewer: Person, slug: str) -> tuple[Room, bool]:
    """The room with this slug that ``viewer`` may know of, and whether they are in it. Raises :class:`NotFound`."""
    row = None
    if _SLUG.fullmatch(slug):
        row = connection.execute(_VISIBLE, {"slug": slug, "person_id": viewer.id}).first()
    if row is None:
        raise NotFound("There is no such room.")
    return from_row(row[:-1]), row[-1] is not None


def moved(connection: Connection, viewer: Person, slug: str) -> Room | None:
    """The room that once had this slug, if ``viewer`` may know of it."""
    row = None
    if _SLUG.fullmatch(slug):
        row = connection.execute(_MOVED, {"slug": slug, "person_id": viewer.id}).first()
    return None if row is None else from_row(row[:-1])


def for_members(
    connection: Connection, asked: set[tuple[int, str]], *, former: bool = False
) -> dict[tuple[int, str], Room]:
    """The rooms that so many people ask for, by person's id and slug; what somebody is not in is left out.

    With ``former`` it is those that once had the slug.
    """
    parameters = {
        "slugs": list({slug for _, slug in asked if _SLUG.fullmatch(slug)}),
        "person_ids": list({person_id for person_id, _ in asked}),
    }
    found: dict[tuple[int, str], Room] = {}
    known: dict[int, Room] = {}
    rows = connection.execute(_FORMER_OF_MEMBERS if former else _FOR_MEMBERS, parameters)
    for *row, watched, person_id, slug in rows:
        if (person_id, slug) in asked:
            if row[0] not in known:
                known[row[0]] = from_row(row)
            found[person_id, slug] = replace(known[row[0]], watched=True) if watched else known[row[0]]
    return found


def all_for(connection: Connection, member: Person) -> list[Room]:
    """Every room that ``member`` is in, oldest first."""
    return [from_row(row) for row in connection.execute(_MINE, {"person_id": member.id})]


def create(transaction: Transaction, creator: Person, raw_name: object, kind: str = PUBLIC) -> Room:
    """Make a room that ``creator`` owns and is in. Raises :class:`Invalid` or :class:`TooLong` with the reason."""
    name = check_name(raw_name)
    if kind not in (PUBLIC, PRIVATE):
        raise Invalid("A room is public or private.")
    return make(transaction, creator, name, kind)


def make(transaction: Transaction, creator: Person, name: str, kind: str, pair: str | None = None) -> Room:
    """Make a room of any kind."""
    transaction.lock()
    slug = slugs.free(name or kind, kind == PUBLIC, lambda slug: _taken(transaction.connection, slug))
    id: int = transaction.connection.execute(
        insert(room).values(slug=slug, name=name, kind=kind, created_at=transaction.now, pair=pair).returning(room.c.id)
    ).scalar_one()
    made = Room(id, slug, name, kind)
    # A conversation is nobody's: all who are in it are the same there.
    memberships.add(transaction, made, creator, memberships.OWNER if pair is None else memberships.MEMBER)
    return made


def rename(transaction: Transaction, place: Room, name: str) -> Room:
    """Give a room another name; its address follows, and the old one leads there."""
    transaction.lock()
    slug = place.slug
    # The lobby is known by its address, and a name that is written the same way in one needs no other.
    if place.slug != LOBBY and slugs.like(name) != slugs.like(place.name):
        slug = slugs.free(name, place.open, lambda slug: _taken(transaction.connection, slug, place.id))
        transaction.connection.execute(delete(former_slug).where(former_slug.c.slug == slug))
        transaction.connection.execute(insert(former_slug).values(slug=place.slug, room_id=place.id))
    return update_row(transaction, place, name=name, slug=slug)


def update_row(transaction: Transaction, place: Room, **changed: Any) -> Room:
    """Keep what has changed about a room, by the names of :class:`Room`."""
    transaction.connection.execute(update(room).where(room.c.id == place.id).values(**changed))
    return replace(place, **changed)


def check_name(raw: object) -> str:
    """The name of a room as it is kept, in one line. Raises :class:`Invalid` or :class:`TooLong`."""
    if not isinstance(raw, str):
        raise Invalid("A room needs a name.")
    try:
        return " ".join(text.check(raw, MAX_NAME).split())
    except text.InvalidText as error:
        if error.code == "too_long":
            raise TooLong(f"The name of a room has {MAX_NAME} characters at most.") from None
        raise Invalid("A room needs a name." if error.code == "empty" else error.reason) from None


def lobby(connection: Connection) -> int | None:
    """The id of the room that everybody starts in."""
    return connection.execute(_LOBBY).scalar_one_or_none()


def make_lobby(transaction: Transaction) -> None:
    """Make the room that everybody starts in, unless it is there."""
    if lobby(transaction.connection) is None:
        transaction.connection.execute(insert(room).values(slug=LOBBY, name="Lobby", created_at=transaction.now))


def from_row(row: Sequence[Any]) -> Room:
    """A room from a row of :data:`COLUMNS`, which :data:`flask_chat.chat.restrictions.WATCHED` may follow."""
    return Room(*row)


COLUMNS = (
    room.c.id,
    room.c.slug,
    room.c.name,
    room.c.kind,
    room.c.topic,
    room.c.description,
    room.c.archived_at,
    room.c.locked_at,
    room.c.slow_seconds,
)


def _taken(connection: Connection, slug: str, own: int | None = None) -> bool:
    """Whether a slug is a room's, or was one's, but for those that the room ``own`` had once."""
    if connection.execute(_ANY, {"slug": slug}).first() is not None:
        return True
    return connection.execute(_FORMER, {"slug": slug}).scalar_one_or_none() not in (None, own)


# What is no slug must not reach the database: it may hold what no text of PostgreSQL can.
_SLUG = re.compile(r"[a-z0-9-]{1,64}", re.ASCII)
_SEEN = (
    select(*COLUMNS, restrictions.WATCHED, membership.c.person_id)
    .outerjoin(membership, (membership.c.room_id == room.c.id) & (membership.c.person_id == bindparam("person_id")))
    .where(or_(room.c.kind == PUBLIC, membership.c.person_id.isnot(None)))
)
_VISIBLE = _SEEN.where(room.c.slug == bindparam("slug"))
_MOVED = _SEEN.join(former_slug, former_slug.c.room_id == room.c.id).where(former_slug.c.slug == bindparam("slug"))
_OF_MEMBERS = (
    select(*COLUMNS, restrictions.WATCHED, membership.c.person_id)
    .join(membership, membership.c.room_id == room.c.id)
    .where(among(membership.c.person_id, "person_ids"))
)
_FOR_MEMBERS = _OF_MEMBERS.add_columns(room.c.slug.label("asked")).where(among(room.c.slug, "slugs"))
_FORMER_OF_MEMBERS = (
    _OF_MEMBERS.add_columns(former_slug.c.slug.label("asked"))
    .join(former_slug, former_slug.c.room_id == room.c.id)
    .where(among(former_slug.c.slug, "slugs"))
)
_MINE = (
    select(*COLUMNS)
    .join(membership, membership.c.room_id == room.c.id)
    .where(membership.c.person_id == bindparam("person_id"))
    .order_by(room.c.id)
)
_LOBBY = select(room.c.id).where(room.c.slug == LOBBY)
_ANY = select(room.c.id).where(room.c.slug == bindparam("slug"))
_FORMER = select(former_slug.c.room_id).where(former_slug.c.slug == bindparam("slug"))
