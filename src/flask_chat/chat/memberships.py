"""Memberships: who is in which room, and how far they have read there.

What somebody may see follows from their memberships alone. Each change is told twice: to the person, whose streams
begin or stop to carry the room with that event, and to the room.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    bindparam,
    delete,
    insert,
    select,
)

from .. import events
from ..db import Transaction, metadata

if TYPE_CHECKING:
    from .people import Person
    from .rooms import Room

membership = Table(
    "membership",
    metadata,
    Column("person_id", Integer, ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("room_id", Integer, ForeignKey("room.id"), primary_key=True, autoincrement=False),
    Column("role", String(16), nullable=False),
    Column("joined_at", BigInteger, nullable=False),
    Column("read_id", BigInteger, nullable=False),
    Column("favourite", Boolean, nullable=False),
    Column("position", Integer),
    Column("notify", String(16), nullable=False),
    Column("muted_until", BigInteger),
    Index("membership_by_room", "room_id", "person_id"),
)

MEMBER, OWNER = "member", "owner"
"""What somebody is in a room; its owner may change it."""

ADDED, REMOVED = "membership.added", "membership.removed"


def add(transaction: Transaction, place: Room, who: Person, role: str = MEMBER) -> bool:
    """Let somebody in, with everything so far read; says whether they were outside."""
    if not enrol(transaction, place.id, who.id, role):
        return False
    events.record(transaction, ADDED, room=place.place, person_id=who.id, subject_id=place.id)
    events.record(transaction, "member.joined", room=place.place, subject_id=who.id, username=who.username)
    return True


def remove(transaction: Transaction, place: Room, who: Person) -> bool:
    """Take somebody out; says whether they were inside. From this event on they hear nothing of the room."""
    gone = transaction.connection.execute(
        delete(membership)
        .where(membership.c.person_id == who.id, membership.c.room_id == place.id)
        .returning(membership.c.person_id)
    ).first()
    if gone is None:
        return False
    events.record(transaction, REMOVED, room=place.place, person_id=who.id, subject_id=place.id)
    events.record(transaction, "member.left", room=place.place, subject_id=who.id, username=who.username)
    return True


def enrol(transaction: Transaction, room_id: int, person_id: int, role: str = MEMBER) -> bool:
    """:func:`add` without a word, for somebody whom nobody has heard of yet."""
    transaction.lock()
    if transaction.connection.execute(_ONE, {"person_id": person_id, "room_id": room_id}).first() is not None:
        return False
    transaction.connection.execute(
        insert(membership).values(
            person_id=person_id,
            room_id=room_id,
            role=role,
            joined_at=transaction.now,
            read_id=events.last_id(transaction.connection),
            favourite=False,
            notify="all",
        )
    )
    return True


def room_ids(connection: Connection, person_id: int) -> frozenset[int]:
    """The rooms that somebody is in."""
    return frozenset(connection.execute(_ROOMS, {"person_id": person_id}).scalars())


_ONE = select(membership.c.person_id).where(
    membership.c.person_id == bindparam("person_id"), membership.c.room_id == bindparam("room_id")
)
_ROOMS = select(membership.c.room_id).where(membership.c.person_id == bindparam("person_id"))
