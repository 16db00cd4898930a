"""Retention: what is past its days goes, in pieces, and nothing else does."""

from __future__ import annotations

import pytest

from flask_chat.chat import memberships, people, reports, retention, rooms, settings
from flask_chat.chat.errors import Forbidden, Invalid
from flask_chat.chat.people import Person
from flask_chat.db import Transaction
from flask_chat.http.services import Services

from .people_here import arrive, do, find, listen, room_of, say, texts

DAY = 86_400_000


@pytest.fixture
def eve(chat: Services) -> Person:
    """The chat is hers."""
    return arrive(chat, "Eve", people.OWNER)


def sweep(chat: Services, days: float) -> int:
    """Sweep as it would be so many days from now."""

    def change(transaction: Transaction) -> int:
        transaction.now += round(days * DAY)
        return retention.sweep(transaction)

    return do(chat, change)


def test_for_ever_is_for_ever(chat: Services, eve: Person) -> None:
    say(chat, eve, "Hello")
    assert sweep(chat, 10_000) == 0


def test_a_room_forgets_what_is_past_its_days_and_tells_those_in_it(chat: Services, eve: Person) -> None:
    garden = room_of(chat, eve, "Garden")
    do(chat, lambda transaction: retention.choose(transaction, eve, garden, 7))
    last = [say(chat, eve, word, garden) for word in ("one", "two")][-1]
    say(chat, eve, "elsewhere")
    assert sweep(chat, 6.9) == 0
    told = listen(chat)
    assert sweep(chat, 7.1) == 2
    assert texts(chat, eve, garden) == []
    assert texts(chat, eve) == ["elsewhere"]
    assert [(each.type, each.room_id) for each in told] == [("room.cleared", garden.id)]
    assert f'"through":{last.id}'.encode() in told[0].body
    assert sweep(chat, 7.1) == 0


def test_what_was_reported_goes_with_what_it_was_about(chat: Services, eve: Person) -> None:
    do(chat, lambda transaction: settings.change(transaction, {"retention_days": 1}))
    ann = arrive(chat, "Ann")
    said, lobby = say(chat, ann, "Hello"), find(chat, ann)
    do(chat, lambda transaction: reports.file(transaction, eve, lobby, said.id, "spam"))
    assert sweep(chat, 2) == 1
    with chat.db.read() as connection:
        assert reports.queue(connection, eve) == []
        assert reports.waiting(connection) == 0


def test_it_is_done_in_pieces(chat: Services, eve: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "AT_ONCE", 2)
    do(chat, lambda transaction: settings.change(transaction, {"retention_days": 1}))
    garden = room_of(chat, eve, "Garden")
    for number in range(3):
        say(chat, eve, str(number))
        say(chat, eve, str(number), garden)
    assert [sweep(chat, 2) for _ in range(4)] == [2, 2, 2, 0]


def test_the_chats_own_days_hold_for_rooms_that_say_nothing_else_and_not_for_conversations(
    chat: Services, eve: Person
) -> None:
    do(chat, lambda transaction: settings.change(transaction, {"retention_days": 1}))
    archive, ann = room_of(chat, eve, "Archive"), arrive(chat, "Ann")
    do(chat, lambda transaction: retention.choose(transaction, eve, archive, 365))
    talk = do(chat, lambda transaction: rooms.make(transaction, eve, "", rooms.DIRECT, f"{eve.id}-{ann.id}"))
    do(chat, lambda transaction: memberships.add(transaction, talk, ann))
    for place in (rooms.LOBBY, archive, talk):
        say(chat, eve, "Hello", place)
    assert sweep(chat, 2) == 1
    assert (texts(chat, eve), texts(chat, eve, archive), texts(chat, eve, talk)) == ([], ["Hello"], ["Hello"])


def test_only_whose_room_it_is_says_how_long(chat: Services, eve: Person) -> None:
    ann, dora = arrive(chat, "Ann"), arrive(chat, "Dora", people.MODERATOR)
    garden = room_of(chat, ann, "Garden")
    do(chat, lambda transaction: retention.choose(transaction, ann, garden, 30))
    lobby = find(chat, dora)
    with pytest.raises(Forbidden):
        do(chat, lambda transaction: retention.choose(transaction, dora, lobby, 30))
    for days in (0, -1, 10**6):
        with pytest.raises(Invalid):
            do(chat, lambda transaction, days=days: retention.choose(transaction, ann, garden, days))  # type: ignore[misc]
