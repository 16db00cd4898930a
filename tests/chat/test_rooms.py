"""Rooms: for now the lobby, and everybody is in it."""

from __future__ import annotations

import pytest

from flask_chat.chat import people, rooms
from flask_chat.chat.errors import NotFound
from flask_chat.chat.rooms import Room
from flask_chat.http.services import Services


def test_the_lobby_is_made_once(chat: Services) -> None:
    ann = chat.db.write(lambda transaction: people.add(transaction, "Ann"))
    chat.db.write(rooms.make_lobby)
    with chat.db.read() as connection:
        assert rooms.all_for(connection, ann) == [Room(1, "lobby", "Lobby")]
        assert rooms.for_member(connection, ann, "lobby") == Room(1, "lobby", "Lobby")


@pytest.mark.parametrize("slug", ["kitchen", "", "LOBBY", "lobby ", "x" * 100_000, "'; DROP TABLE room; --"])
def test_a_room_that_is_not_there_is_not_found(chat: Services, slug: str) -> None:
    ann = chat.db.write(lambda transaction: people.add(transaction, "Ann"))
    with chat.db.read() as connection, pytest.raises(NotFound):
        rooms.for_member(connection, ann, slug)
