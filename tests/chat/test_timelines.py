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
from flask_chat.events import Event
from flask_chat.http.services import Services

LOBBY = Room(1, "lobby", "Lobby")


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


class Elsewhere:
    """A page that is kept here, in a log that others write to: what is heard of it, and when, is said by the test."""

    def __init__(self, chat: Services, author: Person) -> None:
        self._chat, self._author = chat, author
        with chat.db.read() as connection:
            self.kept = timelines.Timelines(events.last_id(connection), shared=True)

    def say(self, text: str) -> Event:
        told: list[Event] = []
        self._chat.db.listeners.append(told.extend)
        say(self._chat, self._author, text)
        self._chat.db.listeners.remove(told.extend)
        return told[0]

    def joins(self, name: str) -> Event:
        told: list[Event] = []
        self._chat.db.listeners.append(told.extend)
        self._chat.db.write(lambda transaction: people.add(transaction, name))
        self._chat.db.listeners.remove(told.extend)
        return told[0]

    def latest(self) -> Timeline:
        with self._chat.db.read() as connection:
            return self.kept.latest(connection, LOBBY)


def test_a_page_is_never_older_than_what_was_committed_elsewhere(chat: Services, ann: Person) -> None:
    there = Elsewhere(chat, ann)
    there.say("one")
    assert "one" in there.latest().html
    event = there.say("two")
    assert "two" in there.latest().html, "nobody has told of it yet"
    there.kept.hear([event])
    assert "two" in there.latest().html


def test_a_page_that_nothing_happened_to_elsewhere_is_kept(chat: Services, ann: Person) -> None:
    there = Elsewhere(chat, ann)
    there.kept.hear([there.say("one")])
    first = there.latest()
    assert there.latest().html is first.html
    there.kept.hear([there.joins("Bob")])
    assert there.latest().html is first.html
    assert there.latest().through == first.through + 1


def test_a_page_does_not_say_that_it_goes_further_than_it_does(chat: Services, ann: Person) -> None:
    there = Elsewhere(chat, ann)
    there.kept.hear([there.say("one")])
    there.latest()
    two, bob = there.say("two"), there.joins("Bob")
    there.kept.hear([bob])  # It has overtaken the message before it.
    shown = there.latest()
    assert "two" in shown.html
    assert shown.through == bob.id
    there.kept.hear([two, bob])
    assert "two" in there.latest().html


def test_what_was_missed_leaves_no_page_kept(chat: Services, ann: Person) -> None:
    there = Elsewhere(chat, ann)
    there.kept.hear([there.say("one")])
    first = there.latest()
    there.kept.clear(first.through)
    assert there.latest().html == first.html
    assert there.latest().html is not first.html


def test_what_was_said_before_anybody_listened_leaves_no_page_kept(chat: Services, ann: Person) -> None:
    there = Elsewhere(chat, ann)
    there.kept.hear([there.say("one")])
    there.latest()
    unheard = there.say("two")
    there.kept.reach(unheard.id)
    three = there.say("three")
    there.kept.hear([three])
    assert "three" in there.latest().html
    first = there.latest()
    there.kept.reach(unheard.id)
    there.kept.hear([there.joins("Bob")])
    assert there.latest().html is first.html, "it goes on hearing in order"
