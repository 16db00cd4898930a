"""The audit log: what is written down is kept with its change, found again by its filters, and never a secret."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from flask_chat.chat import audit, people, rooms
from flask_chat.chat.errors import Invalid
from flask_chat.chat.people import Person
from flask_chat.db import Transaction
from flask_chat.http.services import Services

from .people_here import arrive, do, find, room_of

SOURCE = Path(__file__).parents[2] / "src" / "flask_chat"


@pytest.fixture
def eve(chat: Services) -> Person:
    """The chat is hers."""
    return arrive(chat, "Eve", people.OWNER)


def test_every_act_that_is_written_down_has_its_words() -> None:
    written = {
        act
        for path in SOURCE.rglob("*.py")
        for act in re.findall(r'audit\.record\(\s*transaction,\s*\w+,\s*"([a-z_.]+)"', path.read_text())
    }
    assert "room.clear" in written
    assert written <= set(audit.ACTIONS)


def test_entries_are_found_by_what_by_whom_and_to_whom(chat: Services, eve: Person) -> None:
    ann, dora = arrive(chat, "Ann"), arrive(chat, "Dora", people.MODERATOR)
    lobby = find(chat, eve)

    def act(transaction: Transaction) -> None:
        audit.record(transaction, eve, "settings.change", changed={"name": "Zoé’s"})
        audit.record(transaction, dora, "person.mute", person=ann, room=lobby, reason="Shouting", until=None)
        audit.record(transaction, eve, "person.ban", person=ann)
        audit.record(transaction, None, "person.unban", person=ann)

    do(chat, act)
    with chat.db.read() as connection:
        every = audit.page(connection)
        assert [each.action for each in every] == ["person.unban", "person.ban", "person.mute", "settings.change"]
        assert [(each.actor, each.person, each.room) for each in every[:3]] == [
            (None, "Ann", None),
            ("Eve", "Ann", None),
            ("Dora", "Ann", "Lobby"),
        ]
        assert (every[2].detail, every[3].detail) == ({"reason": "Shouting"}, {"changed": {"name": "Zoé’s"}})
        assert [each.action for each in audit.page(connection, action="person.mute")] == ["person.mute"]
        assert len(audit.page(connection, actor_id=eve.id)) == 2
        assert len(audit.page(connection, person_id=ann.id)) == 3
        assert [each.id for each in audit.page(connection, before=every[1].id, limit=1)] == [every[2].id]


def test_what_did_not_happen_is_not_written_down(chat: Services, eve: Person) -> None:
    def act(transaction: Transaction) -> None:
        audit.record(transaction, eve, "settings.change")
        raise Invalid("No.")

    with pytest.raises(Invalid):
        do(chat, act)
    with chat.db.read() as connection:
        assert audit.page(connection) == []


def test_of_a_conversation_it_does_not_say_whose_it_is(chat: Services, eve: Person) -> None:
    ann = arrive(chat, "Ann")
    talk = do(chat, lambda transaction: rooms.make(transaction, ann, "Ann and Bob", rooms.GROUP, "1-2-3"))
    garden = room_of(chat, ann, "Garden")
    do(chat, lambda transaction: audit.record(transaction, eve, "message.delete", room=talk))
    do(chat, lambda transaction: audit.record(transaction, eve, "message.delete", room=garden))
    with chat.db.read() as connection:
        assert [each.room for each in audit.page(connection)] == ["Garden", "a conversation"]
