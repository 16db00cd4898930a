"""Statistics: every message is counted on its day, once, whatever is kept already."""

from __future__ import annotations

import random

import pytest
from sqlalchemy import insert, select, update

from flask_chat.chat import clock, people, retention, statistics
from flask_chat.chat.messages import message
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import room
from flask_chat.db import Transaction
from flask_chat.http.services import Services

from .people_here import arrive, do

HOUR = 3_600_000


@pytest.fixture
def cast(chat: Services) -> list[Person]:
    return [arrive(chat, name) for name in ("Ann", "Bob", "Cleo")]


def fill(chat: Services, cast: list[Person], moments: list[int]) -> None:
    """Messages at these moments, each of somebody."""

    def change(transaction: Transaction) -> None:
        lobby = transaction.connection.execute(select(room.c.id)).scalar_one()
        transaction.connection.execute(
            insert(message),
            [
                {
                    "id": 1_000 + 7 * place,
                    "room_id": lobby,
                    "author_id": cast[place % len(cast)].id,
                    "text": "word",
                    "created_at": moment,
                    "continues": False,
                }
                for place, moment in enumerate(moments)
            ],
        )

    do(chat, change)


def test_a_chat_without_messages_has_thirty_empty_days(chat: Services) -> None:
    now = do(chat, lambda transaction: transaction.now)
    with chat.db.read() as connection:
        shown = statistics.days(connection, now)
    assert len(shown) == 30
    assert shown[-1].date == clock.local(now).date()
    assert {(each.messages, each.people) for each in shown} == {(0, 0)}


def test_every_message_is_counted_on_its_day_and_in_its_hour(chat: Services, cast: list[Person]) -> None:
    now = do(chat, lambda transaction: transaction.now)
    chance = random.Random(4)
    moments = sorted(now - chance.randrange(40 * 24 * HOUR) for _ in range(400))
    fill(chat, cast, moments)
    with chat.db.read() as connection:
        shown = statistics.days(connection, now)
    for each in shown:
        ours = [moment for moment in moments if clock.local(moment).date() == each.date]
        assert each.messages == len(ours) == sum(each.hours)
        authors = {cast[moments.index(moment) % 3].id for moment in ours}
        assert each.people == len(authors)
    assert sum(statistics.busiest(shown)) == sum(each.messages for each in shown)


def test_what_was_kept_is_what_would_be_counted_and_outlives_the_messages(chat: Services, cast: list[Person]) -> None:
    now = do(chat, lambda transaction: transaction.now)
    fill(chat, cast, [now - 3 * 24 * HOUR, now - 2 * 24 * HOUR, now - 2 * 24 * HOUR + 1])
    with chat.db.read() as connection:
        before = statistics.days(connection, now)
    kept = 0
    while do(chat, statistics.keep):
        kept += 1
    assert kept == 29
    assert do(chat, statistics.keep) == 0
    with chat.db.read() as connection:
        assert statistics.days(connection, now) == before

    def forget(transaction: Transaction) -> None:
        transaction.connection.execute(update(room).values(retention_days=1))

    do(chat, forget)
    assert do(chat, retention.sweep) == 3
    with chat.db.read() as connection:
        assert statistics.days(connection, now) == before


def test_a_clock_that_was_set_back_loses_no_message_of_today(chat: Services, cast: list[Person]) -> None:
    now = do(chat, lambda transaction: transaction.now)
    fill(chat, cast, [now, now - HOUR, now])
    with chat.db.read() as connection:
        shown = statistics.days(connection, now)
    assert sum(each.messages for each in shown) == 3


def test_people_and_rooms_are_counted_by_what_they_are(chat: Services, cast: list[Person]) -> None:
    arrive(chat, "Dora", people.MODERATOR)
    with chat.db.read() as connection:
        totals = statistics.totals(connection)
    assert totals.people == 4
    assert totals.roles == {"guest": 3, "moderator": 1}
    assert totals.rooms == {"public": 1, "private": 0, "direct": 0, "group": 0}
