"""The overview: my rooms, what each is called to me, and what is new there."""

from __future__ import annotations

import pytest
from sqlalchemy import insert, update

from flask_chat.chat import blocks, memberships, messages, overview, people, rooms
from flask_chat.chat.errors import NotFound
from flask_chat.chat.memberships import membership
from flask_chat.chat.mentions import mention
from flask_chat.chat.messages import Posted, message
from flask_chat.chat.overview import Listed
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.db import Transaction
from flask_chat.http.services import Services


@pytest.fixture
def cleo(chat: Services) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, "Cleo"))


def listed(chat: Services, person: Person) -> list[Listed]:
    with chat.db.read() as connection:
        return overview.of(connection, person)


def alone(chat: Services, person: Person, slug: str) -> Listed:
    with chat.db.read() as connection:
        return overview.one(connection, person, rooms.for_member(connection, person, slug))


def say(chat: Services, author: Person, room: str, text: str = "hello") -> int:
    outcome = messages.post(chat.db, messages.draft(author, room, text)).result()
    assert isinstance(outcome, Posted)
    return outcome.message.id


def make(chat: Services, owner: Person, name: str, *others: Person, kind: str = rooms.PUBLIC) -> Room:
    def change(transaction: Transaction) -> Room:
        made = rooms.make(transaction, owner, name, kind)
        for other in others:
            memberships.add(transaction, made, other)
        return made

    return chat.db.write(change)


def test_a_newcomer_has_read_everything(chat: Services, ann: Person) -> None:
    last = say(chat, ann, "lobby")
    dora = chat.db.write(lambda transaction: people.add(transaction, "Dora"))
    [lobby] = listed(chat, dora)
    assert (lobby.slug, lobby.name, lobby.kind, lobby.unread, lobby.mentions) == ("lobby", "Lobby", "public", 0, 0)
    assert lobby.last_id == last <= lobby.read_id
    assert (lobby.favourite, lobby.muted, lobby.notify, lobby.person) == (False, False, "all", None)


def test_what_others_said_since_is_unread_and_what_i_said_is_not(chat: Services, ann: Person, bob: Person) -> None:
    say(chat, bob, "lobby")
    say(chat, ann, "lobby")
    last = say(chat, bob, "lobby")
    assert (alone(chat, ann, "lobby").unread, alone(chat, bob, "lobby").unread) == (2, 1)
    assert alone(chat, ann, "lobby").last_id == last


def test_what_was_deleted_is_neither_unread_nor_the_last(chat: Services, ann: Person, bob: Person) -> None:
    first, second = say(chat, bob, "lobby"), say(chat, bob, "lobby")
    gone = update(message).where(message.c.id == second).values(deleted_at=1)
    chat.db.write(lambda transaction: transaction.connection.execute(gone))
    seen = alone(chat, ann, "lobby")
    assert (seen.unread, seen.last_id) == (1, first)


def test_mentions_count_what_is_unread_and_names_me(chat: Services, ann: Person, bob: Person) -> None:
    said = [say(chat, bob, "lobby") for _ in range(4)]

    def name(transaction: Transaction) -> None:
        for person, id in [(ann, said[0]), (ann, said[2]), (ann, said[3]), (bob, said[2])]:
            transaction.connection.execute(insert(mention).values(person_id=person.id, room_id=1, message_id=id))
        transaction.connection.execute(
            update(membership).where(membership.c.person_id == ann.id).values(read_id=said[0])
        )
        transaction.connection.execute(update(message).where(message.c.id == said[3]).values(deleted_at=1))

    chat.db.write(name)
    assert (alone(chat, ann, "lobby").unread, alone(chat, ann, "lobby").mentions) == (2, 1)
    assert alone(chat, bob, "lobby").mentions == 0


def test_counting_stops(chat: Services, ann: Person, bob: Person, monkeypatch: pytest.MonkeyPatch) -> None:
    chat.db.write(
        lambda transaction: transaction.connection.execute(
            insert(message),
            [
                {"id": 100 + id, "room_id": 1, "author_id": bob.id, "text": "x", "created_at": 0, "continues": False}
                for id in range(overview.MOST_COUNTED + 5)
            ],
        )
    )
    assert alone(chat, ann, "lobby").unread == overview.MOST_COUNTED


def test_the_most_recent_room_comes_first(chat: Services, ann: Person, bob: Person) -> None:
    say(chat, bob, "lobby")
    for name in ("Attic", "Barn", "Cellar"):
        make(chat, ann, name, bob)
    assert [room.slug for room in listed(chat, bob)] == ["cellar", "barn", "attic", "lobby"]
    say(chat, ann, "attic")
    assert [room.slug for room in listed(chat, bob)] == ["attic", "cellar", "barn", "lobby"]


def test_a_conversation_is_called_after_the_others(chat: Services, ann: Person, bob: Person, cleo: Person) -> None:
    both = make(chat, ann, "", bob, kind=rooms.DIRECT)
    three = make(chat, ann, "", bob, cleo, kind=rooms.GROUP)
    named = make(chat, ann, "The board", bob, cleo, kind=rooms.GROUP)
    found = {room.slug: room for room in listed(chat, ann)}
    assert (found[both.slug].name, found[both.slug].person) == ("Bob", "Bob")
    assert (found[three.slug].name, found[three.slug].person) == ("Bob, Cleo", None)
    assert found[named.slug].name == "The board"
    assert (alone(chat, bob, both.slug).name, alone(chat, bob, both.slug).person) == ("Ann", "Ann")
    with chat.db.read() as connection:
        assert overview.title(connection, cleo, three) == "Ann, Bob"
        assert overview.title(connection, cleo, named) == "The board"


def test_a_room_that_i_am_not_in_is_not_among_mine(chat: Services, ann: Person, bob: Person) -> None:
    attic = make(chat, ann, "Attic")
    assert [room.slug for room in listed(chat, bob)] == ["lobby"]
    with chat.db.read() as connection, pytest.raises(NotFound):
        overview.one(connection, bob, attic)


def test_a_mute_is_over_by_itself(chat: Services, ann: Person) -> None:
    def mute(until: int) -> None:
        change = update(membership).where(membership.c.person_id == ann.id).values(muted_until=until)
        chat.db.write(lambda transaction: transaction.connection.execute(change))

    mute(2**50)
    assert alone(chat, ann, "lobby").muted
    mute(1)
    assert not alone(chat, ann, "lobby").muted


def test_who_is_blocked_makes_nothing_new(chat: Services, ann: Person, bob: Person, cleo: Person) -> None:
    chat.db.write(lambda transaction: blocks.add(transaction, ann, bob))
    last = say(chat, bob, "lobby", "@Ann")
    seen = alone(chat, ann, "lobby")
    assert (seen.unread, seen.mentions, seen.last_id) == (0, 0, last)
    say(chat, cleo, "lobby", "@Ann")
    assert (alone(chat, ann, "lobby").unread, alone(chat, ann, "lobby").mentions) == (1, 1)
    assert alone(chat, cleo, "lobby").unread == 1
