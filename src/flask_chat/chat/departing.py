"""Departing: somebody is here no longer. Their name is free, and what they leave stands under one that is nobody's.

An event says so to everybody; who shows their messages reads them anew.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from sqlalchemy import Connection, Row, bindparam, delete, func, or_, select, update

from .. import events
from ..db import Database, Transaction
from ..events import Event, event
from . import credentials, erasing, memberships, names, people, rooms, sessions
from .blocks import block
from .errors import Conflict, NotFound, Refused
from .invitations import invitation
from .memberships import membership
from .mentions import mention
from .messages import message
from .people import Person, former_name, person
from .profiles import profile
from .rooms import DIRECT, GROUP, room

ERASED_AT_ONCE = 200
"""Messages that one transaction erases: others wait for it."""

READ_AT_ONCE = 100_000
"""Numbers of the log that one query looks through: it has no index by whom an event is about."""

NOBODY_NAMED = "Somebody"
"""What those are called, marked as former, who have deleted their account."""


def mark_former(transaction: Transaction, who: Person) -> Person:
    """Free somebody's names and end their sessions; what they said stays, under their name marked as former."""
    return _depart(transaction, who, who.username, who.username)


def delete_account(database: Database, who: Person, confirmed: str, *, erase: bool) -> None:
    """Delete somebody's account: their names, profile, proofs and sessions, and the rooms that they were in.

    What they said stays under a name that does not say who they were, or with ``erase`` is removed first, in pieces: if
    that breaks off, the account is still there. ``confirmed`` is their name, written by themselves. Raises
    :class:`Conflict` if it is another, :class:`Refused` for the owner of the chat, :class:`NotFound` if it is gone.
    """
    if names.fold(confirmed) != names.fold(who.username):
        raise Conflict("To delete your account, write your name as it is.")
    _refuse_owner(who)
    piece = ERASED_AT_ONCE
    while erase and piece == ERASED_AT_ONCE:
        piece = database.write(lambda transaction: _erase_some(transaction, who))
    told: list[Row[Any, Any]] = []
    with database.read() as connection:
        through = events.last_id(connection)
        for after in range(0, through, READ_AT_ONCE):
            stretch = {"person_id": who.id, "after": after, "through": min(after + READ_AT_ONCE, through)}
            told += connection.execute(_NAMING, stretch).all()
    database.write(lambda transaction: _delete(transaction, who, told, through, erase))


def _delete(transaction: Transaction, who: Person, told: Sequence[Row[Any, Any]], through: int, erase: bool) -> None:
    transaction.lock()
    row = transaction.connection.execute(_STILL_HERE, {"person_id": who.id}).first()
    # They may have become the owner since they were asked, or the account may be gone.
    if row is None:
        raise NotFound("This account is deleted.")
    _refuse_owner(Person(*row))
    while erase and _erase_some(transaction, who):
        pass
    stretch = {"person_id": who.id, "after": through, "through": events.last_id(transaction.connection)}
    since = transaction.connection.execute(_NAMING, stretch).all()
    now_called = _depart(transaction, who, NOBODY_NAMED)
    _rewrite(transaction, [*told, *since], now_called.username)


def _depart(transaction: Transaction, who: Person, name: str, was: str | None = None) -> Person:
    transaction.lock()
    connection = transaction.connection
    sessions.revoke_all(transaction, who.id)
    # The rows stay, as their numbers must not be given out anew; what they say of somebody's devices does not.
    connection.execute(
        update(sessions.session).where(sessions.session.c.person_id == who.id).values(device=None, network=None)
    )
    credentials.drop(transaction, who.id)
    for table in (former_name, profile, mention):
        connection.execute(delete(table).where(table.c.person_id == who.id))
    connection.execute(delete(block).where(or_(block.c.person_id == who.id, block.c.blocked_id == who.id)))
    connection.execute(
        update(invitation)
        .where(invitation.c.inviter_id == who.id, invitation.c.revoked_at.is_(None))
        .values(revoked_at=transaction.now)
    )
    _leave_rooms(transaction, who)
    username, key = _former(connection, name)
    connection.execute(
        update(person)
        .where(person.c.id == who.id)
        .values(username=username, key=key, role=people.GUEST, claimed_at=None, former_at=transaction.now)
    )
    gone = Person(who.id, username, people.GUEST, who.created_at)
    said = people.shown(gone) if was is None else {"was": was, **people.shown(gone)}
    events.record(transaction, "person.departed", subject_id=who.id, **said)
    return gone


def _leave_rooms(transaction: Transaction, who: Person) -> None:
    """Without a word: that they departed is told once. Whom a conversation was with is to be seen in it for ever."""
    connection = transaction.connection
    owned = list(connection.execute(_OWNED, {"person_id": who.id}).scalars())
    talks = select(room.c.id).where(room.c.kind.in_((DIRECT, GROUP)))
    connection.execute(delete(membership).where(membership.c.person_id == who.id, membership.c.room_id.not_in(talks)))
    for room_id in owned:
        # Whoever has been in the room longest has it now.
        heir = connection.execute(_LONGEST, {"room_id": room_id}).scalar_one_or_none()
        if heir is not None:
            connection.execute(
                update(membership)
                .where(membership.c.room_id == room_id, membership.c.person_id == heir)
                .values(role=memberships.OWNER)
            )


def _former(connection: Connection, name: str) -> tuple[str, str]:
    """A name marked as former that nobody has had, and its key. No name that can be chosen has a key like it."""
    base = f" {names.key(name)[:_MOST_KEY]} "
    known = {"first": base, "end": base + chr(0x10FFFF)}
    number: int = connection.execute(_LIKE_IT, known).scalar_one() + 1
    while connection.execute(_TAKEN, {"key": f"{base}{number}"}).first() is not None:
        number += 1
    mark = "(former)" if number == 1 else f"(former {number})"
    return f"{name[: _MOST_NAME - len(mark) - 1]} {mark}", f"{base}{number}"


def _erase_some(transaction: Transaction, who: Person) -> int:
    """Remove some of what somebody said, the oldest first; returns how many messages."""
    transaction.lock()
    connection = transaction.connection
    found = connection.execute(_SAID, {"author_id": who.id, "most": ERASED_AT_ONCE}).all()
    if found:
        erasing.erase(transaction, [row.id for row in found])
        events.append(transaction, _deleted(found, events.next_id(transaction)))
    return len(found)


def _deleted(found: Sequence[Row[Any, Any, Any]], first: int) -> list[Event]:
    """The events that say which messages are gone, numbered from ``first`` on."""
    told = []
    for id, row in enumerate(found, first):
        # No message of another begins to stand under its author's name by it.
        data = msgspec.json.encode({"message_id": row.id, "revealed": None, "room": row.slug}).decode()
        body = events.plain(id, "message.deleted", row.slug, data)
        told.append(Event(id, "message.deleted", row.room_id, None, row.id, body, data=data))
    return told


def _rewrite(transaction: Transaction, told: Sequence[Row[Any, Any]], username: str) -> None:
    """Let the log say no more whom its events were about."""
    rows = [
        {"of": id, "said": msgspec.json.encode({**said, **{key: username for key in _NAMES if key in said}}).decode()}
        for id, said in ((row.id, msgspec.json.decode(row.data)) for row in told)
    ]
    if rows:
        transaction.connection.execute(_SAY_OTHERWISE, rows)


def _refuse_owner(who: Person) -> None:
    if who.owner:
        raise Refused("This chat is yours. Hand it over to somebody else first.")


_STILL_HERE = select(*people.COLUMNS).where(person.c.id == bindparam("person_id"), person.c.former_at.is_(None))
_MOST_NAME, _MOST_KEY = 128, 480
_NAMES = ("username", "was")
_LIKE_IT = select(func.count()).where(person.c.key >= bindparam("first"), person.c.key < bindparam("end"))
_TAKEN = select(person.c.id).where(person.c.key == bindparam("key"))
_OWNED = (
    select(membership.c.room_id)
    .join(room, room.c.id == membership.c.room_id)
    .where(
        membership.c.person_id == bindparam("person_id"),
        membership.c.role == memberships.OWNER,
        room.c.kind.not_in((DIRECT, GROUP)),
    )
)
_LONGEST = (
    select(membership.c.person_id)
    .where(membership.c.room_id == bindparam("room_id"))
    .order_by(membership.c.role != memberships.OWNER, membership.c.joined_at, membership.c.person_id)
    .limit(1)
)
_SAID = (
    select(message.c.id, message.c.room_id, rooms.room.c.slug)
    .join(rooms.room, rooms.room.c.id == message.c.room_id)
    .where(message.c.author_id == bindparam("author_id"), message.c.deleted_at.is_(None))
    .order_by(message.c.id)
    .limit(bindparam("most"))
)
_NAMING = select(event.c.id, event.c.data).where(
    event.c.subject_id == bindparam("person_id"),
    event.c.type.in_(
        (
            "block.added",
            "block.removed",
            "member.changed",
            "member.joined",
            "member.left",
            "person.changed",
            "person.renamed",
        )
    ),
    event.c.data.is_not(None),
    event.c.id > bindparam("after"),
    event.c.id <= bindparam("through"),
)
_SAY_OTHERWISE = update(event).where(event.c.id == bindparam("of")).values(data=bindparam("said"))
