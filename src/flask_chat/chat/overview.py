"""The overview: somebody's rooms, and what is new in each."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, ScalarSelect, Select, bindparam, func, select

from ..db.lists import among
from .blocks import block
from .errors import NotFound
from .memberships import membership
from .mentions import mention
from .messages import message
from .people import Person, person
from .rooms import DIRECT, GROUP, Room, room

MOST_COUNTED = 1_000
"""Unread messages are counted up to here, for each room: who has missed more wants to know no better."""


class Listed(msgspec.Struct, frozen=True, gc=False):
    """A room as its member sees it among theirs.

    ``name`` is the other's username in a direct room and everybody else's in a group without a name; ``person`` is the
    other's username in a direct room. ``unread`` counts the messages of others after ``read_id`` that are still there,
    but for those whom the member has blocked, ``mentions`` those among them that name the member, both up to
    :data:`MOST_COUNTED`. ``last_id`` is the last message's id, or 0. ``notify`` is one of
    :data:`flask_chat.chat.reading.LEVELS`; ``muted`` that nothing is notified just now; ``position`` is the place among
    the favourites that the member gave it; ``role`` is theirs in the room: ``owner`` or ``member``.
    """

    slug: str
    name: str
    kind: str
    topic: str
    unread: int
    mentions: int
    last_id: int
    read_id: int
    favourite: bool
    position: int | None
    muted: bool
    notify: str
    person: str | None
    archived: bool
    role: str


def of(connection: Connection, member: Person) -> list[Listed]:
    """The rooms that ``member`` is in, most recent first: by what was said last, or by when they came in after it."""
    rows = connection.execute(_MINE, {"person_id": member.id})
    return _listed(connection, member, sorted(rows, key=lambda row: max(row.last_id, row.read_id), reverse=True))


def one(connection: Connection, member: Person, place: Room) -> Listed:
    """A single room of theirs. Raises :class:`NotFound` if they are not in it."""
    rows = connection.execute(_ONE, {"person_id": member.id, "room_id": place.id}).all()
    if not rows:
        raise NotFound("There is no such room.")
    return _listed(connection, member, rows)[0]


def title(connection: Connection, viewer: Person, place: Room) -> str:
    """What a room is called to somebody in it."""
    if place.kind not in (DIRECT, GROUP):
        return place.name
    return _name(place.kind, place.name, _others(connection, viewer, [place.id]).get(place.id, []), viewer)


def _listed(connection: Connection, member: Person, rows: Iterable[Row[*tuple[Any, ...]]]) -> list[Listed]:
    now, rows = time.time_ns() // 1_000_000, list(rows)
    others = _others(connection, member, [row.id for row in rows if row.kind in (DIRECT, GROUP)])
    return [
        Listed(
            slug=row.slug,
            name=_name(row.kind, row.name, others.get(row.id, []), member),
            kind=row.kind,
            topic=row.topic,
            unread=row.unread,
            mentions=row.mentions,
            last_id=row.last_id,
            read_id=row.read_id,
            favourite=row.favourite,
            position=row.position,
            muted=row.muted_until is not None and row.muted_until > now,
            notify=row.notify,
            person=next(iter(others.get(row.id, [])), member.username) if row.kind == DIRECT else None,
            archived=row.archived_at is not None,
            role=row.role,
        )
        for row in rows
    ]


def _name(kind: str, name: str, others: list[str], viewer: Person) -> str:
    if kind not in (DIRECT, GROUP) or name:
        return name
    return ", ".join(others) or viewer.username


def _others(connection: Connection, viewer: Person, room_ids: list[int]) -> dict[int, list[str]]:
    """Who else is in these rooms, by the room, in the order of their arrival."""
    found: dict[int, list[str]] = {}
    if room_ids:
        for room_id, username in connection.execute(_OTHERS, {"room_ids": room_ids, "person_id": viewer.id}):
            found.setdefault(room_id, []).append(username)
    return found


_NEW = (
    message.c.room_id == membership.c.room_id,
    message.c.id > membership.c.read_id,
    message.c.author_id != membership.c.person_id,
    message.c.author_id.not_in(select(block.c.blocked_id).where(block.c.person_id == bindparam("person_id"))),
    message.c.deleted_at.is_(None),
)
_UNREAD = select(message.c.id).where(*_NEW).limit(MOST_COUNTED)
_MENTIONS = (
    select(mention.c.message_id)
    .join(message, message.c.id == mention.c.message_id)
    .where(
        mention.c.person_id == membership.c.person_id,
        mention.c.room_id == membership.c.room_id,
        mention.c.message_id > membership.c.read_id,
        *_NEW,
    )
    .limit(MOST_COUNTED)
)
_LAST = (
    select(message.c.id)
    .where(message.c.room_id == membership.c.room_id, message.c.deleted_at.is_(None))
    .order_by(message.c.id.desc())
    .limit(1)
    .correlate(membership)
    .scalar_subquery()
)


def _count(some: Select[Any]) -> ScalarSelect[int]:
    found = some.correlate(membership).subquery()
    return select(func.count()).select_from(found).correlate(membership).scalar_subquery()


_MINE: Select[*tuple[Any, ...]] = (
    select(
        room.c.id,
        room.c.slug,
        room.c.name,
        room.c.kind,
        room.c.topic,
        room.c.archived_at,
        membership.c.role,
        membership.c.read_id,
        membership.c.favourite,
        membership.c.position,
        membership.c.muted_until,
        membership.c.notify,
        _count(_UNREAD).label("unread"),
        _count(_MENTIONS).label("mentions"),
        func.coalesce(_LAST, 0).label("last_id"),
    )
    .select_from(membership)
    .join(room, room.c.id == membership.c.room_id)
    .where(membership.c.person_id == bindparam("person_id"))
)
_ONE = _MINE.where(membership.c.room_id == bindparam("room_id"))
_OTHERS = (
    select(membership.c.room_id, person.c.username)
    .join(person, person.c.id == membership.c.person_id)
    .where(among(membership.c.room_id, "room_ids"), membership.c.person_id != bindparam("person_id"))
    .order_by(membership.c.room_id, membership.c.joined_at, membership.c.person_id)
)
