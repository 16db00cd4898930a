"""Members: who is in a room, who comes in and goes, and whose the room is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, func, select, update

from .. import events
from ..db import Transaction
from . import audit, blocks, memberships, people, permissions, rooms
from .errors import Forbidden, Invalid
from .memberships import MEMBER, OWNER, membership
from .people import Person, person
from .rooms import DIRECT, GROUP, Room

PAGE = 100
"""Members that are read at once."""


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody in a room. ``role`` is what they are there; ``joined_at`` is in milliseconds since 1970, UTC."""

    person: Person
    role: str
    joined_at: int

    @property
    def owner(self) -> bool:
        """Whether the room is theirs."""
        return self.role == OWNER


def of(connection: Connection, place: Room, after: int = 0, limit: int = PAGE) -> list[Member]:
    """Up to ``limit`` of those in a room by the order of their arrival in the chat, after the person's id ``after``."""
    rows = connection.execute(_MEMBERS, {"room_id": place.id, "after": after, "most": limit})
    return [_from_row(row) for row in rows]


def owners(connection: Connection, place: Room) -> list[Member]:
    """Those whose room it is: one, or nobody."""
    return [_from_row(row) for row in connection.execute(_OWNERS, {"room_id": place.id})]


def count(connection: Connection, place: Room) -> int:
    """How many are in a room."""
    return int(connection.execute(_COUNT, {"room_id": place.id}).scalar_one())


def put(transaction: Transaction, who: Person, slug: str, username: str) -> Room:
    """Let ``username`` be in a room: ``who`` themselves, who may come into a public one, or somebody they bring in.

    Once somebody is in it nothing changes. Raises :class:`NotFound` and :class:`Forbidden`.
    """
    transaction.lock()
    connection = transaction.connection
    place, inside = rooms.visible(connection, who, slug)
    chosen = people.find(connection, username)
    if chosen.id == who.id:
        if not inside:
            permissions.require(connection, who, "room.join", place)
            memberships.add(transaction, place, who)
        return place
    permissions.require(connection, who, "member.add", place)
    if _role(connection, place, chosen) is not None:
        return place
    if place.kind in (DIRECT, GROUP):
        raise Forbidden("A conversation stays between those it was begun with. Begin another with all of you.")
    if blocks.between(connection, who, chosen):
        raise Forbidden(f"You cannot bring {chosen.username} into this room.")
    memberships.add(transaction, place, chosen)
    return place


def drop(transaction: Transaction, who: Person, slug: str, username: str) -> Room:
    """Let ``username`` be in a room no more: ``who`` themselves, who may leave, or somebody they put out.

    Who is not in it is out already. A room whose owner leaves goes to whoever has been in it longest. Raises
    :class:`NotFound` and :class:`Forbidden`.
    """
    transaction.lock()
    connection = transaction.connection
    place, _ = rooms.visible(connection, who, slug)
    chosen = people.find(connection, username)
    if place.kind == DIRECT:
        raise Forbidden("A conversation of two cannot be left. You can mute it, or block the other.")
    if chosen.id != who.id:
        if place.kind == GROUP:
            raise Forbidden("Nobody puts others out of a group conversation.")
        permissions.require(connection, who, "member.remove", place)
        if _role(connection, place, who) != OWNER and not permissions.above(who, chosen):
            raise Forbidden(f"You cannot put {chosen.username} out.")
    owned = _role(connection, place, chosen) == OWNER
    if not memberships.remove(transaction, place, chosen):
        return place
    if chosen.id != who.id:
        audit.record(transaction, who, "member.remove", person=chosen, room=place)
    heir = connection.execute(_HEIR, {"room_id": place.id}).first() if owned else None
    if heir is not None:
        _set(transaction, place, _from_row(heir).person, OWNER)
    return place


def hand_over(transaction: Transaction, who: Person, slug: str, username: str) -> Room:
    """Make ``username``, who is in the room, its owner.

    Raises :class:`NotFound`, :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    connection = transaction.connection
    place, _ = rooms.visible(connection, who, slug)
    if place.kind in (DIRECT, GROUP):
        raise Forbidden("A conversation belongs to everybody in it.")
    permissions.require(connection, who, "room.hand_over", place)
    chosen = people.find(connection, username)
    role = _role(connection, place, chosen)
    if role is None:
        raise Invalid(f"{chosen.username} is not in this room.")
    if role != OWNER:
        for owner in owners(connection, place):
            _set(transaction, place, owner.person, MEMBER)
        _set(transaction, place, chosen, OWNER)
    return place


def _set(transaction: Transaction, place: Room, chosen: Person, role: str) -> None:
    transaction.connection.execute(
        update(membership)
        .where(membership.c.room_id == place.id, membership.c.person_id == chosen.id)
        .values(role=role)
    )
    events.record(
        transaction, "member.changed", room=place.place, subject_id=chosen.id, username=chosen.username, role=role
    )


def _role(connection: Connection, place: Room, who: Person) -> str | None:
    return connection.execute(_ROLE, {"room_id": place.id, "person_id": who.id}).scalar_one_or_none()


def _from_row(row: Sequence[Any]) -> Member:
    id, username, standing, created_at, role, joined_at = row
    return Member(Person(id, username, standing, created_at), role, joined_at)


_IN = (
    select(
        person.c.id, person.c.username, person.c.role, person.c.created_at, membership.c.role, membership.c.joined_at
    )
    .join(membership, membership.c.person_id == person.c.id)
    .where(membership.c.room_id == bindparam("room_id"))
)
_MEMBERS = (
    _IN.where(membership.c.person_id > bindparam("after")).order_by(membership.c.person_id).limit(bindparam("most"))
)
_OWNERS = _IN.where(membership.c.role == OWNER).order_by(membership.c.person_id)
_HEIR = _IN.order_by(membership.c.role != OWNER, membership.c.joined_at, membership.c.person_id).limit(1)
_COUNT = select(func.count()).select_from(membership).where(membership.c.room_id == bindparam("room_id"))
_ROLE = select(membership.c.role).where(
    membership.c.room_id == bindparam("room_id"), membership.c.person_id == bindparam("person_id")
)
