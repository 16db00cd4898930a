"""Statistics: how much is said, by how many, and when; how much of everything there is.

A day that is over is counted once and kept (:func:`keep`). Messages are found by their numbers, which grow with time:
where a day begins is found by halving, so that nothing needs an index by time on the way in.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, Text, bindparam, func, insert, select

from ..db import Transaction, metadata
from . import clock
from .messages import message
from .people import person
from .rooms import DIRECT, GROUP, PRIVATE, PUBLIC, room

day = Table(
    "day",
    metadata,
    Column("date", String(10), primary_key=True),
    Column("messages", BigInteger, nullable=False),
    Column("people", Integer, nullable=False),
    # Messages in each of its hours, as a JSON list: 24, or 23 or 25 where clocks are changed.
    Column("hours", Text, nullable=False),
)

DAYS = 30
"""Days that are shown, today the last."""

HOUR = 3_600_000


@dataclass(frozen=True, slots=True)
class Day:
    """What was said on a day of the server's zone: messages, people who wrote any, messages by hour of the clock."""

    date: date
    messages: int
    people: int
    hours: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Totals:
    """How much there is. ``rooms`` by kind: of those that are not public, no more than their number is anybody's."""

    people: int
    roles: dict[str, int]
    rooms: dict[str, int]


def days(connection: Connection, now: int) -> list[Day]:
    """The last :data:`DAYS` days, the oldest first; today as far as it has got."""
    last = clock.local(now).date()
    wanted = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
    found = {
        row.date: Day(date.fromisoformat(row.date), row.messages, row.people, tuple(json.loads(row.hours)))
        for row in connection.execute(_KEPT, {"first": wanted[0].isoformat()})
    }
    return [found.get(each.isoformat()) or count(connection, each) for each in wanted]


def keep(transaction: Transaction) -> int:
    """Count and keep the last day that is over and was not kept yet; 0 if there is none, else 1."""
    connection = transaction.connection
    last = clock.local(transaction.now).date()
    transaction.lock()
    kept = set(connection.execute(_KEPT_DATES).scalars())
    for back in range(1, DAYS):
        which = last - timedelta(days=back)
        if which.isoformat() in kept:
            continue
        counted = count(connection, which)
        connection.execute(
            insert(day).values(
                date=which.isoformat(),
                messages=counted.messages,
                people=counted.people,
                hours=json.dumps(counted.hours),
            )
        )
        return 1
    return 0


def count(connection: Connection, which: date) -> Day:
    """Count what was said on a day of the server's zone."""
    begins, ends = _midnight(which), _midnight(which + timedelta(days=1))
    bounds = {"first": first_since(connection, begins), "end": first_since(connection, ends)}
    hours = [0] * round((ends - begins) / HOUR)
    if bounds["first"] == bounds["end"]:
        return Day(which, 0, 0, tuple(hours))
    for hour, number in connection.execute(_HOURS, {**bounds, "begins": begins}):
        # A clock that was set puts a few beyond the day that they are counted with.
        hours[min(max(int(hour), 0), len(hours) - 1)] += number
    authors = connection.execute(_AUTHORS, bounds).scalar_one()
    return Day(which, sum(hours), int(authors), tuple(hours))


def busiest(shown: list[Day]) -> list[int]:
    """Messages in each hour of the day, over all these days."""
    return [sum(each.hours[hour] for each in shown if hour < len(each.hours)) for hour in range(24)]


def totals(connection: Connection) -> Totals:
    """How many people and rooms there are."""
    roles = {role: int(number) for role, number in connection.execute(_ROLES)}
    kinds = dict.fromkeys((PUBLIC, PRIVATE, DIRECT, GROUP), 0)
    kinds.update({kind: int(number) for kind, number in connection.execute(_KINDS)})
    return Totals(sum(roles.values()), roles, kinds)


def first_since(connection: Connection, moment: int) -> int:
    """The id of the first message at or after a moment (milliseconds since 1970), or the one after the last.

    Ids grow with time, but for a clock that was set: then it is somewhere near.
    """
    low, high = connection.execute(_FIRST).scalar_one(), connection.execute(_LAST).scalar_one()
    if high is None:
        return 0
    high += 1
    while low < high:
        middle = (low + high) // 2
        row = connection.execute(_NEXT, {"from": middle}).first()
        if row is None or row.created_at >= moment:
            high = middle
        else:
            low = row.id + 1
    return int(low)


def _midnight(which: date) -> int:
    """When a day begins in the server's zone, in milliseconds since 1970."""
    return round(datetime(which.year, which.month, which.day).astimezone().timestamp() * 1000)


_KEPT = select(day).where(day.c.date >= bindparam("first"))
_KEPT_DATES = select(day.c.date)
# Asked for together, they would be looked for in every message.
_FIRST, _LAST = select(func.min(message.c.id)), select(func.max(message.c.id))
_NEXT = (
    select(message.c.id, message.c.created_at).where(message.c.id >= bindparam("from")).order_by(message.c.id).limit(1)
)
_RANGE = (message.c.id >= bindparam("first")) & (message.c.id < bindparam("end"))
_HOUR = (message.c.created_at - bindparam("begins", type_=BigInteger)) // HOUR
_HOURS = select(_HOUR.label("hour"), func.count()).where(_RANGE).group_by("hour")
# The sum keeps an engine from going through every message of all time in the order of their authors.
_AUTHORS = select(func.count(func.distinct(message.c.author_id + 0))).where(_RANGE)
_ROLES = select(person.c.role, func.count()).where(person.c.former_at.is_(None)).group_by(person.c.role)
_KINDS = select(room.c.kind, func.count()).group_by(room.c.kind)
