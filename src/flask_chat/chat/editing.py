"""Editing: who wrote a message gives it other words, for as long as the chat's setting lets them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, select, update

from .. import events
from ..db import Transaction
from . import mentions, messages, permissions, restrictions, rooms, settings
from .errors import Forbidden, NotFound
from .mentions import mention
from .messages import Draft, Message, message
from .people import Person, person
from .reports import report
from .rooms import Room

MINUTE = 60_000
"""Milliseconds."""


def edit(transaction: Transaction, new: Draft, message_id: int) -> Message:
    """Let a message say what ``new`` says, and tell the room; nothing happens if it says so already.

    Raises :class:`NotFound` and :class:`Forbidden`.
    """
    transaction.lock()
    connection = transaction.connection
    room = rooms.for_member(connection, new.author, new.room)
    row = connection.execute(_FOUND, {"message_id": message_id, "of_room": room.id}).first()
    if row is None:
        raise NotFound("There is no such message.")
    if row.author_id == new.author.id and row.text == new.text:
        # Also what was kept, and is tried again when its time is over.
        return messages.from_row(row[: len(messages.COLUMNS)], room.slug, new.root)
    require(connection, new.author, room, row.author_id, row.created_at, transaction.now)
    meant = mentions.People(connection, [(room.id, new.sought)]) if new.sought else None
    named = mentions.NOBODY if meant is None else meant.named(new.text, room.id, new.sought)
    # Whoever shows it must know the newest words by it, whatever became of the clocks.
    edited_at = max(transaction.now, (row.edited_at or row.created_at) + 1)
    connection.execute(
        _CHANGE,
        {
            "of_message": message_id,
            "words": new.text,
            "now": edited_at,
            "places": mentions.encode(named.places) if named.places else None,
            "check": _check(row, transaction.key),
        },
    )
    connection.execute(_NOTE_REPORTED, {"of_message": message_id, "words": row.text})
    connection.execute(_FORGET_MENTIONS, {"of_message": message_id})
    rows = mentions.rows(message_id, room.id, new.author.id, named)
    if rows:
        transaction.insert((mention, rows))
    kept = messages.present(
        message_id,
        room.slug,
        row.username,
        new.text,
        row.created_at,
        edited_at,
        row.client_id,
        row.continues,
        new.root,
        named.places,
    )
    events.append(transaction, [messages.edited_event(events.next_id(transaction), room.id, kept)])
    return kept


def may(connection: Connection, who: Person, room: Room, author_id: int, created_at: int, now: int) -> bool:
    """Whether ``who`` may edit a message in ``room`` just now, as :func:`require` asks."""
    try:
        require(connection, who, room, author_id, created_at, now)
    except Forbidden:
        return False
    return True


def require(connection: Connection, who: Person, room: Room, author_id: int, created_at: int, now: int) -> None:
    """Raise :class:`Forbidden`, with the reason, unless ``who`` may edit a message in ``room`` just now.

    Times are in milliseconds since 1970, UTC.
    """
    if author_id != who.id:
        raise Forbidden(permissions.RULES["message.edit"].reason)
    permissions.require(connection, who, "message.edit", room)
    # Editing is no second message, for which one waits in slow mode; and who is muted was asked just now.
    refused = restrictions.Gate(connection, now).refuse(who, replace(room, watched=False, slow_seconds=0))
    if refused is not None:
        raise refused
    minutes = settings.read(connection).edit_minutes
    # A clock that was set back since takes no time away, and gives none where there is none.
    if minutes is not None and (not minutes or now >= created_at + minutes * MINUTE):
        raise Forbidden(f"Messages can be edited for {_long(minutes)} here." if minutes else "Nothing is edited here.")


def _check(row: Row[*tuple[Any, ...]], key: bytes) -> int | None:
    """What is kept to know a second sending by, if there can be one."""
    if row.client_id is None or row.sent_check is not None:
        return row.sent_check  # type: ignore[no-any-return]
    return messages.checksum(row.text, key)


def _long(minutes: int) -> str:
    """So many minutes in the largest unit that they are a whole number of."""
    size, unit = next(each for each in _UNITS if minutes % each[0] == 0)
    return f"{minutes // size:,} {unit}{'' if minutes == size else 's'}"


_UNITS = ((1440, "day"), (60, "hour"), (1, "minute"))
_FOUND = (
    select(*messages.COLUMNS, message.c.author_id, message.c.sent_check)
    .join(person, person.c.id == message.c.author_id)
    .where(
        message.c.id == bindparam("message_id"),
        message.c.room_id == bindparam("of_room"),
        message.c.deleted_at.is_(None),
    )
)
_CHANGE = (
    update(message)
    .where(message.c.id == bindparam("of_message"))
    .values(
        text=bindparam("words"),
        edited_at=bindparam("now"),
        mentions=bindparam("places"),
        sent_check=bindparam("check"),
    )
)
# Each report is of what the message said then.
_NOTE_REPORTED = (
    update(report)
    .where(report.c.message_id == bindparam("of_message"), report.c.settled_at.is_(None), report.c.said.is_(None))
    .values(said=bindparam("words"))
)
_FORGET_MENTIONS = delete(mention).where(mention.c.message_id == bindparam("of_message"))
