"""The feed: what came after a cursor that somebody may see, encoded as it was when it was live."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy import Connection, and_, bindparam, exists, or_, select

from .. import events
from ..events import EVERYBODY, NOBODY, Event, event
from . import memberships, messages, rooms
from .memberships import ADDED, membership
from .messages import message
from .people import person

SOME = 16
"""Rows that are taken from the engine at once: each may be a long text, and most of what was read may be too much."""


SPAN = 10_000
"""Numbers of the log that one look goes through: a reader may be told of few of them, or of none."""


@dataclass(frozen=True, slots=True)
class Audience:
    """What a reader may see: the events whose audience is one of ``keys``. Their links begin with ``root``.

    It was so when the log had reached the id ``as_of``, or a moment later.
    """

    person_id: int
    keys: frozenset[int]
    root: str = ""
    as_of: int = 0

    @classmethod
    def of(cls, person_id: int, room_ids: frozenset[int], root: str = "", as_of: int = 0) -> Audience:
        """The audience of a person who is in these rooms."""
        return cls(person_id, room_ids | {-person_id, EVERYBODY}, root, as_of)

    def after(self, change: Event) -> Audience:
        """The audience once a membership has changed."""
        assert change.subject_id is not None
        keys = self.keys | {change.subject_id} if change.type == ADDED else self.keys - {change.subject_id}
        return Audience(self.person_id, keys, self.root, change.id)

    def includes(self, event: Event) -> bool:
        """Whether the reader may see an event."""
        return event.audience in self.keys


def audience(connection: Connection, person_id: int, root: str = "") -> Audience:
    """What somebody may see now, in a chat that begins at ``root`` on its host."""
    # First: what is read after it may be newer, never older.
    as_of = events.last_id(connection)
    return Audience.of(person_id, memberships.room_ids(connection, person_id), root, as_of)


def after(connection: Connection, reader: Audience, cursor: int, limit: int, size: int) -> tuple[list[Event], int]:
    """Up to ``limit`` events after ``cursor`` that ``reader`` may see, and the id that they reach to.

    What they may see is asked of the database, with each event. They are cut off after ``size`` bytes, but never
    before the first, and after :data:`SPAN` numbers.
    """
    last = min(events.last_id(connection), cursor + SPAN)
    if last <= cursor:
        return [], cursor
    parameters = {
        "after": cursor,
        "through": last,
        "person_id": reader.person_id,
        "most": limit,
    }
    found: list[Event] = []
    seen = 0
    with connection.execute(_AFTER, parameters) as rows:
        for some in rows.partitions(SOME):
            for row in some:
                each = _encode(row, reader.root)
                # What is told to nobody any more counts: the query ends after so many rows.
                seen += 1
                if each.audience != NOBODY:
                    found.append(each)
                    size -= len(each.body)
                if size <= 0 or seen == limit:
                    return found, each.id
    return found, last


def everything(connection: Connection, cursor: int, limit: int, root: str = "") -> list[Event]:
    """Up to ``limit`` events after ``cursor``, whoever may see them, without a gap: for the hub, never for a reader."""
    return [_encode(row, root) for row in connection.execute(_EVERYTHING, {"after": cursor, "most": limit})]


def revoked(connection: Connection, after: int, through: int) -> set[int | None]:
    """The sessions that were revoked in a stretch of the log."""
    return set(connection.execute(_REVOKED, {"after": after, "through": through}).scalars())


def _encode(row: Iterable[object], root: str) -> Event:
    id, type, room_id, person_id, subject_id, data, slug, *columns = row
    if type == messages.POSTED or type == messages.EDITED:
        if columns[0] is None:
            return Event(id, type, NOBODY, None, subject_id, b"")  # type: ignore[arg-type]
        kept = messages.from_row(columns, slug, root)  # type: ignore[arg-type]
        if type == messages.EDITED:
            return messages.edited_event(id, room_id, kept)  # type: ignore[arg-type]
        return messages.posted_event(room_id, kept)  # type: ignore[arg-type]
    said = events.plain(id, type, slug, data)  # type: ignore[arg-type]
    return Event(id, type, room_id, person_id, subject_id, said)  # type: ignore[arg-type]


_EVENTS = (
    select(
        event.c.id,
        event.c.type,
        event.c.room_id,
        event.c.person_id,
        event.c.subject_id,
        event.c.data,
        rooms.room.c.slug,
        *messages.COLUMNS,
    )
    .outerjoin(
        message,
        and_(
            message.c.id == event.c.subject_id,
            or_(event.c.type == messages.POSTED, event.c.type == messages.EDITED),
            message.c.deleted_at.is_(None),
        ),
    )
    .outerjoin(person, person.c.id == message.c.author_id)
    .outerjoin(rooms.room, rooms.room.c.id == event.c.room_id)
    .where(event.c.id > bindparam("after"))
    .order_by(event.c.id)
    .limit(bindparam("most"))
)
_EVERYTHING = _EVENTS
_AFTER = _EVENTS.where(
    event.c.id <= bindparam("through"),
    or_(
        exists().where(membership.c.person_id == bindparam("person_id"), membership.c.room_id == event.c.room_id),
        event.c.person_id == bindparam("person_id"),
        and_(event.c.room_id.is_(None), event.c.person_id.is_(None)),
    ),
)
_REVOKED = select(event.c.subject_id).where(
    event.c.id > bindparam("after"), event.c.id <= bindparam("through"), event.c.type == "session.revoked"
)
