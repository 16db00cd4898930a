"""Invitations: links that let somebody into a room, or into the chat.

The link carries a random token; the database holds its SHA-256, so that it is shown once and a stolen copy of the
database lets nobody in. An invitation holds as long as whoever made it is there and not banned: one into a room only
while they are in that room themselves. One that is over, for whatever reason, cannot be told from one that never was.
"""

from __future__ import annotations

import hashlib
import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    Table,
    bindparam,
    insert,
    or_,
    select,
    update,
)

from ..db import Transaction, metadata
from . import audit, memberships, people, permissions, rooms, settings
from .errors import Forbidden, Invalid, NotFound
from .memberships import membership
from .people import Person, person
from .restrictions import BAN, IN_FORCE, restriction
from .rooms import DIRECT, GROUP, Room, room

invitation = Table(
    "invitation",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("room_id", ForeignKey("room.id"), index=True),
    Column("inviter_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("most_uses", Integer),
    Column("uses", Integer, nullable=False),
    Column("revoked_at", BigInteger),
)

MOST_USES = 10_000
"""Uses that an invitation can be limited to."""

LONGEST = 366 * 86_400
"""Seconds after which an invitation that expires does so at the latest."""

SHOWN = 200
"""Invitations in a list, the newest."""

OVER = "This invitation is not valid any more. Ask whoever sent it for another."
"""What is said of every invitation that lets nobody in."""


@dataclass(frozen=True, slots=True)
class Invitation:
    """An invitation. Times are in milliseconds since 1970, UTC; without ``expires_at`` it is for ever, without
    ``most_uses`` for any number. ``room`` is None if it is into the chat. ``by_guest``: who made it may not let anybody
    into a chat that is not open to all."""

    id: int
    inviter: str
    room: Room | None
    created_at: int
    expires_at: int | None
    most_uses: int | None
    uses: int
    by_guest: bool = False


@dataclass(frozen=True, slots=True)
class Made:
    """A new invitation with its token, which is known to nobody else from here on."""

    invitation: Invitation
    token: str


def invite(
    transaction: Transaction, inviter: Person, slug: object = None, uses: object = None, expires_in: object = None
) -> Made:
    """Make an invitation into the room with a slug, or without one into the chat.

    ``uses`` is how often it lets somebody in, ``expires_in`` for how many seconds; None is without end. Raises
    :class:`NotFound`, :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    connection = transaction.connection
    most = _number(uses, MOST_USES, "uses")
    seconds = _number(expires_in, LONGEST, "expires_in, in seconds,")
    place = None
    if slug is None:
        permissions.require(connection, inviter, "invitation.chat")
    else:
        place = invitable(connection, inviter, slug)
    token = secrets.token_urlsafe(32)
    expires_at = None if seconds is None else transaction.now + seconds * 1000
    id: int = connection.execute(
        insert(invitation)
        .values(
            token_hash=_hash(token),
            room_id=None if place is None else place.id,
            inviter_id=inviter.id,
            created_at=transaction.now,
            expires_at=expires_at,
            most_uses=most,
            uses=0,
        )
        .returning(invitation.c.id)
    ).scalar_one()
    by_guest = inviter.role == people.GUEST
    return Made(Invitation(id, inviter.username, place, transaction.now, expires_at, most, 0, by_guest), token)


def invitable(connection: Connection, inviter: Person, slug: object) -> Room:
    """The room with a slug, if ``inviter`` may invite others into it. Raises :class:`NotFound`, :class:`Forbidden`."""
    if not isinstance(slug, str):
        raise Invalid("A room is named by its slug.")
    place, _ = rooms.visible(connection, inviter, slug)
    if place.kind in (DIRECT, GROUP):
        raise Forbidden("A conversation stays between those it was begun with.")
    permissions.require(connection, inviter, "invitation.room", place)
    return place


def find(connection: Connection, token: str) -> Invitation:
    """The invitation that a token is for, while it holds. Raises :class:`NotFound`."""
    now = time.time_ns() // 1_000_000
    row = connection.execute(_BY_TOKEN, {"hash": _hash(token), "now": now}).first()
    if row is None:
        raise NotFound(OVER)
    return _from_row(row)


def accept(transaction: Transaction, who: Person, token: str) -> Room | None:
    """Let ``who`` in by an invitation; returns the room, or None if it is into the chat.

    A use is counted if it changes something: for somebody who took their name in the same transaction, and for who was
    not in the room. Raises :class:`NotFound` if it lets nobody in any more, :class:`Forbidden` if they may not join.
    """
    transaction.lock()
    found = transaction.connection.execute(_BY_TOKEN, {"hash": _hash(token), "now": transaction.now}).first()
    if found is None:
        raise NotFound(OVER)
    accepted = _from_row(found)
    new = who.created_at == transaction.now
    if new and accepted.by_guest and settings.joining(transaction.connection) != settings.OPEN:
        raise Forbidden("This link is for those who are in this chat already. Ask a member of it for another.")
    if accepted.room is not None and not new:
        permissions.require(transaction.connection, who, "room.join", accepted.room)
    came_in = accepted.room is not None and memberships.add(transaction, accepted.room, who)
    if new or came_in:
        transaction.connection.execute(
            update(invitation).where(invitation.c.id == accepted.id).values(uses=invitation.c.uses + 1)
        )
    return accepted.room


def of(connection: Connection, viewer: Person, *, everybodys: bool = False) -> list[Invitation]:
    """The invitations of ``viewer`` that hold, newest first, or all that a moderator may know of.

    Of rooms that ``viewer`` may not know of there are none. Raises :class:`Forbidden`.
    """
    if everybodys:
        permissions.require(connection, viewer, "invitation.list")
    parameters = {"now": time.time_ns() // 1_000_000, "viewer_id": viewer.id}
    return [_from_row(row) for row in connection.execute(_EVERYBODYS if everybodys else _MINE, parameters)]


def revoke(transaction: Transaction, who: Person, id: int) -> None:
    """End an invitation: one's own, or as a moderator one that may be seen. Raises :class:`NotFound`.

    One that has ended is ended already.
    """
    transaction.lock()
    connection = transaction.connection
    row = connection.execute(_ONE, {"id": min(id, _LARGEST), "viewer_id": who.id}).first()
    if row is None or not (row.inviter_id == who.id or permissions.may(connection, who, "invitation.list")):
        raise NotFound("There is no such invitation.")
    if row.revoked_at is None:
        connection.execute(update(invitation).where(invitation.c.id == id).values(revoked_at=transaction.now))
        if row.inviter_id != who.id:
            inviter = Person(row.inviter_id, row.username, row.role, row.created_at)
            place = None if row.room_id is None else rooms.from_row(row[5:-1])
            audit.record(transaction, who, "invitation.revoke", person=inviter, room=place)


# What an id's column can hold: a larger one is nobody's, and must not reach the database.
_LARGEST = 2**31 - 1


def _number(raw: object, most: int, what: str) -> int | None:
    if raw is None:
        return None
    if not isinstance(raw, int) or isinstance(raw, bool) or not 1 <= raw <= most:
        raise Invalid(f"{what.capitalize()} is a whole number from 1 to {most:,}, or left out.")
    return raw


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


def _from_row(row: Sequence[Any]) -> Invitation:
    id, inviter, role, created_at, expires_at, most_uses, uses, *columns = row
    place = None if columns[0] is None else rooms.from_row(columns)
    return Invitation(id, inviter, place, created_at, expires_at, most_uses, uses, by_guest=role == people.GUEST)


_ALL = (
    select(
        invitation.c.id,
        person.c.username,
        person.c.role,
        invitation.c.created_at,
        invitation.c.expires_at,
        invitation.c.most_uses,
        invitation.c.uses,
        *rooms.COLUMNS,
    )
    .join(person, person.c.id == invitation.c.inviter_id)
    .outerjoin(room, room.c.id == invitation.c.room_id)
)


def _holding(query: Select[Any]) -> Select[Any]:
    banned = (restriction.c.person_id == invitation.c.inviter_id) & (restriction.c.kind == BAN)
    theirs = (membership.c.room_id == invitation.c.room_id) & (membership.c.person_id == invitation.c.inviter_id)
    return query.where(
        invitation.c.revoked_at.is_(None),
        or_(invitation.c.expires_at.is_(None), invitation.c.expires_at > bindparam("now")),
        or_(invitation.c.most_uses.is_(None), invitation.c.uses < invitation.c.most_uses),
        person.c.former_at.is_(None),
        ~select(restriction.c.id).where(banned, IN_FORCE).exists(),
        or_(invitation.c.room_id.is_(None), select(membership.c.person_id).where(theirs).exists()),
    )


_SEEN = (membership.c.room_id == invitation.c.room_id) & (membership.c.person_id == bindparam("viewer_id"))
_KNOWN = or_(
    invitation.c.room_id.is_(None),
    room.c.kind == rooms.PUBLIC,
    select(membership.c.person_id).where(_SEEN).exists(),
)
_HOLDING = _holding(_ALL)
_BY_TOKEN = _HOLDING.where(invitation.c.token_hash == bindparam("hash"))
_NEWEST = _HOLDING.where(_KNOWN).order_by(invitation.c.id.desc()).limit(SHOWN)
_EVERYBODYS = _NEWEST
_MINE = _NEWEST.where(invitation.c.inviter_id == bindparam("viewer_id"))
_ONE = (
    select(
        invitation.c.inviter_id,
        invitation.c.revoked_at,
        person.c.username,
        person.c.role,
        person.c.created_at,
        *rooms.COLUMNS,
        invitation.c.room_id,
    )
    .join(person, person.c.id == invitation.c.inviter_id)
    .outerjoin(room, room.c.id == invitation.c.room_id)
    .where(invitation.c.id == bindparam("id"), _KNOWN)
)
