"""The feed: what came after a cursor that somebody may see, encoded as it was when it was live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, or_, select

from .. import events
from ..db.lists import among
from ..events import Event, event
from . import messages, rooms
from .messages import message
from .people import Person, person
from .rooms import Room

SOME = 16
"""Rows that are taken from the engine at once: each may be a long text, and most of what was read may be too much."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What a reader may see: the events whose audience is one of ``keys``. Their links begin with ``root``."""

    person_id: int
    room_ids: frozenset[int]
    keys: frozenset[int]
    root: str = ""

    @classmethod
    def of(cls, person_id: int, room_ids: frozenset[int], root: str = "") -> Audience:
        """The audience of a person who is in these rooms."""
        return cls(person_id, room_ids, room_ids | {-person_id}, root)

    def includes(self, event: Event) -> bool:
        """Whether the reader may see an event."""
        return event.audience in self.keys


def audience(connection: Connection, reader: Person, root: str = "") -> Audience:
    """What somebody may see now, in a chat that begins at ``root`` on its host."""
    return Audience.of(reader.id, frozenset(room.id for room in rooms.all_for(connection, reader)), root)


def after(connection: Connection, reader: Audience, cursor: int, limit: int, size: int) -> tuple[list[Event], int]:
    """Up to ``limit`` events after ``cursor`` that ``reader`` may see, and the id that they reach to.

    They are cut off after ``size`` bytes, but never before the first.
    """
    last = events.last_id(connection)
    if last <= cursor:
        return [], cursor
    parameters = {
        "after": cursor,
        "through": last,
        "person_id": reader.person_id,
        "room_ids": list(reader.room_ids),
        "most": limit,
    }
    found: list[Event] = []
    with connection.execute(_AFTER, parameters) as rows:
        for some in rows.partitions(SOME):
            for row in some:
                found.append(_encode(row, reader.root))
                size -= len(found[-1].body)
                if size <= 0 or len(found) == limit:
                    return found, found[-1].id
    return found, last


def everything(connection: Connection, cursor: int, limit: int, root: str = "") -> list[Event]:
    """Up to ``limit`` events after ``cursor``, whoever may see them: for the hub, never for a reader."""
    return [_encode(row, root) for row in connection.execute(_EVERYTHING, {"after": cursor, "most": limit})]


def revoked(connection: Connection, after: int, through: int) -> set[int | None]:
    """The sessions that were revoked in a stretch of the log."""
    return set(connection.execute(_REVOKED, {"after": after, "through": through}).scalars())


def _encode(row: Iterable[object], root: str) -> Event:
    id, type, room_id, person_id, subject_id, slug, *columns = row
    if type == "message.posted":
        kept = messages.from_row(columns, slug, root)  # type: ignore[arg-type]
        return messages.posted_event(Room(room_id, slug, ""), kept)  # type: ignore[arg-type]
    return Event(id, type, room_id, person_id, subject_id, events.plain(id, type))  # type: ignore[arg-type]


_EVENTS = (
    select(
        event.c.id,
        event.c.type,
        event.c.room_id,
        event.c.person_id,
        event.c.subject_id,
        rooms.room.c.slug,
        *messages.COLUMNS,
    )
    .outerjoin(message, and_(message.c.id == event.c.subject_id, event.c.type == "message.posted"))
    .outerjoin(person, person.c.id == message.c.author_id)
    .outerjoin(rooms.room, rooms.room.c.id == event.c.room_id)
    .where(event.c.id > bindparam("after"))
    .order_by(event.c.id)
    .limit(bindparam("most"))
)
_EVERYTHING = _EVENTS
_AFTER = _EVENTS.where(
    event.c.id <= bindparam("through"),
    or_(among(event.c.room_id, "room_ids"), event.c.person_id == bindparam("person_id")),
)
_REVOKED = select(event.c.subject_id).where(
    event.c.id > bindparam("after"), event.c.id <= bindparam("through"), event.c.type == "session.revoked"
)
