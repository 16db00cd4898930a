"""Conversations of two and of a few."""

from __future__ import annotations

from threading import Thread

import pytest

from flask_chat.chat import blocks, conversations, memberships, messages, people, rooms
from flask_chat.chat.conversations import Begun
from flask_chat.chat.errors import Forbidden, Invalid, NotFound, Refused
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.http.services import Services


def arrive(chat: Services, name: str) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name))


@pytest.fixture
def cast(chat: Services) -> list[Person]:
    return [arrive(chat, name) for name in ("Ann", "Bob", "Cleo", "Dora")]


def begin(chat: Services, who: Person, usernames: object) -> Begun:
    return chat.db.write(lambda transaction: conversations.begin(transaction, who, usernames))


def go(chat: Services, room: Room, who: Person) -> None:
    chat.db.write(lambda transaction: memberships.remove(transaction, room, who))


def test_there_is_one_conversation_of_the_same_people_whoever_begins_it(chat: Services, cast: list[Person]) -> None:
    ann, bob, cleo, _ = cast
    two = begin(chat, ann, ["Bob"])
    few = begin(chat, ann, ["Cleo", "Bob"])
    assert (two.new, two.room.kind, few.new, few.room.kind) == (True, rooms.DIRECT, True, rooms.GROUP)
    assert begin(chat, bob, ["ann", "Ann", "Bob"]) == Begun(two.room, False)
    assert begin(chat, cleo, ["Bob", "Ann"]) == Begun(few.room, False)
    assert begin(chat, bob, ["Cleo"]).room not in (two.room, few.room)


def test_those_whom_it_is_between_are_in_it_and_it_is_nobodys(chat: Services, cast: list[Person]) -> None:
    ann, bob, cleo, dora = cast
    room = begin(chat, ann, ["Bob", "Cleo"]).room
    with chat.db.read() as connection:
        for each in (ann, bob, cleo):
            assert rooms.for_member(connection, each, room.slug) == room
        with pytest.raises(NotFound):
            rooms.for_member(connection, dora, room.slug)
        roles = connection.exec_driver_sql(f"SELECT role FROM membership WHERE room_id = {room.id}").scalars()
        assert set(roles) == {memberships.MEMBER}


def test_two_who_begin_it_at_once_begin_one(chat: Services, cast: list[Person]) -> None:
    ann, bob, _, _ = cast
    begun: list[Begun] = []
    threads = [
        Thread(target=lambda who=who, other=other: begun.append(begin(chat, who, [other])))
        for who, other in ((ann, "Bob"), (bob, "Ann")) * 4
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len({each.room.id for each in begun}) == 1
    assert sorted(each.new for each in begun) == [False] * 7 + [True]


@pytest.mark.parametrize(
    ("usernames", "error"),
    [
        ([], Invalid),
        (["Ann"], Invalid),
        ("Bob", Invalid),
        (None, Invalid),
        ([7], Invalid),
        ({"Bob": 1}, Invalid),
        (["Bob", "Nobody"], NotFound),
        (["Bob"] * 41, Invalid),
    ],
)
def test_what_is_no_conversation_is_refused(
    chat: Services, cast: list[Person], usernames: object, error: type[Refused]
) -> None:
    with pytest.raises(error):
        begin(chat, cast[0], usernames)
    with chat.db.read() as connection:
        assert [room.slug for room in rooms.all_for(connection, cast[0])] == ["lobby"]


def test_twenty_people_have_a_conversation_and_twenty_one_need_a_room(chat: Services, cast: list[Person]) -> None:
    names = [arrive(chat, f"Guest {number}").username for number in range(20)]
    assert begin(chat, cast[0], names[:19]).new
    with pytest.raises(Invalid, match="20 people"):
        begin(chat, cast[0], names)


@pytest.mark.parametrize("blocker", [0, 1])
def test_where_one_has_blocked_the_other_neither_is_told_who(chat: Services, cast: list[Person], blocker: int) -> None:
    chat.db.write(lambda transaction: blocks.add(transaction, cast[blocker], cast[1 - blocker]))
    for usernames in (["Bob"], ["Bob", "Cleo"]):
        with pytest.raises(Forbidden, match=r"^This conversation is not possible\.$"):
            begin(chat, cast[0], usernames)


def test_no_message_passes_between_two_of_whom_one_has_blocked_the_other(chat: Services, cast: list[Person]) -> None:
    ann, bob, cleo, _ = cast
    room = begin(chat, ann, ["Bob"]).room
    chat.db.write(lambda transaction: blocks.add(transaction, bob, ann))
    for who in (ann, bob):
        with pytest.raises(Forbidden, match=r"^This conversation is not possible\.$"):
            messages.post(chat.db, messages.draft(who, room.slug, "hello")).result(10)
    chat.db.write(lambda transaction: blocks.remove(transaction, bob, ann))
    chat.db.write(lambda transaction: blocks.add(transaction, cleo, ann))
    assert messages.post(chat.db, messages.draft(ann, room.slug, "hello")).result(10).new


def test_who_has_left_a_group_comes_back_by_asking_for_it_and_brings_nobody_else(
    chat: Services, cast: list[Person]
) -> None:
    ann, bob, cleo, _ = cast
    room = begin(chat, ann, ["Bob", "Cleo"]).room
    for who in (ann, bob):
        go(chat, room, who)
    assert begin(chat, ann, ["Bob", "Cleo"]) == Begun(room, False)
    with chat.db.read() as connection:
        assert room.id in memberships.room_ids(connection, ann.id)
        assert room.id in memberships.room_ids(connection, cleo.id)
        assert room.id not in memberships.room_ids(connection, bob.id)


def test_what_cannot_be_said_begins_nothing(chat: Services, cast: list[Person]) -> None:
    ann, bob, _, _ = cast
    with pytest.raises(Invalid):
        chat.db.write(lambda transaction: conversations.say(transaction, ann, ["Bob"], " \n"))
    with chat.db.read() as connection:
        assert conversations.with_one(connection, ann, bob) is None
    for _ in range(2):
        begun = chat.db.write(lambda transaction: conversations.say(transaction, ann, ["Bob"], "hello", "c1"))
    with chat.db.read() as connection:
        assert conversations.with_one(connection, bob, ann) == begun.room
        assert [message.text for message in messages.page(connection, begun.room, limit=9)] == ["hello"]
