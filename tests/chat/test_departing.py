"""Departing: who goes for good leaves no name behind, and of what they said what they chose."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from flask_chat.chat import (
    credentials,
    departing,
    feed,
    memberships,
    messages,
    passwords,
    people,
    profiles,
    renaming,
    rooms,
    sessions,
)
from flask_chat.chat.browsers import Browser
from flask_chat.chat.errors import Conflict, NotFound, Refused
from flask_chat.chat.people import Person, person
from flask_chat.chat.rooms import Room
from flask_chat.chat.tables import metadata
from flask_chat.events import Event
from flask_chat.http.services import Services


def add(chat: Services, name: str) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name))


def say(chat: Services, who: Person, text: str, room: str = rooms.LOBBY) -> int:
    return messages.post(chat.db, messages.draft(who, room, text, text.encode().hex())).result(5).message.id


def said(chat: Services, reader: Person) -> list[tuple[str, str]]:
    with chat.db.read() as connection:
        lobby = rooms.for_member(connection, reader, rooms.LOBBY)
        return [(each.author, each.text) for each in messages.page(connection, lobby, limit=100)]


def delete(chat: Services, who: Person, *, erase: bool, confirmed: str | None = None) -> None:
    departing.delete_account(chat.db, who, confirmed or who.username, erase=erase)


def everything(chat: Services) -> str:
    with chat.db.read() as connection:
        return "\n".join(
            str(value) for table in metadata.sorted_tables for row in connection.execute(select(table)) for value in row
        )


def test_what_they_said_stays_under_a_name_that_says_nothing(chat: Services) -> None:
    ann, bob = add(chat, "Annegret"), add(chat, "Bob")
    say(chat, ann, "hello")
    delete(chat, ann, erase=False)
    assert said(chat, bob) == [("Somebody (former)", "hello")]
    with chat.db.read() as connection, pytest.raises(NotFound):
        people.find(connection, "Annegret")
    assert add(chat, "Annegret").id != ann.id, "the name is free"


@pytest.mark.parametrize("at_once", [1, departing.READ_AT_ONCE])
def test_nothing_that_is_kept_says_who_they_were(chat: Services, monkeypatch: pytest.MonkeyPatch, at_once: int) -> None:
    monkeypatch.setattr(departing, "READ_AT_ONCE", at_once)
    whence = Browser("Firefox on Linux", "203.0.113.7")
    ann, token = chat.db.write(lambda transaction: sessions.begin(transaction, "Annegret", browser=whence))
    bob = add(chat, "Bob")
    ann = chat.db.write(lambda transaction: renaming.rename(transaction, ann, "Ottilie"))
    chat.db.write(lambda transaction: profiles.change(transaction, ann, {"bio": "I collect barometers"}))
    hash = passwords.make("correct horse battery staple")
    chat.db.write(lambda transaction: passwords.put(transaction, ann.id, hash))
    room = chat.db.write(lambda transaction: rooms.create(transaction, bob, "Garden"))
    chat.db.write(lambda transaction: memberships.add(transaction, room, ann))
    say(chat, ann, "hello")
    assert "Annegret" in everything(chat)
    delete(chat, ann, erase=False)
    left = everything(chat)
    for trace in ("Annegret", "Ottilie", "annegret", "barometers", hash, "203.0.113", "Firefox"):
        assert trace not in left
    assert chat.sessions.find(token) is None
    with chat.db.read() as connection:
        assert not credentials.held(connection, ann.id).password
        told, _ = feed.after(connection, feed.audience(connection, bob.id), 0, 99, 99_999)
    assert any(b'"username":"Somebody (former)"' in event.body for event in told if event.type == "member.joined")


def test_what_they_said_is_removed_piece_by_piece(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(departing, "ERASED_AT_ONCE", 2)
    ann, bob = add(chat, "Ann"), add(chat, "Bob")
    garden = chat.db.write(lambda transaction: rooms.create(transaction, ann, "Garden"))
    ids = [say(chat, ann, f"a{number}") for number in range(3)] + [say(chat, ann, "inside", garden.slug)]
    say(chat, bob, "stays")
    told: list[Event] = []
    chat.db.listeners.append(told.extend)
    delete(chat, ann, erase=True)
    assert said(chat, bob) == [("Bob", "stays")]
    assert "inside" not in everything(chat)
    gone = [(event.subject_id, event.room_id) for event in told if event.type == "message.deleted"]
    assert gone == [(ids[0], 1), (ids[1], 1), (ids[2], 1), (ids[3], garden.id)]
    assert told[-1].type == "person.departed"
    assert b"Ann" not in told[-1].body


def test_a_message_that_was_removed_does_not_come_back_by_its_client_id(chat: Services) -> None:
    ann = add(chat, "Ann")
    bob = add(chat, "Bob")
    say(chat, ann, "hello")
    delete(chat, ann, erase=True)
    with pytest.raises(Refused):
        say(chat, ann, "hello")
    assert said(chat, bob) == []


def test_the_name_is_asked_for_and_the_owner_cannot_go(chat: Services) -> None:
    ann, bob = add(chat, "Ann"), add(chat, "Bob")
    with pytest.raises(Conflict):
        delete(chat, ann, erase=False, confirmed="Bob")
    chat.db.write(lambda transaction: people.appoint_owner(transaction, bob))
    with pytest.raises(Refused, match="Hand it over"):
        delete(chat, bob, erase=False)
    delete(chat, ann, erase=False, confirmed=" ANN ")


def test_two_at_once_delete_one_account_once(chat: Services) -> None:
    ann = add(chat, "Ann")
    delete(chat, ann, erase=False)
    with pytest.raises(NotFound):
        delete(chat, ann, erase=True)
    with chat.db.read() as connection:
        names = connection.execute(select(person.c.username).where(person.c.id == ann.id)).scalars().all()
    assert names == ["Somebody (former)"]


def test_a_room_of_theirs_goes_to_who_has_been_there_longest(chat: Services) -> None:
    ann, bob, cleo = (add(chat, name) for name in ("Ann", "Bob", "Cleo"))
    garden = chat.db.write(lambda transaction: rooms.create(transaction, ann, "Garden"))
    join(chat, garden, bob, 2)
    join(chat, garden, cleo, 1)
    delete(chat, ann, erase=False)
    assert roles(chat, garden) == {cleo.id: "owner", bob.id: "member"}


def roles(chat: Services, room: Room) -> dict[int, str]:
    columns = memberships.membership.c
    with chat.db.read() as connection:
        rows = connection.execute(select(columns.person_id, columns.role).where(columns.room_id == room.id))
        return {row.person_id: row.role for row in rows}


def join(chat: Services, room: Room, who: Person, joined_at: int) -> None:
    change = update(memberships.membership).where(memberships.membership.c.person_id == who.id)
    chat.db.write(lambda transaction: memberships.add(transaction, room, who))
    chat.db.write(lambda transaction: transaction.connection.execute(change.values(joined_at=joined_at)))
