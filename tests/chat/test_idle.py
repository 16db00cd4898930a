"""Idle names: what nobody uses is free again, and what was said under it stays."""

from __future__ import annotations

import pytest
from sqlalchemy import delete, insert, select, update

from flask_chat.chat import (
    credentials,
    idle,
    keeping,
    memberships,
    messages,
    people,
    renaming,
    rooms,
    sessions,
    settings,
)
from flask_chat.chat.errors import NotFound, Taken
from flask_chat.chat.people import Person, person
from flask_chat.chat.sessions import session
from flask_chat.db import Transaction
from flask_chat.events import Event
from flask_chat.http.services import Services

HOUR = 3_600_000


def come(chat: Services, name: str) -> tuple[Person, str]:
    return chat.db.write(lambda transaction: sessions.begin(transaction, name))


def sweep(chat: Services) -> int:
    return chat.db.write(idle.sweep)


def last_seen(chat: Services, who: Person, days: float, *columns: str) -> None:
    """Let somebody have come, and have been here last, so long ago."""

    def change(transaction: Transaction) -> None:
        then = transaction.now - round(days * idle.DAY)
        transaction.connection.execute(update(person).where(person.c.id == who.id).values(created_at=then))
        times = dict.fromkeys(columns or ("created_at", "renewed_at", "seen_at"), then)
        transaction.connection.execute(update(session).where(session.c.person_id == who.id).values(times))

    chat.db.write(change)


def set_days(chat: Services, days: int | None) -> None:
    chat.db.write(lambda transaction: settings.change(transaction, {"name_days": days}))


def noted_for(chat: Services, days: int) -> None:
    def change(transaction: Transaction) -> None:
        transaction.connection.execute(delete(keeping.kept).where(keeping.kept.c.name == keeping.SEEN_SINCE))
        since = str(transaction.now - days * idle.DAY)
        transaction.connection.execute(insert(keeping.kept).values(name=keeping.SEEN_SINCE, value=since))

    chat.db.write(change)


def called(chat: Services, who: Person) -> str:
    with chat.db.read() as connection:
        return str(connection.execute(select(person.c.username).where(person.c.id == who.id)).scalar_one())


def test_a_name_that_nobody_uses_is_there_for_who_asks(chat: Services) -> None:
    ann, token = come(chat, "Ann")
    messages.post(chat.db, messages.draft(ann, rooms.LOBBY, "hello")).result(5)
    last_seen(chat, ann, 31)
    another, _ = come(chat, "ann")
    assert (another.username, another.id != ann.id) == ("ann", True)
    assert called(chat, ann) == "Ann (former)"
    assert chat.sessions.find(token) is None
    with chat.db.read() as connection:
        lobby = rooms.for_member(connection, another, rooms.LOBBY)
        assert [said.author for said in messages.page(connection, lobby, limit=9)] == ["Ann (former)"]
        assert people.find(connection, "Ann") == another
        with pytest.raises(NotFound):
            people.find(connection, "Ann (former)")
        assert memberships.room_ids(connection, ann.id) == frozenset()
    with pytest.raises(Taken):
        chat.db.write(lambda transaction: sessions.begin(transaction, "Ann", [token]))


def test_it_can_be_taken_by_renaming_too(chat: Services) -> None:
    ann, _ = come(chat, "Ann")
    bob, _ = come(chat, "Bob")
    last_seen(chat, ann, 31)
    assert chat.db.write(lambda transaction: renaming.rename(transaction, bob, "Ann")).username == "Ann"


@pytest.mark.parametrize("column", ["renewed_at", "seen_at"])
def test_whoever_was_here_a_moment_ago_keeps_their_name(chat: Services, column: str) -> None:
    ann, _ = come(chat, "Ann")
    last_seen(chat, ann, 31, *({"created_at", "renewed_at", "seen_at"} - {column}))
    with pytest.raises(Taken):
        come(chat, "Ann")
    assert sweep(chat) == 0


def test_who_has_claimed_their_name_keeps_it_for_ever(chat: Services) -> None:
    ann, _ = come(chat, "Ann")
    chat.db.write(lambda transaction: credentials.claim(transaction, ann))
    last_seen(chat, ann, 4_000)
    assert sweep(chat) == 0
    with pytest.raises(Taken):
        come(chat, "Ann")


def test_who_leads_the_chat_keeps_their_name_claimed_or_not(chat: Services) -> None:
    ann, _ = come(chat, "Ann")
    chat.db.write(lambda transaction: people.appoint_owner(transaction, ann))
    last_seen(chat, ann, 4_000)
    assert sweep(chat) == 0


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_clock_that_is_an_hour_off_changes_nothing(chat: Services, hours: int) -> None:
    ann, _ = come(chat, "Ann")
    bob, _ = come(chat, "Bob")
    last_seen(chat, ann, 29.9)
    last_seen(chat, bob, 30.1)

    def off(transaction: Transaction) -> int:
        transaction.now += hours * HOUR
        return idle.sweep(transaction)

    assert chat.db.write(off) == 1
    assert (called(chat, ann), called(chat, bob)) == ("Ann", "Bob (former)")


def test_the_owner_says_after_how_many_days_or_never(chat: Services) -> None:
    ann, _ = come(chat, "Ann")
    last_seen(chat, ann, 31)
    for days, swept in ((None, 0), (40, 0), (10, 1)):
        set_days(chat, days)
        assert sweep(chat) == swept


def test_what_was_before_anybody_noted_it_does_not_count(chat: Services) -> None:
    last_seen(chat, come(chat, "Ann")[0], 4_000)
    for days, swept in ((29, 0), (31, 1)):
        noted_for(chat, days)
        assert sweep(chat) == swept


def test_many_names_are_freed_a_few_at_a_time(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(idle, "AT_ONCE", 2)
    for name in ("Ann", "Bob", "Cleo"):
        last_seen(chat, come(chat, name)[0], 31)
    assert [sweep(chat) for _ in range(3)] == [2, 1, 0]


def test_those_who_had_one_name_after_another_are_told_apart(chat: Services) -> None:
    had = []
    for _ in range(3):
        ann, _ = come(chat, "Ann")
        last_seen(chat, ann, 31)
        had.append(ann)
    sweep(chat)
    assert [called(chat, each) for each in had] == ["Ann (former)", "Ann (former 2)", "Ann (former 3)"]


def test_everybody_is_told_once_and_open_sessions_end(chat: Services) -> None:
    ann, _ = come(chat, "Ann")
    last_seen(chat, ann, 31)
    told: list[Event] = []
    chat.db.listeners.append(told.extend)
    sweep(chat)
    assert [(event.type, event.audience) for event in told] == [("session.revoked", -ann.id), ("person.departed", 0)]
    assert b'"was":"Ann","username":"Ann (former)"' in told[-1].body


def test_the_longest_name_has_room_for_the_mark(chat: Services) -> None:
    longest = "क्" * 32
    for _ in range(2):
        ann, _ = come(chat, longest)
        last_seen(chat, ann, 31)
    assert sweep(chat) == 1
    assert called(chat, ann).endswith("(former 2)")
