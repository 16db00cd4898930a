"""Timelines: the page of a room, from memory as long as it is true."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from sqlalchemy import Connection

from flask_chat import config, events
from flask_chat.chat import messages, people, rooms, timelines
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.chat.timelines import Timeline
from flask_chat.http.services import Services

LOBBY = Room(1, "lobby", "Lobby")


@pytest.fixture
def ann(chat: Services) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, "Ann"))


def say(chat: Services, author: Person, text: str) -> int:
    return messages.post(chat.db, messages.draft(author, "lobby", text)).result().message.id


def latest(chat: Services) -> Timeline:
    with chat.db.read() as connection:
        return chat.timelines.latest(connection, LOBBY)


def test_an_empty_room_has_an_empty_page(chat: Services) -> None:
    assert latest(chat) == Timeline(html="", through=0, first_id=None, last_day="", earlier=False, latest=True)


def test_the_page_ends_with_the_last_message_and_says_how_far_it_goes(chat: Services, ann: Person) -> None:
    ids = [say(chat, ann, text) for text in ("one", "two")]
    shown = latest(chat)
    assert shown.html.index("one") < shown.html.index("two")
    assert (shown.through, shown.first_id, shown.earlier, shown.latest) == (ids[-1], ids[0], False, True)


def test_a_page_is_kept_until_the_room_gets_another_message(chat: Services, ann: Person) -> None:
    say(chat, ann, "one")
    first = latest(chat)
    chat.db.write(lambda transaction: people.add(transaction, "Bob"))
    again = latest(chat)
    assert again.html is first.html, "what concerns no room leaves the page as it is"
    assert again.through == first.through + 1
    say(chat, ann, "two")
    assert "two" in latest(chat).html


def test_older_messages_are_a_page_of_their_own(chat: Services, ann: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "PAGE", 3)
    ids = [say(chat, ann, str(number)) for number in range(7)]
    assert (latest(chat).first_id, latest(chat).earlier) == (ids[4], True)
    with chat.db.read() as connection:
        middle = timelines.before(connection, LOBBY, ids[4])
        first = timelines.before(connection, LOBBY, ids[1])
        nothing = timelines.before(connection, LOBBY, ids[0])
    assert (middle.first_id, middle.earlier, middle.latest) == (ids[1], True, False)
    assert (first.first_id, first.earlier, first.html.count("<article")) == (ids[0], False, 1)
    assert (nothing.first_id, nothing.html, nothing.earlier) == (None, "", False)


def interrupt(monkeypatch: pytest.MonkeyPatch, owner: object, name: str, meanwhile: Callable[[], object]) -> None:
    """Have something happen right after the next call of a function."""
    real = getattr(owner, name)

    def interrupted(*arguments: object, **options: object) -> object:
        monkeypatch.setattr(owner, name, real)
        result = real(*arguments, **options)
        meanwhile()
        return result

    monkeypatch.setattr(owner, name, interrupted)


def test_what_was_read_before_a_commit_is_not_kept_after_it(
    chat: Services, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(chat, ann, "one")
    interrupt(monkeypatch, timelines, "before", lambda: say(chat, ann, "two"))
    assert "two" not in latest(chat).html
    assert "two" in latest(chat).html


def test_a_message_that_arrives_while_a_page_is_read_is_on_it_or_after_it_but_not_both(
    chat: Services, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    say(chat, ann, "one")
    late: list[int] = []
    interrupt(monkeypatch, events, "last_id", lambda: late.append(say(chat, ann, "two")))
    shown = latest(chat)
    assert late
    assert ("two" in shown.html) == (shown.through >= late[0]), "who follows the page from its cursor sees it twice"


def test_no_more_rooms_are_kept_than_there_is_room_for(
    chat: Services, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(timelines, "ROOMS", 2)
    say(chat, ann, "one")
    with chat.db.read() as connection:
        first = chat.timelines.latest(connection, LOBBY)
        for id in (2, 3):
            chat.timelines.latest(connection, Room(id, f"room-{id}", "Another"))
        assert chat.timelines.latest(connection, LOBBY) is not first


def test_a_member_finds_the_room_of_the_page(chat: Services, ann: Person) -> None:
    def member(connection: Connection) -> Room:
        return rooms.for_member(connection, ann, "lobby")

    with chat.db.read() as connection:
        assert member(connection) == LOBBY
