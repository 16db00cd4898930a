"""The cast, with the roles that they have in a test of the house."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from sqlalchemy import update

from flask_chat.chat import memberships, messages, people, rooms
from flask_chat.chat.people import Person, person
from flask_chat.chat.rooms import Room
from flask_chat.db import Transaction
from flask_chat.events import Event
from flask_chat.http.services import Services

Result = TypeVar("Result")


def arrive(chat: Services, name: str, role: str = people.GUEST) -> Person:
    """Somebody new, with a role."""
    return chat.db.write(lambda transaction: people.add(transaction, people.check_name(name), role))


def promote(chat: Services, who: Person, role: str) -> Person:
    """The same person, with another role."""

    def change(transaction: Transaction) -> Person:
        transaction.connection.execute(update(person).where(person.c.id == who.id).values(role=role))
        return people.find(transaction.connection, who.username)

    return chat.db.write(change)


def again(chat: Services, who: Person) -> Person:
    """The same person as they are now."""
    with chat.db.read() as connection:
        return people.find(connection, who.username)


def room_of(chat: Services, creator: Person, name: str, kind: str = rooms.PRIVATE) -> Room:
    return chat.db.write(lambda transaction: rooms.create(transaction, creator, name, kind))


def enter(chat: Services, room: Room, *newcomers: Person) -> None:
    for each in newcomers:
        chat.db.write(lambda transaction, each=each: memberships.add(transaction, room, each))  # type: ignore[misc]


def find(chat: Services, who: Person, room: Room | str = rooms.LOBBY) -> Room:
    """A room as it is now."""
    slug = room if isinstance(room, str) else room.slug
    with chat.db.read() as connection:
        return rooms.for_member(connection, who, slug)


def say(
    chat: Services, who: Person, words: str, room: Room | str = rooms.LOBBY, client_id: str | None = None
) -> messages.Message:
    slug = room if isinstance(room, str) else room.slug
    return messages.post(chat.db, messages.draft(who, slug, words, client_id)).result().message


def texts(chat: Services, who: Person, room: Room | str = rooms.LOBBY) -> list[str]:
    """What can be read in a room."""
    with chat.db.read() as connection:
        return [each.text for each in messages.page(connection, find(chat, who, room), limit=100)]


def do(chat: Services, change: Callable[[Transaction], Result]) -> Result:
    return chat.db.write(change)


def listen(chat: Services) -> list[Event]:
    """The events that are recorded from now on."""
    told: list[Event] = []
    chat.db.listeners.append(told.extend)
    return told
