"""Retention: how long a room keeps what is said in it, and the sweep that sees to it."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, update

from .. import events
from ..db import Transaction
from ..db.lists import among
from . import audit, permissions, rooms, settings
from .errors import Forbidden, Invalid
from .mentions import mention
from .messages import message
from .people import Person
from .reports import report
from .rooms import Room, room

DAY = 86_400_000

AT_ONCE = 500
"""Messages that one transaction removes: posts wait for it."""


def choose(transaction: Transaction, who: Person, place: Room, days: int | None) -> None:
    """Let a room keep messages for so many days, or as the chat does if None.

    Raises :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    permissions.require(transaction.connection, who, "room.clear", place)
    if place.kind in (rooms.DIRECT, rooms.GROUP):
        raise Forbidden("A conversation belongs to everybody in it.")
    if days is not None and not 1 <= days <= settings.MAX_DAYS:
        raise Invalid(f"That is a whole number from 1 to {settings.MAX_DAYS:,}, or nothing for the chat's own.")
    before = transaction.connection.execute(_DAYS, {"id": place.id}).scalar_one()
    if before != days:
        transaction.connection.execute(update(room).where(room.c.id == place.id).values(retention_days=days))
        audit.record(transaction, who, "room.retain", room=place, days=days)
        events.record(transaction, "room.changed", room=place.place, subject_id=place.id)


def sweep(transaction: Transaction) -> int:
    """Remove some of the messages that are past their days; returns how many, :data:`AT_ONCE` if there may be more.

    They go by their age and their room, the oldest first. Whoever is in the room is told up to which message it is
    empty.
    """
    transaction.lock()
    connection = transaction.connection
    general = settings.read(connection).retention_days
    removed = 0
    for row in connection.execute(_ROOMS).all():
        place = rooms.from_row(row[:-1])
        # What people say to each other in conversations is theirs: no setting of the chat reaches it.
        days = row[-1] if row[-1] is not None or place.kind in (rooms.DIRECT, rooms.GROUP) else general
        if days is not None and removed < AT_ONCE:
            removed += _sweep(transaction, place, transaction.now - days * DAY, AT_ONCE - removed)
    return removed


def _sweep(transaction: Transaction, place: Room, before: int, most: int) -> int:
    connection = transaction.connection
    first = connection.execute(_OLDEST, {"of_room": place.id, "most": 1}).first()
    if first is None or first.created_at >= before:
        return 0  # So it is in most rooms, and posts wait for all of them.
    rows = connection.execute(_OLDEST, {"of_room": place.id, "most": most}).all()
    ids: list[int] = []
    for row in rows:
        # The oldest come first: whatever follows one that stays, stays.
        if row.created_at >= before:
            break
        ids.append(row.id)
    if ids:
        connection.execute(_MENTIONS, {"ids": ids})
        # Nobody can judge any more what was reported.
        connection.execute(_REPORTS, {"ids": ids})
        connection.execute(_REMOVE, {"ids": ids})
        events.record(transaction, "room.cleared", room=place.place, subject_id=place.id, through=ids[-1])
    return len(ids)


_DAYS = select(room.c.retention_days).where(room.c.id == bindparam("id"))
_ROOMS = select(*rooms.COLUMNS, room.c.retention_days).order_by(room.c.id)
_OLDEST = (
    select(message.c.id, message.c.created_at)
    .where(message.c.room_id == bindparam("of_room"))
    .order_by(message.c.id)
    .limit(bindparam("most"))
)
_MENTIONS = delete(mention).where(among(mention.c.message_id, "ids"))
_REPORTS = delete(report).where(among(report.c.message_id, "ids"))
_REMOVE = delete(message).where(among(message.c.id, "ids"))
