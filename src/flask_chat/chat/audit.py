"""The audit log: what those who keep order did, to whom, and when."""

from __future__ import annotations

from dataclasses import dataclass

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    Text,
    bindparam,
    insert,
    select,
)

from ..db import Transaction, metadata
from . import people, rooms
from .people import Person
from .rooms import Room

audit = Table(
    "audit",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("actor_id", ForeignKey("person.id"), index=True),
    Column("action", String(40), nullable=False),
    Column("person_id", ForeignKey("person.id")),
    Column("room_id", ForeignKey("room.id")),
    Column("detail", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

ACTIONS = {
    "invitation.revoke": "Revoked an invitation",
    "message.delete": "Deleted a message",
    "message.dismiss": "Dismissed a report",
    "owner.hand_over": "Handed over the chat",
    "person.admit": "Let somebody in",
    "person.appoint": "Changed a role",
    "person.ban": "Banned somebody",
    "person.mute": "Muted somebody",
    "person.unban": "Lifted a ban",
    "person.unmute": "Lifted a mute",
    "member.remove": "Removed somebody from a room",
    "room.clear": "Cleared a room’s history",
    "room.lock": "Locked a room",
    "room.retain": "Changed how long a room keeps messages",
    "room.slow": "Changed a room’s slow mode",
    "room.unlock": "Unlocked a room",
    "session.revoke": "Ended somebody’s session",
    "settings.change": "Changed the settings",
}
"""What is written down, in words."""

PAGE = 50
"""Entries on one page."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One entry. ``created_at`` is in milliseconds since 1970, UTC; ``detail`` says the rest, by name."""

    id: int
    action: str
    actor: str | None
    person: str | None
    room: str | None
    detail: dict[str, object]
    created_at: int

    @property
    def words(self) -> str:
        """What was done."""
        return ACTIONS.get(self.action, self.action)


def record(
    transaction: Transaction,
    actor: Person | None,
    action: str,
    *,
    person: Person | None = None,
    room: Room | None = None,
    **detail: object,
) -> None:
    """Write down what ``actor`` does, in the transaction that does it; without an actor the chat does it itself.

    ``action`` is a key of :data:`ACTIONS`. ``detail`` must hold nothing of what people said to each other; what is None
    is left out.
    """
    transaction.connection.execute(
        insert(audit).values(
            actor_id=None if actor is None else actor.id,
            action=action,
            person_id=None if person is None else person.id,
            room_id=None if room is None else room.id,
            detail=msgspec.json.encode({name: value for name, value in detail.items() if value is not None}).decode(),
            created_at=transaction.now,
        )
    )


def page(
    connection: Connection,
    *,
    action: str | None = None,
    actor_id: int | None = None,
    person_id: int | None = None,
    before: int | None = None,
    limit: int = PAGE,
) -> list[Entry]:
    """Entries, the latest first: those of an action, by an actor, about a person, before an entry's id."""
    query = _ENTRIES.order_by(audit.c.id.desc()).limit(limit)
    wanted = ((audit.c.action, action), (audit.c.actor_id, actor_id), (audit.c.person_id, person_id))
    for column, value in wanted:
        if value is not None:
            query = query.where(column == value)
    if before is not None:
        query = query.where(audit.c.id < bindparam("before", before))
    return [
        Entry(row.id, row.action, row.actor, row.person, _room(row), msgspec.json.decode(row.detail), row.created_at)
        for row in connection.execute(query)
    ]


def _room(row: object) -> str | None:
    """A room's name; of a conversation not even whose it is."""
    kind, name = getattr(row, "kind", None), getattr(row, "room", None)
    return "a conversation" if kind in (rooms.DIRECT, rooms.GROUP) else name


_ACTOR, _PERSON = people.person.alias("actor"), people.person.alias("subject")
_ENTRIES = (
    select(
        audit.c.id,
        audit.c.action,
        _ACTOR.c.username.label("actor"),
        _PERSON.c.username.label("person"),
        rooms.room.c.name.label("room"),
        rooms.room.c.kind,
        audit.c.detail,
        audit.c.created_at,
    )
    .outerjoin(_ACTOR, _ACTOR.c.id == audit.c.actor_id)
    .outerjoin(_PERSON, _PERSON.c.id == audit.c.person_id)
    .outerjoin(rooms.room, rooms.room.c.id == audit.c.room_id)
)
