"""Inspection: what those who keep order, and the owner, see of the whole chat.

Moderators see people, and public rooms. The owner also sees that private rooms exist, their names and their sizes, and
of conversations no more than how many there are: never what is said anywhere that they are not in.
"""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, or_, select

from . import names, people, restrictions
from .invitations import invitation
from .memberships import membership
from .messages import message
from .people import Person, person
from .restrictions import Restriction, restriction
from .rooms import PRIVATE, PUBLIC, room
from .sessions import session

PAGE = 50
"""Rows on one page."""

MOST_COUNTED = 10_000
"""Messages of a room that are counted; more are "more than" so many."""


@dataclass(frozen=True, slots=True)
class RoomSize:
    """A room and how large it is. ``messages`` is at most :data:`MOST_COUNTED`."""

    id: int
    slug: str
    name: str
    kind: str
    members: int
    messages: int
    archived: bool
    locked: bool
    slow_seconds: int
    retention_days: int | None


@dataclass(frozen=True, slots=True)
class Open:
    """Somebody's open session. Times are in milliseconds since 1970, UTC."""

    id: int
    username: str
    device: str
    network: str
    seen_at: int


@dataclass(frozen=True, slots=True)
class Imposed:
    """A restriction that holds, with the names that belong to it."""

    restriction: Restriction
    username: str | None
    room: str | None
    imposer: str


@dataclass(frozen=True, slots=True)
class Storage:
    """What the chat keeps. ``bytes`` is the size of the database, ``messages`` those that are in it."""

    bytes: int
    messages: int
    events: int
    sessions: int
    invitations: int


def search(connection: Connection, query: str, after: str = "", limit: int = PAGE) -> list[Person]:
    """People whose name has ``query`` in it, by name, after a key; all of them for an empty query."""
    # What no name can hold must not reach the database: it may be what no text of PostgreSQL can.
    wanted, after = names.key(_printable(query[:200])), _printable(after)
    pattern = "%" + wanted.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    statement = _PEOPLE.where(person.c.key.like(pattern, escape="\\")) if wanted else _PEOPLE
    rows = connection.execute(statement, {"after": after, "most": limit})
    return [Person(row.id, row.username, row.role, row.created_at) for row in rows]


def applicants(connection: Connection, limit: int = PAGE) -> list[Person]:
    """Those who wait to be let in, the longest first."""
    return [Person(*row) for row in connection.execute(_APPLICANTS, {"most": limit})]


def sizes(connection: Connection, *, private: bool, after: int = 0, limit: int = 25) -> list[RoomSize]:
    """Public rooms, and ``private`` ones too, by their ids, after one."""
    kinds = (PUBLIC, PRIVATE) if private else (PUBLIC,)
    rows = connection.execute(_ROOMS.where(room.c.kind.in_(kinds)), {"after": after, "most": limit}).all()
    return [
        RoomSize(
            row.id,
            row.slug,
            row.name,
            row.kind,
            connection.execute(_MEMBERS, {"of_room": row.id}).scalar_one(),
            connection.execute(_MESSAGES, {"of_room": row.id, "most": MOST_COUNTED}).scalar_one(),
            row.archived_at is not None,
            row.locked_at is not None,
            row.slow_seconds,
            row.retention_days,
        )
        for row in rows
    ]


def open_sessions(connection: Connection, before: int | None = None, limit: int = PAGE) -> list[Open]:
    """Sessions that are open, the latest first, before one's id."""
    rows = connection.execute(_SESSIONS, {"before": before or 2**31 - 1, "most": limit})
    return [
        Open(row.id, row.username, row.device or "", row.network or "", max(row.seen_at or 0, row.renewed_at))
        for row in rows
    ]


def imposed(connection: Connection, now: int, person_id: int | None = None, limit: int = 200) -> list[Imposed]:
    """The bans and mutes that hold, the latest first; those on one person, if they are given."""
    statement = _IMPOSED if person_id is None else _IMPOSED.where(restriction.c.person_id == person_id)
    rows = connection.execute(statement, {"now": now, "most": limit}).all()
    return [Imposed(Restriction(*row[: len(restrictions.COLUMNS)]), row.chosen, row.place, row.imposer) for row in rows]


def storage(connection: Connection) -> Storage:
    """How much is kept."""
    if connection.dialect.name == "postgresql":
        size = connection.exec_driver_sql("SELECT pg_database_size(current_database())").scalar_one()
    else:
        size = connection.exec_driver_sql(
            "SELECT page_count * page_size FROM pragma_page_count(), pragma_page_size()"
        ).scalar_one()
    counts = [int(connection.execute(statement).scalar_one()) for statement in _COUNTS]
    return Storage(int(size), *counts)


def _printable(words: str) -> str:
    return "".join(filter(str.isprintable, words))


_PEOPLE = (
    select(*people.COLUMNS)
    .where(person.c.former_at.is_(None), person.c.key > bindparam("after"))
    .order_by(person.c.key)
    .limit(bindparam("most"))
)
_APPLICANTS = (
    select(*people.COLUMNS)
    .where(person.c.role == people.APPLICANT, person.c.former_at.is_(None))
    .order_by(person.c.id)
    .limit(bindparam("most"))
)
_ROOMS = (
    select(
        room.c.id,
        room.c.slug,
        room.c.name,
        room.c.kind,
        room.c.archived_at,
        room.c.locked_at,
        room.c.slow_seconds,
        room.c.retention_days,
    )
    .where(room.c.id > bindparam("after"))
    .order_by(room.c.id)
    .limit(bindparam("most"))
)
_MEMBERS = select(func.count()).select_from(membership).where(membership.c.room_id == bindparam("of_room"))
_MESSAGES = select(func.count()).select_from(
    select(message.c.id)
    .where(message.c.room_id == bindparam("of_room"), message.c.deleted_at.is_(None))
    .limit(bindparam("most"))
    .subquery()
)
_SESSIONS = (
    select(
        session.c.id, person.c.username, session.c.device, session.c.network, session.c.seen_at, session.c.renewed_at
    )
    .join(person, person.c.id == session.c.person_id)
    .where(session.c.revoked_at.is_(None), session.c.signed_out_at.is_(None), session.c.id < bindparam("before"))
    .order_by(session.c.id.desc())
    .limit(bindparam("most"))
)
_CHOSEN, _IMPOSER = person.alias("chosen"), person.alias("imposer")
_IMPOSED = (
    select(
        *restrictions.COLUMNS,
        _CHOSEN.c.username.label("chosen"),
        room.c.name.label("place"),
        _IMPOSER.c.username.label("imposer"),
    )
    .outerjoin(_CHOSEN, _CHOSEN.c.id == restriction.c.person_id)
    .outerjoin(room, room.c.id == restriction.c.room_id)
    .join(_IMPOSER, _IMPOSER.c.id == restriction.c.imposer_id)
    .where(restrictions.IN_FORCE)
    .order_by(restriction.c.id.desc())
    .limit(bindparam("most"))
)
_COUNTS = (
    select(func.count()).select_from(message),
    select(func.coalesce(func.max(message.c.id), 0)),
    select(func.count()).select_from(session).where(session.c.revoked_at.is_(None), session.c.signed_out_at.is_(None)),
    select(func.count())
    .select_from(invitation)
    .where(
        invitation.c.revoked_at.is_(None),
        or_(invitation.c.most_uses.is_(None), invitation.c.uses < invitation.c.most_uses),
    ),
)
