"""Conversations: of two, or of a few, without a name of their own.

There is one for the same people, whoever begins it. It stays between those it was begun with.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, select

from ..db import Transaction
from . import blocks, memberships, messages, people, permissions, rooms
from .errors import Forbidden, Invalid
from .people import Person
from .rooms import DIRECT, GROUP, Room, room

MOST = 20
"""People in a group conversation."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A conversation; ``new`` is False if it was there already."""

    room: Room
    new: bool


def begin(transaction: Transaction, who: Person, usernames: object) -> Begun:
    """The conversation of ``who`` with others, by their names; made if there is none.

    Who has left a group comes back into it so. Raises :class:`NotFound` for somebody unknown, :class:`Invalid` for
    nobody, too many or oneself alone, :class:`Forbidden` if they may not.
    """
    transaction.lock()
    connection = transaction.connection
    others = _others(connection, who, usernames)
    permissions.require(connection, who, "conversation.begin")
    if any(blocks.between(connection, who, other) for other in others):
        raise Forbidden("This conversation is not possible.")
    pair = _pair(who, others)
    row = connection.execute(_BETWEEN, {"pair": pair}).first()
    if row is not None:
        found = rooms.from_row(row)
        memberships.add(transaction, found, who)
        return Begun(found, False)
    made = rooms.make(transaction, who, "", DIRECT if len(others) == 1 else GROUP, pair)
    for other in others:
        memberships.add(transaction, made, other)
    return Begun(made, True)


def say(
    transaction: Transaction, who: Person, usernames: object, words: object, client_id: object = None, root: str = ""
) -> Begun:
    """:func:`begin`, and say something there; if that is refused, nothing is begun either.

    Raises what :func:`begin` and :func:`flask_chat.chat.messages.draft` do, and what posting is refused with.
    """
    begun = begin(transaction, who, usernames)
    draft = messages.draft(who, begun.room.slug, words, client_id, root)
    (outcome,) = messages.post_together(transaction, [draft])
    if isinstance(outcome, Exception):
        raise outcome
    return begun


def with_one(connection: Connection, who: Person, other: Person) -> Room | None:
    """The conversation of two people, if it was begun."""
    row = connection.execute(_BETWEEN, {"pair": _pair(who, [other])}).first()
    return None if row is None else rooms.from_row(row)


def _others(connection: Connection, who: Person, usernames: object) -> list[Person]:
    if not isinstance(usernames, Sequence) or isinstance(usernames, str) or not usernames:
        raise Invalid("Say with whom: a list of names.")
    if len(usernames) > 2 * MOST:
        raise _too_many()
    found: dict[int, Person] = {}
    for username in usernames:
        if not isinstance(username, str):
            raise Invalid("Say with whom: a list of names.")
        person = people.find(connection, username)
        found[person.id] = person
    found.pop(who.id, None)
    if not found:
        raise Invalid("A conversation needs somebody else.")
    if len(found) >= MOST:
        raise _too_many()
    return list(found.values())


def _too_many() -> Invalid:
    return Invalid(f"A conversation has {MOST} people at most. Make a room for more.")


def _pair(who: Person, others: Sequence[Person]) -> str:
    return "-".join(map(str, sorted({who.id, *(other.id for other in others)})))


_BETWEEN = select(*rooms.COLUMNS).where(room.c.pair == bindparam("pair"))
