"""Reading: how far somebody has read in a room, and what they want to be told of there.

The mark is one for all devices of a person. It only goes forward, unless they say otherwise, and never further than
the room's last message. Nothing is counted while people write: what is unread follows from the mark and the messages.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, func, select, update

from .. import events
from ..db import Transaction
from ..db.lists import among
from . import clock, rooms
from .errors import Invalid, NotFound, Refused
from .memberships import membership
from .messages import message
from .people import Person
from .rooms import Room

ALL, MENTIONS, NONE = LEVELS = ("all", "mentions", "none")
"""What counts as new in a room: every message, those that name me, nothing."""

MOST_MUTED = 366 * 24 * 3600
"""Seconds that a room can be muted for."""

MOVED, CHANGED = "read.moved", "membership.changed"


@dataclass(frozen=True, slots=True)
class Mark:
    """What somebody says they have read: a room up to a message. ``force``: also if they had read further."""

    reader: Person
    room: str
    through: int
    force: bool = False


def check(reader: Person, slug: str, through: object, force: object = False) -> Mark:
    """A mark as somebody sends it. Raises :class:`Invalid`."""
    if not isinstance(through, int) or isinstance(through, bool) or not 0 <= through < 2**62:
        raise Invalid("through is the id of a message.")
    if not isinstance(force, bool):
        raise Invalid("force is true or false.")
    return Mark(reader, slug, through, force)


def mark_together(transaction: Transaction, marks: list[Mark]) -> list[bool | Exception]:
    """Keep marks that wait for the same commit: for each whether it changed anything, or why it cannot be."""
    transaction.lock()
    found = _found(transaction.connection, marks)
    moved: dict[tuple[int, str], int] = {}
    outcomes: list[bool | Exception] = []
    for mark in marks:
        key = mark.reader.id, mark.room
        if key not in found:
            outcomes.append(_outside(transaction.connection, mark))
            continue
        _, read_id, last_id = found[key]
        before = moved.get(key, read_id)
        after = min(mark.through, last_id)
        if not mark.force or after == last_id:
            after = max(before, after)
        outcomes.append(after != before)
        if after != before:
            moved[key] = after
    now = [(key[0], found[key][0], read_id) for key, read_id in moved.items()]
    _keep(transaction, [each for each, key in zip(now, moved, strict=True) if each[2] != found[key][1]])
    return outcomes


def mark(transaction: Transaction, reader: Person, place: Room, through: int, force: bool = False) -> bool:
    """Move somebody's mark in a room that they are in; says whether it was moved.

    Raises :class:`NotFound` or :class:`Forbidden` if they are not in it.
    """
    [outcome] = mark_together(transaction, [Mark(reader, place.slug, through, force)])
    if isinstance(outcome, Exception):
        raise outcome
    return outcome


def notify(transaction: Transaction, reader: Person, slug: str, level: object = None, mute_for: object = None) -> Room:
    """Set what counts as new in a room, and for how many seconds from now nothing does (0: no longer muted).

    What is None stays as it is. Returns the room. Raises :class:`Invalid`, and :class:`NotFound` or
    :class:`Forbidden` if they are not in it.
    """
    if level is not None and level not in LEVELS:
        raise Invalid("notify is all, mentions or none.")
    if mute_for is not None and (
        not isinstance(mute_for, int) or isinstance(mute_for, bool) or not 0 <= mute_for <= MOST_MUTED
    ):
        raise Invalid(f"A room is muted for 0 to {MOST_MUTED} seconds.")
    transaction.lock()
    place = rooms.for_member(transaction.connection, reader, slug)
    row = transaction.connection.execute(_LEVEL, {"of_person": reader.id, "of_room": place.id}).one()
    chosen = row.notify if level is None else level
    until = row.muted_until
    if mute_for is not None:
        until = transaction.now + 1000 * mute_for if mute_for else None
    if (chosen, until) != (row.notify, row.muted_until):
        transaction.connection.execute(
            _SET_LEVEL, {"of_person": reader.id, "of_room": place.id, "chosen": chosen, "until": until}
        )
        events.record(
            transaction,
            CHANGED,
            room=place.place,
            person_id=reader.id,
            subject_id=place.id,
            notify=chosen,
            muted_until=None if until is None else clock.rfc3339(until),
        )
    return place


def _found(connection: Connection, marks: Sequence[Mark]) -> dict[tuple[int, str], tuple[Room, int, int]]:
    """The room, the mark as it is, and the room's last message, by reader and slug."""
    asked = rooms.for_members(connection, {(mark.reader.id, mark.room) for mark in marks})
    parameters = {
        "room_ids": list({place.id for place in asked.values()}),
        "person_ids": list({person_id for person_id, _ in asked}),
    }
    rows = connection.execute(_MARKS, parameters) if asked else ()
    now = {(person_id, room_id): (read_id, last_id) for person_id, room_id, read_id, last_id in rows}
    return {key: (place, *now[key[0], place.id]) for key, place in asked.items()}


def _keep(transaction: Transaction, moved: Sequence[tuple[int, Room, int]]) -> None:
    """Keep where the marks of people (by their ids) in rooms are now, and tell each of them."""
    if not moved:
        return
    id = events.next_id(transaction)
    transaction.connection.execute(
        _MOVE,
        [{"of_person": person_id, "of_room": place.id, "through": read_id} for person_id, place, read_id in moved],
    )
    told = [
        events.made(number, MOVED, room=place.place, person_id=person_id, subject_id=place.id, read_id=read_id)
        for number, (person_id, place, read_id) in enumerate(moved, id)
    ]
    events.append(transaction, told)


def _outside(connection: Connection, mark: Mark) -> Refused:
    """Why somebody who is not in a room cannot have read it."""
    try:
        rooms.for_member(connection, mark.reader, mark.room)
    except Refused as error:
        return error
    return NotFound("There is no such room.")


_MINE = (membership.c.person_id == bindparam("of_person"), membership.c.room_id == bindparam("of_room"))
_LAST = select(func.max(message.c.id)).where(message.c.room_id == membership.c.room_id).correlate(membership)
_MARKS = select(
    membership.c.person_id,
    membership.c.room_id,
    membership.c.read_id,
    func.coalesce(_LAST.scalar_subquery(), 0),
).where(among(membership.c.room_id, "room_ids"), among(membership.c.person_id, "person_ids"))
_MOVE = update(membership).where(*_MINE).values(read_id=bindparam("through"))
_LEVEL = select(membership.c.notify, membership.c.muted_until).where(*_MINE)
_SET_LEVEL = update(membership).where(*_MINE).values(notify=bindparam("chosen"), muted_until=bindparam("until"))
