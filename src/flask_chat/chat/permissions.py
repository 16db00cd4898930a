"""Permissions: the one place that says who may do what.

Checking and doing are two names: a door, or a verb, asks here first. The table in docs/moderation.md says the same.
Whether somebody may know of a room at all is not asked here but where it is found (:mod:`flask_chat.chat.rooms`).
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from sqlalchemy import Connection, bindparam, select

from . import memberships, people, restrictions, settings
from .errors import Forbidden
from .memberships import membership
from .people import Person
from .restrictions import GUESTS_LOOK, LOCKDOWN
from .rooms import Room
from .settings import Settings

RANKS = (people.APPLICANT, people.GUEST, people.MEMBER, people.MODERATOR, people.OWNER)
"""The roles, lowest first."""


@dataclass(frozen=True, slots=True)
class Rule:
    """Who may do something: everybody of a rank and above, and, ``in_room``, the owner of the room that it is about.

    ``inside``: only those in the room, whatever their rank. ``speaks``: it says something to others, so that guests do
    not do it in a lockdown, nor anybody who is muted there. ``reason`` is what the others are told.
    """

    rank: str
    reason: str
    in_room: bool = False
    inside: bool = False
    speaks: bool = False


RULES = {
    "message.post": Rule(people.GUEST, "You may not write here.", inside=True, speaks=True),
    "message.edit": Rule(people.GUEST, "Only who wrote a message edits it.", inside=True, speaks=True),
    "message.delete": Rule(people.MODERATOR, "Only who wrote a message, and moderators, delete it.", in_room=True),
    "message.report": Rule(people.GUEST, "Only those in the room report its messages.", inside=True),
    "room.create": Rule(people.GUEST, "You may not make rooms in this chat.", speaks=True),
    "room.join": Rule(people.GUEST, "You may not join rooms in this chat."),
    "room.change": Rule(people.MODERATOR, "Only the room's owner, and moderators, change it.", in_room=True),
    "room.quiet": Rule(people.MODERATOR, "Only the room's owner, and moderators, do that.", in_room=True),
    "room.hand_over": Rule(people.OWNER, "Only the room's owner gives it to somebody else.", in_room=True),
    "room.clear": Rule(people.OWNER, "Only the room's owner clears its history.", in_room=True),
    "member.add": Rule(people.GUEST, "Only those in the room bring others in.", inside=True, speaks=True),
    "member.remove": Rule(people.MODERATOR, "Only the room's owner, and moderators, put somebody out.", in_room=True),
    "member.mute": Rule(people.MODERATOR, "Only the room's owner, and moderators, mute somebody.", in_room=True),
    "conversation.begin": Rule(people.GUEST, "You may not begin conversations in this chat.", speaks=True),
    "invitation.room": Rule(people.GUEST, "Only those in the room invite others.", inside=True, speaks=True),
    "invitation.chat": Rule(people.MEMBER, "Claim your name before you invite others to the chat."),
    "order.keep": Rule(people.MODERATOR, "Only moderators see this."),
    "invitation.list": Rule(people.MODERATOR, "Only moderators see everybody's invitations."),
    "report.read": Rule(people.MODERATOR, "Only moderators see what was reported."),
    "person.mute": Rule(people.MODERATOR, "Only moderators do that."),
    "person.ban": Rule(people.MODERATOR, "Only moderators do that."),
    "person.approve": Rule(people.MODERATOR, "Only moderators do that."),
    "person.appoint": Rule(people.OWNER, "Only the owner of this chat does that."),
    "settings.change": Rule(people.OWNER, "Only the owner of this chat does that."),
    "chat.inspect": Rule(people.OWNER, "Only the owner of this chat sees that."),
    "audit.read": Rule(people.OWNER, "Only the owner of this chat reads that."),
}

WAITING = "A moderator has to let you in first."


def require(connection: Connection, who: Person, act: str, room: Room | None = None) -> None:
    """Raise :class:`Forbidden`, with the reason, unless ``who`` may do ``act`` in ``room``.

    Who keeps order is asked about anew: this process may not have heard yet that they do no more.
    """
    if at_least(who, people.MODERATOR):
        role = connection.execute(_RANK, {"person_id": who.id}).scalar_one_or_none()
        who = who if role is None else replace(who, role=role)
    reason = why_not(connection, who, act, room)
    if reason is not None:
        raise Forbidden(reason)


def may(connection: Connection, who: Person, act: str, room: Room | None = None) -> bool:
    """Whether ``who`` may do ``act``, a key of :data:`RULES`, in ``room`` if it is about one."""
    return why_not(connection, who, act, room) is None


def why_not(connection: Connection, who: Person, act: str, room: Room | None = None) -> str | None:
    """Why ``who`` may not do ``act``, a key of :data:`RULES`, in ``room`` if it is about one; None if they may."""
    rule = RULES[act]
    chosen = settings.read(connection) if who.role == people.GUEST or act == "room.create" else settings.DEFAULTS
    reason = _held_back(who, act, chosen)
    if reason is not None:
        return reason
    if rule.speaks:
        mute = restrictions.muted(connection, who.id, 0 if room is None else room.id)
        if mute is not None:
            return mute.words
    role = None
    if room is not None and (rule.in_room or rule.inside):
        role = connection.execute(_ROLE, {"person_id": who.id, "room_id": room.id}).scalar_one_or_none()
    return None if _high_enough(who, act, chosen, room is not None, role) else rule.reason


def offered(who: Person, act: str, chosen: Settings, role: str | None) -> bool:
    """Whether a page offers ``act`` in a room where ``who`` has ``role``, None outside, by what it knows already.

    Nothing is allowed by it, and it knows of no mutes.
    """
    return _held_back(who, act, chosen) is None and _high_enough(who, act, chosen, True, role)


def _held_back(who: Person, act: str, chosen: Settings) -> str | None:
    """Why somebody may do nothing of the kind, wherever it is."""
    if who.role == people.APPLICANT:
        return WAITING
    if who.role == people.GUEST:
        if not chosen.guests and act != "message.report":
            return GUESTS_LOOK
        if chosen.lockdown and RULES[act].speaks:
            return LOCKDOWN
    return None


def _high_enough(who: Person, act: str, chosen: Settings, somewhere: bool, role: str | None) -> bool:
    rule = RULES[act]
    high = at_least(who, chosen.room_makers if act == "room.create" else rule.rank)
    if not somewhere or not (rule.in_room or rule.inside):
        return high
    return high and role is not None if rule.inside else high or role == memberships.OWNER


def at_least(who: Person, rank: str) -> bool:
    """Whether somebody's role is ``rank`` or above it."""
    return RANKS.index(who.role) >= RANKS.index(rank)


def above(who: Person, other: Person) -> bool:
    """Whether ``who`` has a higher role than ``other``: nobody keeps order among their equals."""
    return RANKS.index(who.role) > RANKS.index(other.role)


_RANK = select(people.person.c.role).where(people.person.c.id == bindparam("person_id"))
_ROLE = select(membership.c.role).where(
    membership.c.person_id == bindparam("person_id"), membership.c.room_id == bindparam("room_id")
)
