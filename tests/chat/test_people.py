"""People: a name is one person's, and one person's alone."""

from __future__ import annotations

import pytest

from flask_chat.chat import people
from flask_chat.chat.errors import Invalid, NotFound, Refused, TooLong
from flask_chat.chat.people import Person
from flask_chat.events import Event
from flask_chat.http.services import Services


def add(chat: Services, name: str) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, people.check_name(name)))


def find(chat: Services, name: str) -> Person:
    with chat.db.read() as connection:
        return people.find(connection, name)


def test_somebody_new_joins_and_the_log_says_so_to_them(chat: Services) -> None:
    told: list[Event] = []
    chat.db.listeners.append(told.extend)
    ann = add(chat, "Ann")
    assert [(event.type, event.person_id, event.room_id) for event in told] == [("person.joined", ann.id, None)]
    assert (ann.username, ann.role, ann.owner) == ("Ann", "guest", False)


@pytest.mark.parametrize("written", ["Ann", "ann", "ANN", " Ann ", "Ａｎｎ"])
def test_a_person_is_found_by_their_name_whatever_its_case_and_width(chat: Services, written: str) -> None:
    ann = add(chat, "Ann")
    assert find(chat, written) == ann


@pytest.mark.parametrize("written", ["Bob", "", "x" * 10_000, "lobby", "\ud800", "A\u200bnn"])
def test_nobody_is_found_under_another_name(chat: Services, written: str) -> None:
    add(chat, "Ann")
    with pytest.raises(NotFound):
        find(chat, written)


def test_a_name_that_only_looks_alike_is_taken_but_is_not_them(chat: Services) -> None:
    latin, cyrillic = "Coo", "Соо"
    assert latin != cyrillic
    coo = add(chat, latin)
    with chat.db.read() as connection:
        assert people.named(connection, cyrillic) == coo
    with pytest.raises(NotFound):
        find(chat, cyrillic)


def test_a_name_that_nobody_may_have_is_refused_with_its_reason() -> None:
    with pytest.raises(TooLong, match="too long"):
        people.check_name("x" * 33)
    with pytest.raises(Invalid, match="write a name"):
        people.check_name(" ")


def test_the_first_owner_is_the_only_one(chat: Services) -> None:
    ann, bob = add(chat, "Ann"), add(chat, "Bob")
    with chat.db.read() as connection:
        assert not people.has_owner(connection)
    chat.db.write(lambda transaction: people.appoint_owner(transaction, ann))
    with chat.db.read() as connection:
        assert people.has_owner(connection)
    with pytest.raises(Refused, match="owner already"):
        chat.db.write(lambda transaction: people.appoint_owner(transaction, bob))
    assert (find(chat, "Ann").owner, find(chat, "Bob").owner) == (True, False)
