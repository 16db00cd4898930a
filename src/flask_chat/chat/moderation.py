"""Moderation: what those who keep order do, each thing written down in the same transaction.

Every verb asks :mod:`flask_chat.chat.permissions` first. Nobody keeps order among their equals: a mute or a ban is for
somebody with a lower role.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from msgspec.structs import asdict
from sqlalchemy import Connection, bindparam, select, update

from .. import events
from ..db import Transaction
from . import audit, clock, erasing, memberships, people, permissions, restrictions, rooms, sessions, settings, text
from .errors import Forbidden, Invalid, NotFound, TooLong
from .messages import message
from .people import Person
from .restrictions import BAN, MUTE, Restriction, restriction
from .rooms import DIRECT, GROUP, PRIVATE, Room

MAX_REASON = 300
"""Characters in a reason."""

MAX_SLOW = 6 * 3600
"""Seconds between two messages of one person in the slowest room."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A message as it is shown before something is done about it.

    ``mine``: it is that of who looks; ``deletable`` by them. ``created_at`` is in milliseconds since 1970, UTC.
    """

    author: str
    author_id: int
    text: str
    created_at: int
    mine: bool
    deletable: bool


def delete_message(transaction: Transaction, who: Person, room: Room, message_id: int) -> None:
    """Take back a message for good: nothing of what it said is kept. One that is deleted already stays so.

    Authors delete their own. ``room`` was found for ``who``. Raises :class:`NotFound` and :class:`Forbidden`.
    """
    transaction.lock()
    found = transaction.connection.execute(_MESSAGE, {"message_id": message_id, "of_room": room.id}).first()
    if found is None:
        raise NotFound("There is no such message.")
    if found.author_id != who.id:
        permissions.require(transaction.connection, who, "message.delete", room)
    elif who.role == people.APPLICANT:
        raise Forbidden(permissions.WAITING)
    if found.deleted_at is None:
        erase(transaction, room, message_id)
        if found.author_id != who.id:
            author = person_of(transaction, found.author_id)
            audit.record(transaction, who, "message.delete", person=author, room=room, message=message_id)


def look(connection: Connection, who: Person, room: Room, message_id: int) -> Shown:
    """A message in a room that was found for ``who``. Raises :class:`NotFound`."""
    row = connection.execute(_SHOWN, {"message_id": message_id, "of_room": room.id}).first()
    if row is None:
        raise NotFound("There is no such message.")
    mine = row.author_id == who.id
    deletable = mine or permissions.may(connection, who, "message.delete", room)
    return Shown(row.username, row.author_id, row.text, row.created_at, mine, deletable)


def erase(transaction: Transaction, room: Room, message_id: int) -> None:
    """Forget what a message said, and tell the room.

    The message after it, if it was shown under this one's name, gets its own: ``revealed`` is its id.
    """
    connection = transaction.connection
    at = {"message_id": message_id, "of_room": room.id}
    erasing.erase(transaction, [message_id])
    revealed = None
    following = connection.execute(_FOLLOWING, at).first()
    if following is not None and following.continues:
        before = connection.execute(_PRECEDING, at).scalar_one_or_none()
        if before != following.author_id:
            connection.execute(_REVEAL, {"message_id": following.id})
            revealed = following.id
    events.record(
        transaction, "message.deleted", room=room.place, subject_id=message_id, message_id=message_id, revealed=revealed
    )


def mute(
    transaction: Transaction,
    who: Person,
    chosen: Person,
    *,
    room: Room | None = None,
    expires_at: int | None = None,
    reason: object = "",
) -> None:
    """Let somebody read and not write, in a room or everywhere; it takes the place of an earlier mute there.

    ``expires_at`` is in milliseconds since 1970, UTC. Raises :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    permissions.require(transaction.connection, who, "person.mute" if room is None else "member.mute", room)
    # This process may not have heard yet that they own the chat no more.
    _refuse_equals(person_of(transaction, who.id), chosen)
    if room is not None and room.kind in (DIRECT, GROUP):
        raise Forbidden("In a conversation nobody is muted. Block whom you do not want to hear.")
    said = check_reason(reason)
    _check_end(transaction, expires_at)
    _lift(transaction, MUTE, chosen.id, None if room is None else room.id)
    restrictions.add(
        transaction,
        MUTE,
        who,
        person_id=chosen.id,
        room_id=None if room is None else room.id,
        reason=said,
        expires_at=expires_at,
    )
    audit.record(transaction, who, "person.mute", person=chosen, room=room, reason=said, until=expires_at)
    events.record(transaction, "person.muted", person_id=chosen.id, subject_id=chosen.id, until=_rfc3339(expires_at))


def ban(
    transaction: Transaction,
    who: Person,
    chosen: Person,
    *,
    with_network: bool = False,
    expires_at: int | None = None,
    reason: object = "",
) -> None:
    """Keep somebody out of the chat: every session of theirs ends now, and none begins. It replaces an earlier ban.

    ``with_network``: nobody signs in from the range of addresses where they were last, either; who is in stays in.
    ``expires_at`` is in milliseconds since 1970, UTC. Raises :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    permissions.require(transaction.connection, who, "person.ban")
    # This process may not have heard yet that they own the chat no more.
    _refuse_equals(person_of(transaction, who.id), chosen)
    said = check_reason(reason)
    _check_end(transaction, expires_at)
    network = transaction.connection.execute(_NETWORK, {"of": chosen.id}).scalar_one_or_none() if with_network else None
    _lift(transaction, BAN, chosen.id, None)
    restrictions.add(
        transaction, BAN, who, person_id=chosen.id, network=network or None, reason=said, expires_at=expires_at
    )
    audit.record(transaction, who, "person.ban", person=chosen, reason=said, until=expires_at, network=network or None)
    # Signed out, not revoked: the name stays its browser's, so that they are told why, and come back after the ban.
    for id in transaction.connection.execute(_OPEN, {"of": chosen.id}).scalars().all():
        sessions.sign_out(transaction, id)


def ban_network(
    transaction: Transaction, who: Person, network: str, *, expires_at: int | None = None, reason: object = ""
) -> None:
    """Let nobody sign in from an address or a range; who is in stays in.

    Raises :class:`Forbidden` and :class:`Invalid`.
    """
    transaction.lock()
    permissions.require(transaction.connection, who, "person.ban")
    said = check_reason(reason)
    _check_end(transaction, expires_at)
    checked = restrictions.check_network(network)
    restrictions.add(transaction, BAN, who, network=checked, reason=said, expires_at=expires_at)
    audit.record(transaction, who, "person.ban", network=checked, reason=said, until=expires_at)


def lift(transaction: Transaction, who: Person, id: int) -> Restriction:
    """End a restriction before its time. Raises :class:`NotFound` and :class:`Forbidden`."""
    transaction.lock()
    row = transaction.connection.execute(_IN_FORCE, {"id": id, "now": transaction.now}).first()
    if row is None:
        raise NotFound("There is no such ban or mute any more.")
    found = Restriction(*row)
    chosen = None if found.person_id is None else person_of(transaction, found.person_id)
    room = None if found.room_id is None else room_of(transaction, found.room_id)
    act = "person.ban" if found.kind == BAN else "member.mute" if room is not None else "person.mute"
    permissions.require(transaction.connection, who, act, room)
    if chosen is not None and chosen.id == who.id:
        raise Forbidden("Somebody else lifts what was imposed on you.")
    if chosen is not None:
        _refuse_equals(person_of(transaction, who.id), chosen)
    transaction.connection.execute(_LIFT, {"id_lifted": id, "lifted": transaction.now})
    action = "person.unban" if found.kind == BAN else "person.unmute"
    audit.record(transaction, who, action, person=chosen, room=room, network=found.network)
    if found.kind == MUTE and chosen is not None:
        events.record(transaction, "person.unmuted", person_id=chosen.id, subject_id=chosen.id)
    return found


def slow_down(transaction: Transaction, who: Person, room: Room, seconds: int) -> None:
    """Let each person write in a room once in so many seconds; 0 for as often as they like."""
    transaction.lock()
    _require_quiet(transaction, who, room)
    if not 0 <= seconds <= MAX_SLOW:
        raise Invalid(f"Slow mode is a number of seconds, up to {MAX_SLOW:,}.")
    if seconds != room.slow_seconds:
        _change(transaction, room, slow_seconds=seconds)
        audit.record(transaction, who, "room.slow", room=room, seconds=seconds)


def lock(transaction: Transaction, who: Person, room: Room, *, locked: bool) -> None:
    """Let only moderators write in a room, or everybody in it again."""
    transaction.lock()
    _require_quiet(transaction, who, room)
    if locked != (room.locked_at is not None):
        _change(transaction, room, locked_at=transaction.now if locked else None)
        audit.record(transaction, who, "room.lock" if locked else "room.unlock", room=room)


def change_settings(transaction: Transaction, who: Person, changes: Mapping[str, object]) -> None:
    """Change the chat's settings, as :func:`settings.change` does, and write down which."""
    transaction.lock()
    permissions.require(transaction.connection, who, "settings.change")
    before = settings.read(transaction.connection)
    after = settings.change(transaction, changes)
    different = {name: value for name, value in asdict(after).items() if value != getattr(before, name)}
    if different:
        audit.record(transaction, who, "settings.change", changed=different)


def find_room(transaction: Transaction, who: Person, id: int) -> Room:
    """The room with an id, for who keeps order: a public one, one that they are in, or, for the owner, any with a name.

    Raises :class:`NotFound`.
    """
    row = transaction.connection.execute(_ROOM, {"id": id}).first()
    found = None if row is None else rooms.from_row(row)
    inside = id in memberships.room_ids(transaction.connection, who.id)
    if found is None or not (found.open or inside or (who.owner and found.kind == PRIVATE)):
        raise NotFound("There is no such room.")
    return found


def check_reason(raw: object) -> str:
    """A reason as it is kept, in one line; it may be empty. Raises :class:`Invalid` or :class:`TooLong`."""
    if not isinstance(raw, str):
        raise Invalid("A reason is a text.")
    try:
        return " ".join(text.check(raw, MAX_REASON).split())
    except text.InvalidText as error:
        if error.code == "empty":
            return ""
        if error.code == "too_long":
            raise TooLong(f"A reason has {MAX_REASON} characters at most.") from None
        raise Invalid(error.reason) from None


def person_of(transaction: Transaction, id: int) -> Person:
    """The person with an id that is in the database."""
    return Person(*transaction.connection.execute(_PERSON, {"id": id}).one())


def room_of(transaction: Transaction, id: int) -> Room:
    """The room with an id that is in the database: for those who keep order, whether they are in it or not."""
    return rooms.from_row(transaction.connection.execute(_ROOM, {"id": id}).one())


def _refuse_equals(who: Person, chosen: Person) -> None:
    if who.id == chosen.id:
        raise Invalid("You cannot do that to yourself.")
    # Who owns a room keeps order in it among those who have no role in the chat.
    ranked = permissions.at_least(who, people.MODERATOR)
    if not (permissions.above(who, chosen) if ranked else not permissions.at_least(chosen, people.MODERATOR)):
        raise Forbidden("That can only be done to somebody with a lower role.")


def _check_end(transaction: Transaction, expires_at: int | None) -> None:
    if expires_at is not None and expires_at <= transaction.now:
        raise Invalid("That would be over already.")


def _require_quiet(transaction: Transaction, who: Person, room: Room) -> None:
    if room.kind in (DIRECT, GROUP):
        raise Forbidden("A conversation belongs to everybody in it.")
    permissions.require(transaction.connection, who, "room.quiet", room)


def _change(transaction: Transaction, room: Room, **changed: object) -> None:
    transaction.connection.execute(update(rooms.room).where(rooms.room.c.id == room.id).values(**changed))
    events.record(transaction, "room.changed", room=room.place, subject_id=room.id)


def _lift(transaction: Transaction, kind: str, person_id: int, room_id: int | None) -> None:
    """Let what is about to be imposed anew take the place of what is there."""
    transaction.connection.execute(
        update(restriction)
        .where(
            restriction.c.kind == kind,
            restriction.c.person_id == person_id,
            restriction.c.room_id.is_(None) if room_id is None else restriction.c.room_id == room_id,
            restriction.c.lifted_at.is_(None),
        )
        .values(lifted_at=transaction.now)
    )


def _rfc3339(at: int | None) -> str | None:
    return None if at is None else clock.rfc3339(at)


_MESSAGE = select(message.c.author_id, message.c.deleted_at).where(
    message.c.id == bindparam("message_id"), message.c.room_id == bindparam("of_room")
)
_SHOWN = (
    select(message.c.author_id, message.c.text, message.c.created_at, people.person.c.username)
    .join(people.person, people.person.c.id == message.c.author_id)
    .where(
        message.c.id == bindparam("message_id"),
        message.c.room_id == bindparam("of_room"),
        message.c.deleted_at.is_(None),
    )
)
_BESIDE = select(message.c.id, message.c.author_id, message.c.continues).where(
    message.c.room_id == bindparam("of_room"), message.c.deleted_at.is_(None)
)
_FOLLOWING = _BESIDE.where(message.c.id > bindparam("message_id")).order_by(message.c.id).limit(1)
_PRECEDING = (
    _BESIDE.with_only_columns(message.c.author_id)
    .where(message.c.id < bindparam("message_id"))
    .order_by(message.c.id.desc())
    .limit(1)
)
_REVEAL = update(message).where(message.c.id == bindparam("message_id")).values(continues=False)
_IN_FORCE = select(*restrictions.COLUMNS).where(restriction.c.id == bindparam("id"), restrictions.IN_FORCE)
_LIFT = update(restriction).where(restriction.c.id == bindparam("id_lifted")).values(lifted_at=bindparam("lifted"))
_OPEN = select(sessions.session.c.id).where(
    sessions.session.c.person_id == bindparam("of"),
    sessions.session.c.revoked_at.is_(None),
    sessions.session.c.signed_out_at.is_(None),
)
_NETWORK = (
    select(sessions.session.c.network)
    .where(sessions.session.c.person_id == bindparam("of"), sessions.session.c.network.isnot(None))
    .order_by(sessions.session.c.renewed_at.desc(), sessions.session.c.id.desc())
    .limit(1)
)
_PERSON = select(people.person.c.id, people.person.c.username, people.person.c.role, people.person.c.created_at).where(
    people.person.c.id == bindparam("id")
)
_ROOM = select(*rooms.COLUMNS).where(rooms.room.c.id == bindparam("id"))
