"""Upkeep: what a room's owner does about it, from making it to clearing it."""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import bindparam, select

from .. import events
from ..db import Database, Transaction
from . import audit, erasing, names, permissions, rooms, text
from .errors import Conflict, Forbidden, Invalid, TooLong
from .messages import message
from .people import Person
from .rooms import DIRECT, GROUP, Room

MAX_TOPIC = 250
"""Characters in a room's topic, which is one line."""

MAX_DESCRIPTION = 2_000
"""Characters in a room's description."""

CLEARED_AT_ONCE = 2_000
"""Messages that one transaction clears: others wait for it."""

CHANGEABLE = ("name", "topic", "description", "archived")
"""What may be changed about a room."""


def create(
    transaction: Transaction, creator: Person, name: object, kind: object = rooms.PUBLIC, topic: object = ""
) -> Room:
    """Make a room that ``creator`` owns and is in.

    Raises :class:`Forbidden`, or :class:`Invalid` or :class:`TooLong` with the reason.
    """
    permissions.require(transaction.connection, creator, "room.create")
    if not isinstance(kind, str):
        raise Invalid("A room is public or private.")
    said = _line(topic, "topic", MAX_TOPIC)
    made = rooms.create(transaction, creator, name, kind)
    return rooms.update_row(transaction, made, topic=said) if said else made


def change(transaction: Transaction, who: Person, slug: str, changes: Mapping[str, object]) -> Room:
    """Change a room's name, topic, description (texts) or whether it is archived (a truth value); returns it as it is.

    The room is told, if anything is different. Raises :class:`NotFound`, :class:`Forbidden`, or :class:`Invalid` or
    :class:`TooLong` with the reason.
    """
    transaction.lock()
    before = changeable(transaction, who, slug)
    after, row = before, _checked(before, changes)
    archived_at = row.pop("archived_at", before.archived_at)
    if (archived_at is None) != (before.archived_at is None):
        row["archived_at"] = archived_at if archived_at is None else transaction.now
    name = row.pop("name", before.name)
    if name != before.name:
        after = rooms.rename(transaction, before, str(name))
        events.record(
            transaction, "room.renamed", room=after.place, subject_id=after.id, was=before.slug, name=after.name
        )
    different = {key: value for key, value in row.items() if getattr(before, key) != value}
    if different:
        after = rooms.update_row(transaction, after, **different)
        events.record(transaction, "room.changed", room=after.place, subject_id=after.id)
    return after


def clear(database: Database, who: Person, slug: str, confirmed: object) -> int:
    """Remove everything that was said in a room so far, for good, and write down who did; returns how many messages.

    ``confirmed`` is the room's name, written a second time. It is done in pieces, each with the event that says up to
    where: if it breaks off, what is left can be cleared again. Raises :class:`NotFound`, :class:`Forbidden` and
    :class:`Conflict`.
    """
    cleared, rest = _clear_some(database, who, slug, confirmed, None)
    more = cleared
    while more == CLEARED_AT_ONCE:
        more, rest = _clear_some(database, who, slug, confirmed, rest)
        cleared += more
    return cleared


def changeable(transaction: Transaction, who: Person, slug: str) -> Room:
    """The room with this slug if ``who`` may change it. Raises :class:`NotFound` and :class:`Forbidden`."""
    place, _ = rooms.visible(transaction.connection, who, slug)
    if place.kind in (DIRECT, GROUP):
        raise Forbidden("A conversation has no settings: it is between those who are in it.")
    permissions.require(transaction.connection, who, "room.change", place)
    return place


def _checked(place: Room, changes: Mapping[str, object]) -> dict[str, object]:
    """What is to be in the room's row. Raises :class:`Invalid` or :class:`TooLong`."""
    unknown = [key for key in changes if key not in CHANGEABLE]
    if unknown:
        raise Invalid(f"A room has no {names.fold(unknown[0])[:40]} to change.")
    row: dict[str, object] = {}
    if "name" in changes:
        row["name"] = rooms.check_name(changes["name"])
    if "topic" in changes:
        row["topic"] = _line(changes["topic"], "topic", MAX_TOPIC)
    if "description" in changes:
        row["description"] = _words(changes["description"], "description", MAX_DESCRIPTION)
    if "archived" in changes:
        if not isinstance(changes["archived"], bool):
            raise Invalid("A room is archived, true or false.")
        if changes["archived"] and place.slug == rooms.LOBBY:
            raise Invalid("The lobby is where everybody starts. It cannot be archived.")
        row["archived_at"] = 0 if changes["archived"] else None
    return row


def _line(raw: object, what: str, most: int) -> str:
    return " ".join(_words(raw, what, most).split())


def _words(raw: object, what: str, most: int) -> str:
    """A text that may be empty. Raises :class:`Invalid` or :class:`TooLong`."""
    if not isinstance(raw, str):
        raise Invalid(f"The {what} is a text.")
    try:
        return text.check(raw, most)
    except text.InvalidText as error:
        if error.code == "empty":
            return ""
        if error.code == "too_long":
            raise TooLong(f"The {what} has {most:,} characters at most.") from None
        raise Invalid(error.reason) from None


def _clear_some(
    database: Database, who: Person, slug: str, confirmed: object, rest: tuple[int, int] | None
) -> tuple[int, tuple[int, int]]:
    """Clear the oldest messages of what the piece before left; how many there were, and what is left now.

    What is left is bounded by two ids: the last that is gone, and the last that there was when all of it began.
    """

    def clear(transaction: Transaction) -> tuple[int, tuple[int, int]]:
        connection = transaction.connection
        place, _ = rooms.visible(connection, who, slug)
        if place.kind in (DIRECT, GROUP):
            raise Forbidden("A conversation is everybody's who is in it. Nobody clears it alone.")
        permissions.require(connection, who, "room.clear", place)
        if not isinstance(confirmed, str) or names.fold(confirmed) != names.fold(place.name):
            raise Conflict("To clear the history, write the name of the room exactly as it is.")
        if rest is None:
            audit.record(transaction, who, "room.clear", room=place)
        after, last = rest or (0, events.last_id(connection))
        bounds = {"in_room": place.id, "after": after, "through": last, "most": CLEARED_AT_ONCE}
        ids = list(connection.execute(_OLDEST, bounds).scalars())
        if not ids:
            return 0, (after, last)
        erasing.erase(transaction, ids)
        events.record(transaction, "room.cleared", room=place.place, subject_id=place.id, through=ids[-1])
        return len(ids), (ids[-1], last)

    return database.write(clear)


_OLDEST = (
    select(message.c.id)
    .where(
        message.c.room_id == bindparam("in_room"),
        message.c.id > bindparam("after"),
        message.c.id <= bindparam("through"),
        message.c.deleted_at.is_(None),
    )
    .order_by(message.c.id)
    .limit(bindparam("most"))
)
