"""Profiles: what people say of themselves. All of it is optional, and none of it is a name: that is the username."""

from __future__ import annotations

import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    String,
    Table,
    Text,
    and_,
    bindparam,
    func,
    insert,
    select,
    update,
)

from .. import events
from ..db import Transaction, metadata
from ..db.lists import among
from . import clock, names, people, text
from .errors import Invalid, TooLong
from .people import Person, person

profile = Table(
    "profile",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("display_name", String(128), nullable=False),
    Column("pronouns", String(64), nullable=False),
    Column("bio", Text, nullable=False),
    Column("status", String(200), nullable=False),
    Column("status_until", BigInteger),
    Column("time_zone", String(64), nullable=False),
    Column("hides_presence", Boolean, nullable=False),
)

MAX_DISPLAY_NAME, MAX_PRONOUNS, MAX_BIO, MAX_STATUS = 50, 40, 500, 100
"""The most characters of each."""

FOUND = 20
"""Most people that one search finds."""

MAX_STATUS_DAYS = 366
"""The most days ahead that a status may end."""

ENDINGS = {
    "never": "Keep it",
    "30m": "30 minutes",
    "1h": "1 hour",
    "4h": "4 hours",
    "today": "Today",
    "week": "This week",
}
"""When a status may end, as a form offers it; see :func:`until`."""


@dataclass(frozen=True, slots=True)
class Profile:
    """What somebody says of themselves; texts are empty if they say nothing.

    ``status_until`` is in milliseconds since 1970, UTC, None for a status that stays. ``time_zone`` is one of
    :func:`zones`. ``hides_presence``: others are never told whether they are there.
    """

    display_name: str = ""
    pronouns: str = ""
    bio: str = ""
    status: str = ""
    status_until: int | None = None
    time_zone: str = ""
    hides_presence: bool = False


@dataclass(frozen=True, slots=True)
class Found:
    """Somebody who was looked for."""

    person: Person
    display_name: str


class Card(msgspec.Struct, frozen=True):
    """Somebody as others see them. Times are RFC 3339; ``local_time`` is theirs, with its distance from UTC."""

    username: str
    display_name: str
    pronouns: str
    bio: str
    status: str
    status_until: str | None
    time_zone: str
    local_time: str | None
    role: str
    since: str
    presence: str


def of(connection: Connection, person_id: int) -> Profile:
    """Somebody's profile as it is now: a status whose time is up is none."""
    row = connection.execute(_ONE, {"person_id": person_id}).first()
    return Profile() if row is None else _fresh(Profile(*row), time.time() * 1000)


def search(connection: Connection, words: str, after: str = "", limit: int = FOUND) -> list[Found]:
    """Up to ``limit`` people whose name has ``words`` in it, whatever their case: those that begin with it first.

    ``after`` is the name that the last answer ended with. Who waits to be let in is not found.
    """
    # What no name can hold must not reach the database: it may be what no text of PostgreSQL can.
    key, last = (names.key("".join(filter(str.isprintable, said[:_MOST]))) for said in (words, after))
    parameters = {"key": key, "end": key + chr(0x10FFFF), "after": last, "most": limit}
    found: list[Any] = []
    if not last or last.startswith(key):
        found += connection.execute(_BEGINNING, parameters)
        parameters |= {"after": "", "most": limit - len(found)}
    if key and len(found) < limit:
        found += connection.execute(_WITHIN, parameters)
    return [Found(Person(*row[:-1]), row.display_name or "") for row in found]


def card(who: Person, said: Profile, presence: str) -> Card:
    """Somebody's profile for programs; ``presence`` is ``online``, ``away`` or ``offline``."""
    here = local_time(said)
    return Card(
        username=who.username,
        display_name=said.display_name,
        pronouns=said.pronouns,
        bio=said.bio,
        status=said.status,
        status_until=None if said.status_until is None else clock.rfc3339(said.status_until),
        time_zone=said.time_zone,
        local_time=None if here is None else here.isoformat(timespec="seconds"),
        role=who.role,
        since=clock.rfc3339(who.created_at),
        presence=presence,
    )


def change(transaction: Transaction, who: Person, changes: Mapping[str, object]) -> Profile:
    """Change some of what somebody says of themselves, by the names of :class:`Profile`; returns all of it.

    A status that comes without ``status_until`` stays. Everybody is told, if anything is different. Raises
    :class:`Invalid`, :class:`TooLong` or :class:`Taken` with the reason.
    """
    transaction.lock()
    connection = transaction.connection
    row = connection.execute(_ONE, {"person_id": who.id}).first()
    before = Profile() if row is None else Profile(*row)
    after = _changed(transaction, who, _fresh(before, transaction.now), changes)
    if after == before:
        return after
    values = {field.name: getattr(after, field.name) for field in fields(after)}
    if row is None:
        connection.execute(insert(profile).values(person_id=who.id, **values))
    else:
        connection.execute(update(profile).where(profile.c.person_id == who.id).values(**values))
    events.record(transaction, "person.changed", subject_id=who.id, username=who.username)
    return after


def until(ending: str, time_zone: str, now: int) -> int | None:
    """When a status ends that lasts as one of :data:`ENDINGS` says, in milliseconds since 1970, UTC; None for never.

    ``today`` and ``week`` (which ends with Sunday) are those of ``time_zone``, or UTC's. Raises :class:`Invalid`.
    """
    if ending not in ENDINGS:
        raise Invalid("A status ends at one of the times offered.")
    if ending == "never":
        return None
    if ending in _MINUTES:
        return now + _MINUTES[ending] * 60_000
    zone = ZoneInfo(time_zone) if time_zone in zones() else UTC
    moment = datetime.fromtimestamp(now / 1000, zone)
    days = 1 if ending == "today" else 7 - moment.weekday()
    midnight = (moment + timedelta(days=days)).replace(hour=0, minute=0, second=0, microsecond=0)
    return int(midnight.timestamp() * 1000)


def hidden(connection: Connection, person_ids: Iterable[int]) -> set[int]:
    """Who of these people hides whether they are there."""
    return set(connection.execute(_HIDDEN, {"person_ids": list(person_ids)}).scalars())


def local_time(said: Profile) -> datetime | None:
    """What time it is where somebody says they are."""
    return datetime.now(ZoneInfo(said.time_zone)) if said.time_zone in zones() else None


@cache
def zones() -> tuple[str, ...]:
    """The time zones that may be chosen, in alphabetical order: those named for a place, and UTC."""
    return tuple(sorted(zone for zone in available_timezones() if zone.partition("/")[0] in _REGIONS))


_MOST = 128
_MINUTES = {"30m": 30, "1h": 60, "4h": 240}
_REGIONS = frozenset(
    "Africa America Antarctica Arctic Asia Atlantic Australia Europe Indian Pacific UTC".split()  # noqa: SIM905
)
_LINES = {
    "display_name": ("display name", MAX_DISPLAY_NAME),
    "pronouns": ("pronouns", MAX_PRONOUNS),
    "status": ("status", MAX_STATUS),
}


def _changed(transaction: Transaction, who: Person, before: Profile, changes: Mapping[str, object]) -> Profile:
    """A profile with some of it changed, and checked."""
    after = before
    if "status" in changes and "status_until" not in changes:
        changes = {**changes, "status_until": None}
    for name, raw in changes.items():
        if name in _LINES:
            value: object = " ".join(_words(raw, *_LINES[name]).split())
        elif name == "bio":
            value = _words(raw, "bio", MAX_BIO)
        elif name == "time_zone":
            value = _zone(raw)
        elif name == "hides_presence":
            value = _truth(raw)
        elif name == "status_until":
            value = _moment(raw, transaction.now)
        else:
            raise Invalid(f"There is no “{name[:40]}” in a profile.")
        after = replace(after, **{name: value})  # type: ignore[arg-type]
    if after.display_name != before.display_name:
        _refuse_anothers(transaction.connection, who, after.display_name)
    return after if after.status else replace(after, status_until=None)


def _words(raw: object, what: str, most: int) -> str:
    if not isinstance(raw, str):
        raise Invalid(f"The {what} must be a text.")
    try:
        return text.check(raw, most)
    except text.InvalidText as error:
        if error.code == "empty":
            return ""
        if error.code == "too_long":
            raise TooLong(f"That is too long for the {what}: {most} characters at most.") from None
        raise Invalid(f"The {what} holds half a character, which cannot be kept.") from None


def _zone(raw: object) -> str:
    if raw == "":
        return ""
    if not isinstance(raw, str) or raw not in zones():
        raise Invalid("There is no such time zone. They are called like Europe/Berlin.")
    return raw


def _truth(raw: object) -> bool:
    if not isinstance(raw, bool):
        raise Invalid("Presence is hidden or it is not: true or false.")
    return raw


def _moment(raw: object, now: int) -> int | None:
    if raw is None:
        return None
    if not isinstance(raw, int) or not now < raw <= now + MAX_STATUS_DAYS * 86_400_000:
        raise Invalid("A status ends in the future, and within a year.")
    return raw


def _refuse_anothers(connection: Connection, who: Person, name: str) -> None:
    """Nobody may be shown under what somebody else is called here, or the chat itself."""
    key = names.key(name)
    holder = people.holding(connection, key)
    if holder is not None and holder[0].id != who.id:
        raise people.taken(holder[0], name)
    if holder is None and names.is_reserved(name):
        raise Invalid("The chat uses that name itself. Please choose another.")


def _fresh(kept: Profile, now: float) -> Profile:
    over = kept.status_until is not None and kept.status_until <= now
    return replace(kept, status="", status_until=None) if over else kept


_ONE = select(*(profile.c[field.name] for field in fields(Profile))).where(
    profile.c.person_id == bindparam("person_id")
)
_SEARCH = (
    select(*people.COLUMNS, profile.c.display_name)
    .outerjoin(profile, profile.c.person_id == person.c.id)
    .where(person.c.former_at.is_(None), person.c.role != people.APPLICANT, person.c.key > bindparam("after"))
    .order_by(person.c.key)
    .limit(bindparam("most"))
)
_BEGINNING = _SEARCH.where(person.c.key >= bindparam("key"), person.c.key < bindparam("end"))
_WITHIN = _SEARCH.where(
    func.replace(person.c.key, bindparam("key"), "") != person.c.key,
    ~and_(person.c.key >= bindparam("key"), person.c.key < bindparam("end")),
)
_HIDDEN = select(profile.c.person_id).where(among(profile.c.person_id, "person_ids"), profile.c.hides_presence)
