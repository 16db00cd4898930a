"""Reports: messages that somebody wants a moderator to look at.

A moderator sees the message that was reported and the few beside it, whether they are in its room or not, and nothing
else of a room that they are not in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

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
    UniqueConstraint,
    bindparam,
    func,
    insert,
    select,
    update,
)

from ..db import Transaction, metadata
from ..db.lists import among
from . import audit, moderation, permissions, rooms
from .errors import Forbidden, NotFound
from .messages import message
from .people import Person, person
from .rooms import Room

report = Table(
    "report",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("message_id", BigInteger().with_variant(Integer, "sqlite"), nullable=False),
    Column("room_id", ForeignKey("room.id"), nullable=False),
    Column("reporter_id", ForeignKey("person.id"), nullable=False),
    Column("reason", String(500), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("settled_at", BigInteger),
    Column("settler_id", ForeignKey("person.id")),
    Column("outcome", String(32)),
    # What the message said then, once it says something else, until the report is settled.
    Column("said", Text),
    UniqueConstraint("message_id", "reporter_id", name="reported_once"),
    Index("report_open", "settled_at", "id"),
)

DISMISS, DELETE, MUTE, BAN = "dismiss", "delete", "mute", "ban"
OUTCOMES = (DISMISS, DELETE, MUTE, BAN)
"""What can come of a report; a message whose author is muted or banned for it is deleted too."""

BESIDE = 2
"""Messages that are shown before and after a reported one."""

PAGE = 25
"""Reported messages on one page."""


@dataclass(frozen=True, slots=True)
class Line:
    """A message as a moderator sees it in the queue. ``text`` is empty once it is deleted."""

    id: int
    author: str
    text: str
    created_at: int
    reported: bool


@dataclass(frozen=True, slots=True)
class Reason:
    """Why somebody reported a message; ``said`` is what it said then, if it was edited since."""

    reporter: str
    reason: str
    said: str | None = None


@dataclass(frozen=True, slots=True)
class Case:
    """A message that was reported: what it says, who reported it and why. Times are in milliseconds since 1970, UTC."""

    message_id: int
    room: Room
    author: Person
    lines: tuple[Line, ...]
    reasons: tuple[Reason, ...]
    created_at: int

    @property
    def deleted(self) -> bool:
        """Whether the message is gone already."""
        return not any(line.reported and line.text for line in self.lines)


def file(transaction: Transaction, who: Person, room: Room, message_id: int, reason: object) -> bool:
    """Report a message in a room that was found for ``who``; says whether they had not before.

    Raises :class:`NotFound`, :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    connection = transaction.connection
    permissions.require(connection, who, "message.report", room)
    said = moderation.check_reason(reason)
    found = connection.execute(_THERE, {"message_id": message_id, "room_id": room.id}).first()
    if found is None:
        raise NotFound("There is no such message.")
    if found.author_id == who.id:
        raise Forbidden("That is your own message.")
    mine = connection.execute(_MINE, {"message_id": message_id, "reporter_id": who.id}).first()
    if mine is not None:
        if mine.settled_at is None or (found.edited_at or 0) <= mine.settled_at:
            return False
        # What it says now nobody has judged.
        connection.execute(_REOPEN, {"report_id": mine.id, "reason_now": said, "now": transaction.now})
        return True
    connection.execute(
        insert(report).values(
            message_id=message_id, room_id=room.id, reporter_id=who.id, reason=said, created_at=transaction.now
        )
    )
    return True


def waiting(connection: Connection) -> int:
    """How many messages wait for a moderator."""
    return int(connection.execute(_WAITING).scalar_one())


def queue(connection: Connection, who: Person, after: int = 0, limit: int = PAGE) -> list[Case]:
    """Messages that wait for a moderator, by their ids, after one. Raises :class:`Forbidden`."""
    permissions.require(connection, who, "report.read")
    ids = connection.execute(_QUEUE, {"after": after, "most": limit}).scalars().all()
    return [case for id in ids if (case := _case(connection, id)) is not None]


def settle(
    transaction: Transaction,
    who: Person,
    message_id: int,
    outcome: str,
    *,
    expires_at: int | None = None,
    reason: object = "",
) -> None:
    """Settle every report of a message with one of :data:`OUTCOMES`.

    ``expires_at`` (milliseconds since 1970, UTC) and ``reason`` are those of a mute or a ban. Raises
    :class:`NotFound`, :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    connection = transaction.connection
    permissions.require(connection, who, "report.read")
    if outcome not in OUTCOMES:
        raise NotFound("There is no such way to settle a report.")
    open_ = connection.execute(_OPEN, {"ids": [message_id]}).first()
    if open_ is None:
        raise NotFound("This report is settled already.")
    case = _case(connection, message_id)
    assert case is not None
    if outcome == MUTE:
        moderation.mute(transaction, who, case.author, expires_at=expires_at, reason=reason)
    elif outcome == BAN:
        moderation.ban(transaction, who, case.author, expires_at=expires_at, reason=reason)
    if outcome != DISMISS and not case.deleted:
        moderation.erase(transaction, case.room, message_id)
    action = "message.dismiss" if outcome == DISMISS else "message.delete"
    audit.record(transaction, who, action, person=case.author, room=case.room, message=message_id, reported=True)
    connection.execute(
        _SETTLE, {"of_message": message_id, "now": transaction.now, "settler": who.id, "outcome_is": outcome}
    )


def _case(connection: Connection, message_id: int) -> Case | None:
    """What was reported of a message; None if all of it is settled."""
    row = connection.execute(_CASE, {"message_id": message_id}).one()
    room = rooms.from_row(row[: len(rooms.COLUMNS)])
    author = Person(row.author_id, row.username, row.role, row.joined_at)
    told = connection.execute(_OPEN, {"ids": [message_id]}).all()
    if not told:
        return None  # By somebody else, a moment ago.
    first = min(each.created_at for each in told)
    around = {"message_id": message_id, "room_id": room.id, "most": BESIDE}
    before = connection.execute(_BEFORE, around).all()[::-1]
    itself = connection.execute(_ITSELF, around).all()
    after = connection.execute(_AFTER, around).all()
    # What was said after the report was not reported with it.
    before, after = (
        [each for each in some if max(each.created_at, each.edited_at or 0) <= first] for some in (before, after)
    )
    return Case(
        message_id,
        room,
        author,
        _lines([*before, *itself, *after], message_id),
        tuple(Reason(each.username, each.reason, each.said) for each in told),
        first,
    )


def _lines(rows: Sequence[object], message_id: int) -> tuple[Line, ...]:
    return tuple(
        Line(row.id, row.username, row.text, row.created_at, row.id == message_id)  # type: ignore[attr-defined]
        for row in rows
    )


_THERE = select(message.c.author_id, message.c.edited_at).where(
    message.c.id == bindparam("message_id"), message.c.room_id == bindparam("room_id"), message.c.deleted_at.is_(None)
)
_MINE = select(report.c.id, report.c.settled_at).where(
    report.c.message_id == bindparam("message_id"), report.c.reporter_id == bindparam("reporter_id")
)
_REOPEN = (
    update(report)
    .where(report.c.id == bindparam("report_id"))
    .values(reason=bindparam("reason_now"), created_at=bindparam("now"), settled_at=None, settler_id=None, outcome=None)
)
_WAITING = select(func.count(func.distinct(report.c.message_id))).where(report.c.settled_at.is_(None))
_QUEUE = (
    select(report.c.message_id)
    .where(report.c.settled_at.is_(None), report.c.message_id > bindparam("after"))
    .distinct()
    .order_by(report.c.message_id)
    .limit(bindparam("most"))
)
_OPEN = (
    select(report.c.id, report.c.reason, report.c.created_at, report.c.said, person.c.username)
    .join(person, person.c.id == report.c.reporter_id)
    .where(among(report.c.message_id, "ids"), report.c.settled_at.is_(None))
    .order_by(report.c.id)
)
_CASE = (
    select(
        *rooms.COLUMNS,
        person.c.id.label("author_id"),
        person.c.username,
        person.c.role,
        person.c.created_at.label("joined_at"),
    )
    .select_from(message)
    .join(person, person.c.id == message.c.author_id)
    .join(rooms.room, rooms.room.c.id == message.c.room_id)
    .where(message.c.id == bindparam("message_id"))
)
_LINES = (
    select(message.c.id, person.c.username, message.c.text, message.c.created_at, message.c.edited_at)
    .join(person, person.c.id == message.c.author_id)
    .where(message.c.room_id == bindparam("room_id"))
)
_ITSELF = _LINES.where(message.c.id == bindparam("message_id"))
_BEFORE = (
    _LINES.where(message.c.id < bindparam("message_id"), message.c.deleted_at.is_(None))
    .order_by(message.c.id.desc())
    .limit(bindparam("most"))
)
_AFTER = (
    _LINES.where(message.c.id > bindparam("message_id"), message.c.deleted_at.is_(None))
    .order_by(message.c.id)
    .limit(bindparam("most"))
)
_SETTLE = (
    update(report)
    .where(report.c.message_id == bindparam("of_message"), report.c.settled_at.is_(None))
    .values(settled_at=bindparam("now"), settler_id=bindparam("settler"), outcome=bindparam("outcome_is"), said=None)
)
