"""Restrictions: who may not come in, or not speak, for how long and why.

A ban keeps a person, and perhaps a range of addresses, out of the chat. A mute lets somebody read and not write, in one
room or in all. Whether there is one is asked of the database, in the transaction of what it would forbid.
"""

from __future__ import annotations

import ipaddress
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    bindparam,
    column,
    exists,
    insert,
    or_,
    select,
    table,
)

from ..db import Transaction, metadata
from ..db.lists import among
from . import clock, memberships, settings
from .errors import Forbidden, Invalid, Refused, TooFast
from .memberships import membership

if TYPE_CHECKING:
    from .people import Person
    from .rooms import Room

restriction = Table(
    "restriction",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("kind", String(16), nullable=False),
    Column("person_id", ForeignKey("person.id"), index=True),
    Column("network", String(64), index=True),
    Column("room_id", ForeignKey("room.id"), index=True),
    Column("reason", String(500), nullable=False),
    Column("imposer_id", ForeignKey("person.id"), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Column("lifted_at", BigInteger),
)

BAN, MUTE = "ban", "mute"

LOOKED_THROUGH = 10_000
"""Messages of somebody among which their last in a room with slow mode is looked for."""

PREFIXES = {4: (32, 24, 16), 6: (128, 64, 56, 48, 32)}
"""The lengths of the ranges of addresses that can be banned."""


@dataclass(frozen=True, slots=True)
class Restriction:
    """One restriction. Times are in milliseconds since 1970, UTC; without ``expires_at`` it holds until lifted."""

    id: int
    kind: str
    person_id: int | None
    network: str | None
    room_id: int | None
    reason: str
    imposer_id: int
    created_at: int
    expires_at: int | None

    @property
    def words(self) -> str:
        """What the person is told: why, and until when."""
        said = "You are banned from this chat" if self.kind == BAN else "You are muted"
        if self.kind == MUTE and self.room_id is not None:
            said += " in this room"
        if self.expires_at is not None:
            said += f" until {moment(self.expires_at)}"
        return f"{said}. The reason given: {self.reason}" if self.reason else f"{said}."


def banned(
    connection: Connection, person_id: int | None, network: str | None, now: int | None = None
) -> Restriction | None:
    """The ban on a person, or on the address or range of addresses that they come from, that holds longest."""
    parameters = {"person_id": person_id, "networks": ranges(network), "now": now or _now()}
    row = connection.execute(_BANS, parameters).first()
    return None if row is None else Restriction(*row)


def muted(connection: Connection, person_id: int, room_id: int, now: int | None = None) -> Restriction | None:
    """The mute on a person, in a room or everywhere, that holds longest."""
    row = connection.execute(_MUTES, {"person_id": person_id, "room_id": room_id, "now": now or _now()}).first()
    return None if row is None else Restriction(*row)


class Gate:
    """Decides, for those who post in one commit, who may not write just now.

    ``now`` is the commit's. It is asked once for each message that would be kept, in their order, and only where
    :attr:`flask_chat.chat.rooms.Room.guarded` says so.
    """

    def __init__(self, connection: Connection, now: int) -> None:
        self._connection, self._now = connection, now
        self._passed: dict[tuple[int, int], int] = {}
        self._settings: settings.Settings | None = None

    def refuse(self, author: Person, room: Room) -> Refused | None:
        """Why ``author`` may not write in ``room``, or None: then the message counts as written."""
        if room.archived_at is not None:
            return Forbidden("This room is archived: it can be read, and nobody writes in it.")
        if room.kind == "direct" and self._apart(author, room):
            return Forbidden("This conversation is not possible.")
        keeps_order = author.role in ("moderator", "owner")
        if (room.locked_at or room.slow_seconds) and not keeps_order:
            role = self._connection.execute(_ROLE, {"person_id": author.id, "room_id": room.id}).scalar_one_or_none()
            keeps_order = role == memberships.OWNER
        if room.locked_at is not None and not keeps_order:
            return Forbidden("This room is locked: only its owner and moderators write in it just now.")
        if room.watched:
            refused = self._silenced(author, room)
            if refused is not None:
                return refused
        if room.slow_seconds and not keeps_order:
            return self._slow(author, room)
        return None

    def _apart(self, author: Person, room: Room) -> bool:
        """Whether one of the two in a conversation has blocked the other. Neither is told who."""
        return self._connection.execute(_APART, {"author_id": author.id, "room_id": room.id}).first() is not None

    def _silenced(self, author: Person, room: Room) -> Refused | None:
        if self._settings is None:
            self._settings = settings.read(self._connection)
        if author.role == "guest":
            if not self._settings.guests:
                return Forbidden(GUESTS_LOOK)
            if self._settings.lockdown:
                return Forbidden(LOCKDOWN)
        mute = muted(self._connection, author.id, room.id, self._now)
        return None if mute is None else Forbidden(mute.words)

    def _slow(self, author: Person, room: Room) -> Refused | None:
        key = author.id, room.id
        last = self._passed.get(key)
        if last is None:
            last = self._connection.execute(_LAST_BY, {"author_id": key[0], "room_id": key[1]}).scalar_one_or_none()
        # The clock may have been set back since.
        wait = 0 if last is None or last > self._now else last + room.slow_seconds * 1000 - self._now
        if wait > 0:
            seconds = math.ceil(wait / 1000)
            return TooFast(f"This room is in slow mode. You can write again in {seconds} s.", seconds)
        self._passed[key] = self._now
        return None


def add(
    transaction: Transaction,
    kind: str,
    imposer: Person,
    *,
    person_id: int | None = None,
    network: str | None = None,
    room_id: int | None = None,
    reason: str = "",
    expires_at: int | None = None,
) -> int:
    """Keep a restriction, with nothing told or checked; returns its id. See :mod:`flask_chat.chat.moderation`."""
    id: int = transaction.connection.execute(
        insert(restriction)
        .values(
            kind=kind,
            person_id=person_id,
            network=network,
            room_id=room_id,
            reason=reason,
            imposer_id=imposer.id,
            created_at=transaction.now,
            expires_at=expires_at,
        )
        .returning(restriction.c.id)
    ).scalar_one()
    return id


def network_of(address: str | None) -> str | None:
    """The range of addresses that one address is banned with: its /24 (IPv4) or its /48 (IPv6). None for no address."""
    parsed = _parse(address)
    if parsed is None:
        return None
    return str(ipaddress.ip_network((parsed.network_address, 24 if parsed.version == 4 else 48), strict=False))


def ranges(network: str | None) -> list[str]:
    """Every range that can be banned and that an address, or a range, lies in."""
    parsed = _parse(network)
    if parsed is None:
        return []
    return [
        str(ipaddress.ip_network((parsed.network_address, length), strict=False))
        for length in PREFIXES[parsed.version]
        if length <= parsed.prefixlen
    ]


def check_network(raw: str) -> str:
    """A range of addresses as it is kept. Raises :class:`Invalid`."""
    parsed = _parse(raw.strip())
    if parsed is None or parsed.prefixlen not in PREFIXES[parsed.version]:
        raise Invalid("That is no address, and no range like 192.0.2.0/24 or 2001:db8::/48.")
    return str(parsed)


def moment(at: int) -> str:
    """A time as people read it, with its zone."""
    return clock.in_words(at // 1000)[1]


GUESTS_LOOK = "Guests only read here. Claim your name to write."
LOCKDOWN = "Only members write here just now. Claim your name to become one."


def _parse(address: str | None) -> ipaddress.IPv4Network | ipaddress.IPv6Network | None:
    try:
        parsed = ipaddress.ip_network((address or "").partition("%")[0], strict=False)
    except ValueError:
        return None
    if parsed.version == 6 and parsed.prefixlen == 128 and parsed.network_address.ipv4_mapped is not None:
        return ipaddress.ip_network(parsed.network_address.ipv4_mapped)
    return parsed


def _now() -> int:
    return time.time_ns() // 1_000_000


COLUMNS = (
    restriction.c.id,
    restriction.c.kind,
    restriction.c.person_id,
    restriction.c.network,
    restriction.c.room_id,
    restriction.c.reason,
    restriction.c.imposer_id,
    restriction.c.created_at,
    restriction.c.expires_at,
)

IN_FORCE = restriction.c.lifted_at.is_(None) & or_(
    restriction.c.expires_at.is_(None), restriction.c.expires_at > bindparam("now")
)
"""Whether a restriction holds at the moment ``now``, a parameter."""

WATCHED = or_(
    exists().where(
        restriction.c.person_id == membership.c.person_id,
        restriction.c.kind == MUTE,
        restriction.c.lifted_at.is_(None),
    ),
    # A setting is only kept while it is not what it is by itself.
    exists().where(settings.setting.c.name.in_(("guests", "lockdown"))),
)
"""Whether a member of a room may have to be refused: a column of a query over memberships that costs nearly nothing."""

_ROLE = select(membership.c.role).where(
    membership.c.person_id == bindparam("person_id"), membership.c.room_id == bindparam("room_id")
)
_LONGEST = (restriction.c.expires_at.isnot(None), restriction.c.expires_at.desc(), restriction.c.id)
_BANS = (
    select(*COLUMNS)
    .where(
        restriction.c.kind == BAN,
        or_(restriction.c.person_id == bindparam("person_id"), among(restriction.c.network, "networks")),
        IN_FORCE,
    )
    .order_by(*_LONGEST)
    .limit(1)
)
_MUTES = (
    select(*COLUMNS)
    .where(
        restriction.c.kind == MUTE,
        restriction.c.person_id == bindparam("person_id"),
        or_(restriction.c.room_id.is_(None), restriction.c.room_id == bindparam("room_id")),
        IN_FORCE,
    )
    .order_by(*_LONGEST)
    .limit(1)
)
# Messages know this module: their table is named here by its columns alone.
_MESSAGE = table("message", column("id"), column("room_id"), column("author_id"), column("created_at"))
# Others wait meanwhile, also for somebody who has said very much, and all of it elsewhere.
_LATEST = (
    select(_MESSAGE.c.id, _MESSAGE.c.room_id, _MESSAGE.c.created_at)
    .where(_MESSAGE.c.author_id == bindparam("author_id"))
    .order_by(_MESSAGE.c.id.desc())
    .limit(LOOKED_THROUGH)
    .subquery()
)
_LAST_BY = (
    select(_LATEST.c.created_at).where(_LATEST.c.room_id == bindparam("room_id")).order_by(_LATEST.c.id.desc()).limit(1)
)
_BLOCK = table("block", column("person_id"), column("blocked_id"))
_APART = (
    select(membership.c.person_id)
    .join(
        _BLOCK,
        or_(
            (_BLOCK.c.person_id == membership.c.person_id) & (_BLOCK.c.blocked_id == bindparam("author_id")),
            (_BLOCK.c.blocked_id == membership.c.person_id) & (_BLOCK.c.person_id == bindparam("author_id")),
        ),
    )
    .where(membership.c.room_id == bindparam("room_id"), membership.c.person_id != bindparam("author_id"))
    .limit(1)
)
