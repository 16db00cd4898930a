"""Renaming: another name for the same person, and the one before stays theirs."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from flask_chat.chat import messages, people, renaming, rooms, sessions
from flask_chat.chat.errors import Invalid, NotFound, Refused, Taken, TooLong
from flask_chat.chat.people import Person
from flask_chat.events import Event
from flask_chat.http.services import Services


def add(chat: Services, name: str) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name))


def rename(chat: Services, who: Person, name: str) -> Person:
    return chat.db.write(lambda transaction: renaming.rename(transaction, who, name))


def begin(chat: Services, name: str, kept: Sequence[str] = ()) -> tuple[Person, str]:
    return chat.db.write(lambda transaction: sessions.begin(transaction, name, kept))


def find(chat: Services, name: str) -> Person:
    with chat.db.read() as connection:
        return people.find(connection, name)


def former(chat: Services, who: Person) -> list[str]:
    with chat.db.read() as connection:
        return renaming.former(connection, who)


def test_somebody_has_another_name_and_everybody_is_told(chat: Services) -> None:
    ann, told = add(chat, "Ann"), list[Event]()
    chat.db.listeners.append(told.extend)
    anna = rename(chat, ann, " Anna ")
    assert (anna.id, anna.username) == (ann.id, "Anna")
    assert find(chat, "anna") == anna
    assert [(event.type, event.audience, event.subject_id) for event in told] == [("person.renamed", 0, ann.id)]
    assert b'"was":"Ann","username":"Anna"' in told[0].body


def test_the_old_name_leads_to_who_had_it_and_stays_theirs(chat: Services) -> None:
    coo, bob, cyrillic = add(chat, "Coo"), add(chat, "Bob"), "Соо"
    anna = rename(chat, coo, "Anna")
    assert find(chat, "coo") == anna
    for name in ("Coo", "coo", cyrillic):
        with pytest.raises(Taken):
            rename(chat, bob, name)
        with pytest.raises(Taken):
            begin(chat, name)
    with pytest.raises(NotFound):
        find(chat, cyrillic)


def test_somebody_takes_a_former_name_back(chat: Services) -> None:
    ann = add(chat, "Ann")
    anna = rename(chat, ann, "Anna")
    assert rename(chat, anna, "Ann") == ann
    assert former(chat, ann) == ["Anna"]
    assert find(chat, "Anna") == ann


def test_another_spelling_of_the_same_name_leaves_nothing_behind(chat: Services) -> None:
    ann, told = add(chat, "ann"), list[Event]()
    chat.db.listeners.append(told.extend)
    assert rename(chat, ann, "Ann").username == "Ann"
    assert former(chat, ann) == []
    rename(chat, ann, "Ann")
    assert len(told) == 1


@pytest.mark.parametrize(
    ("name", "error"),
    [("", Invalid), ("lobby", Invalid), ("x" * 33, TooLong), ("Bob", Taken), ("BOB", Taken), ("\ud800", Invalid)],
)
def test_a_name_that_cannot_be_had_is_refused(chat: Services, name: str, error: type[Exception]) -> None:
    ann = add(chat, "Ann")
    add(chat, "Bob")
    with pytest.raises(error):
        rename(chat, ann, name)
    assert find(chat, "Ann") == ann


def test_nobody_holds_names_without_end(chat: Services) -> None:
    ann = add(chat, "Ann")
    for number in range(renaming.MOST_FORMER):
        ann = rename(chat, ann, f"Ann{number}")
    with pytest.raises(Refused, match="10 former names"):
        rename(chat, ann, "Anna")
    assert rename(chat, ann, "Ann").username == "Ann"


def test_what_they_wrote_stands_under_the_new_name_at_once(chat: Services) -> None:
    ann = add(chat, "Ann")
    messages.post(chat.db, messages.draft(ann, rooms.LOBBY, "hello")).result(5)
    for name in ("Anna", "Hannah"):
        with chat.db.read() as connection:
            lobby = rooms.for_member(connection, ann, rooms.LOBBY)
            assert f'data-author="{find(chat, "Ann").username}"' in chat.timelines.latest(connection, lobby).html
        ann = rename(chat, ann, name)
    with chat.db.read() as connection:
        assert 'data-author="Hannah"' in chat.timelines.latest(connection, lobby).html


def test_their_sessions_go_on_and_know_the_new_name(chat: Services) -> None:
    ann, token = begin(chat, "Ann")
    chat.sessions.find(token)
    rename(chat, ann, "Anna")
    found = chat.sessions.find(token)
    assert found is not None
    assert found.person.username == "Anna"


def test_the_token_of_the_old_name_proves_who_they_are(chat: Services) -> None:
    ann, token = begin(chat, "Ann")
    rename(chat, ann, "Anna")
    for name in ("Ann", "Anna"):
        again, _ = begin(chat, name, [token])
        assert (again.id, again.username) == (ann.id, "Anna")
