"""Roles: who keeps order in the chat, whose it is, and who is let in."""

from __future__ import annotations

from sqlalchemy import bindparam, select, update

from .. import events
from ..db import Transaction
from . import audit, memberships, permissions, rooms, settings
from .errors import Invalid
from .moderation import person_of, room_of
from .people import APPLICANT, GUEST, MEMBER, MODERATOR, OWNER, Person, person


def appoint(transaction: Transaction, who: Person, chosen: Person, *, moderator: bool) -> None:
    """Make somebody a moderator, or one no more. Raises :class:`Forbidden` and :class:`Invalid`."""
    transaction.lock()
    permissions.require(transaction.connection, who, "person.appoint")
    if chosen.role == OWNER:
        raise Invalid("The owner keeps order anyway.")
    if chosen.role == APPLICANT:
        raise Invalid("Let them in first.")
    role = MODERATOR if moderator else _without_office(transaction, chosen)
    if role != chosen.role and (moderator or chosen.role == MODERATOR):
        _set(transaction, chosen, role)
        audit.record(transaction, who, "person.appoint", person=chosen, role=role)


def hand_over(transaction: Transaction, who: Person, chosen: Person) -> None:
    """Give the chat to somebody else, who owns it then; ``who`` stays as a moderator.

    Raises :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    # Who has handed it over a moment ago may be the owner still, to this process: the chat has one.
    permissions.require(transaction.connection, person_of(transaction, who.id), "person.appoint")
    if chosen.id == who.id:
        raise Invalid("This chat is yours already.")
    if chosen.role == APPLICANT:
        raise Invalid("Let them in first.")
    _set(transaction, who, MODERATOR)
    _set(transaction, chosen, OWNER)
    audit.record(transaction, who, "owner.hand_over", person=chosen)


def admit(transaction: Transaction, who: Person, chosen: Person) -> None:
    """Let somebody in who has asked to join; who is in stays as they are. Raises :class:`Forbidden`."""
    transaction.lock()
    permissions.require(transaction.connection, who, "person.approve")
    if chosen.role != APPLICANT:
        return
    _set(transaction, chosen, _without_office(transaction, chosen))
    audit.record(transaction, who, "person.admit", person=chosen)
    lobby = rooms.lobby(transaction.connection)
    if lobby is not None and settings.read(transaction.connection).lobby:
        memberships.add(transaction, room_of(transaction, lobby), chosen)


def _set(transaction: Transaction, chosen: Person, role: str) -> None:
    transaction.connection.execute(update(person).where(person.c.id == chosen.id).values(role=role))
    events.record(transaction, "role.changed", person_id=chosen.id, subject_id=chosen.id, role=role)


def _without_office(transaction: Transaction, chosen: Person) -> str:
    """What somebody is by themselves: a member once they have claimed their name."""
    claimed = transaction.connection.execute(_CLAIMED, {"id": chosen.id}).scalar_one_or_none()
    return GUEST if claimed is None else MEMBER


_CLAIMED = select(person.c.claimed_at).where(person.c.id == bindparam("id"))
