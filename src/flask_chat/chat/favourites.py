"""Favourites: which of somebody's rooms come first, and in which order. Nobody else hears of it."""

from __future__ import annotations

from sqlalchemy import bindparam, func, select, update

from .. import events
from ..db import Transaction
from . import rooms
from .errors import Invalid
from .memberships import membership
from .people import Person
from .rooms import Room


def keep(transaction: Transaction, who: Person, slug: str) -> Room:
    """Make a room one of ``who``'s favourites, the last of them. Raises :class:`NotFound` and :class:`Forbidden`."""
    place = rooms.for_member(transaction.connection, who, slug)
    if not transaction.connection.execute(_IS, {"of_person": who.id, "of_room": place.id}).scalar_one():
        last = transaction.connection.execute(_LAST, {"of_person": who.id}).scalar_one()
        _set(transaction, who, place, True, last + 1)
    return place


def drop(transaction: Transaction, who: Person, slug: str) -> Room:
    """Make a room one like the others again. Raises :class:`NotFound` and :class:`Forbidden`."""
    place = rooms.for_member(transaction.connection, who, slug)
    if transaction.connection.execute(_IS, {"of_person": who.id, "of_room": place.id}).scalar_one():
        _set(transaction, who, place, False, None)
    return place


def move_up(transaction: Transaction, who: Person, slug: str) -> Room:
    """Put a favourite before the one that it comes after. Raises :class:`NotFound` and :class:`Forbidden`."""
    place = rooms.for_member(transaction.connection, who, slug)
    rows = transaction.connection.execute(_FAVOURITES, {"of_person": who.id}).all()
    before = sorted(rows, key=lambda row: (row.position or 0, row.room_id))
    order = [row.room_id for row in before]
    if place.id in order[1:]:
        at = order.index(place.id)
        mine = {each.id: each.slug for each in rooms.all_for(transaction.connection, who)}
        order[at - 1 : at + 1] = [place.id, order[at - 1]]
        arrange(transaction, who, [mine[id] for id in order])
    return place


def arrange(transaction: Transaction, who: Person, slugs: object) -> None:
    """Put favourites into an order: those named, first to last, are favourites then, and no others are.

    Raises :class:`Invalid`, and :class:`NotFound` or :class:`Forbidden` for a room that they are not in.
    """
    if not isinstance(slugs, list) or not all(isinstance(slug, str) for slug in slugs):
        raise Invalid("An order is a list of rooms.")
    wanted = {rooms.for_member(transaction.connection, who, slug): None for slug in slugs}
    before = {row.room_id: row.position for row in transaction.connection.execute(_FAVOURITES, {"of_person": who.id})}
    for position, place in enumerate(wanted, 1):
        if before.pop(place.id, None) != position:
            _set(transaction, who, place, True, position)
    for place in rooms.all_for(transaction.connection, who):
        if place.id in before:
            _set(transaction, who, place, False, None)


def _set(transaction: Transaction, who: Person, place: Room, favourite: bool, position: int | None) -> None:
    transaction.connection.execute(
        _SET, {"of_person": who.id, "of_room": place.id, "is_favourite": favourite, "at": position}
    )
    events.record(
        transaction,
        "membership.changed",
        room=place.place,
        person_id=who.id,
        subject_id=place.id,
        favourite=favourite,
        position=position,
    )


_MINE = membership.c.person_id == bindparam("of_person")
_IS = select(membership.c.favourite).where(_MINE, membership.c.room_id == bindparam("of_room"))
_FAVOURITES = select(membership.c.room_id, membership.c.position).where(_MINE, membership.c.favourite.is_(True))
_LAST = select(func.coalesce(func.max(membership.c.position), 0)).where(_MINE)
_SET = (
    update(membership)
    .where(_MINE, membership.c.room_id == bindparam("of_room"))
    .values(favourite=bindparam("is_favourite"), position=bindparam("at"))
)
