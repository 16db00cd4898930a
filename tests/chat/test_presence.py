"""Presence: what the nodes announce, put together."""

from __future__ import annotations

import msgspec
import pytest
from sqlalchemy import insert

from flask_chat.chat import memberships, people, rooms
from flask_chat.chat.people import Person
from flask_chat.chat.presence import Facts, Presence
from flask_chat.chat.profiles import profile
from flask_chat.http.services import Services


class Nodes:
    """What nodes have announced."""

    def __init__(self) -> None:
        self.said: dict[str, bytes] = {}

    def __call__(self) -> dict[str, bytes]:
        return self.said

    def announce(self, node: str, people: list[Person], away: list[Person] | None = None) -> None:
        facts = Facts(len(people), [person.id for person in people], [person.id for person in away or []])
        self.said[node] = msgspec.json.encode(facts)


@pytest.fixture
def nodes() -> Nodes:
    return Nodes()


@pytest.fixture
def presence(chat: Services, nodes: Nodes) -> Presence:
    return Presence(nodes, chat.db)


def join(chat: Services, name: str) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name))


def hide(chat: Services, person: Person) -> None:
    row = {column.name: "" for column in profile.c} | {"person_id": person.id, "hides_presence": True}
    row["status_until"] = None  # type: ignore[assignment]
    chat.db.write(lambda transaction: transaction.connection.execute(insert(profile).values(row)))


def test_who_is_on_any_node_is_here(chat: Services, presence: Presence, nodes: Nodes) -> None:
    ann, bob, cleo = join(chat, "Ann"), join(chat, "Bob"), join(chat, "Cleo")
    ids = [ann.id, bob.id, cleo.id]
    assert set(presence.of(ids).values()) == {"offline"}
    nodes.announce("one", [ann])
    nodes.announce("two", [bob])
    assert presence.of(ids) == {ann.id: "online", bob.id: "online", cleo.id: "offline"}
    del nodes.said["two"]
    assert presence.of([bob.id]) == {bob.id: "offline"}
    nodes.announce("one", [])
    assert presence.of([ann.id]) == {ann.id: "offline"}


def test_who_is_away_on_every_node_that_they_are_on_is_away(chat: Services, presence: Presence, nodes: Nodes) -> None:
    ann = join(chat, "Ann")
    nodes.announce("one", [ann], [ann])
    assert presence.of([ann.id]) == {ann.id: "away"}
    nodes.announce("two", [ann])
    assert presence.of([ann.id]) == {ann.id: "online"}
    nodes.announce("two", [ann], [ann])
    assert presence.of([ann.id]) == {ann.id: "away"}


def test_a_node_of_another_release_is_passed_over(chat: Services, presence: Presence, nodes: Nodes) -> None:
    ann = join(chat, "Ann")
    nodes.said["tomorrow"] = b'{"connections":3}'
    nodes.said["yesterday"] = b'{"streams":1,"people":[%d]}' % ann.id
    assert presence.of([ann.id]) == {ann.id: "online"}


def test_who_hides_it_is_offline_to_all_but_themselves(chat: Services, presence: Presence, nodes: Nodes) -> None:
    ann, bob = join(chat, "Ann"), join(chat, "Bob")
    hide(chat, ann)
    nodes.announce("one", [ann, bob])
    assert presence.of([ann.id, bob.id]) == {ann.id: "offline", bob.id: "online"}
    assert presence.of([ann.id], bob) == {ann.id: "offline"}
    assert presence.of([ann.id], ann) == {ann.id: "online"}
    with chat.db.read() as connection:
        lobby = rooms.for_member(connection, bob, "lobby")
        assert presence.within(connection, lobby, bob) == {"Bob": "online"}


def test_people_are_asked_for_by_name(chat: Services, presence: Presence, nodes: Nodes) -> None:
    ann, _ = join(chat, "Ann"), join(chat, "Bob")
    nodes.announce("one", [ann])
    assert presence.named(["ann", "Bob", "Nobody", "Аnn"]) == {"Ann": "online", "Bob": "offline"}


def test_a_room_tells_of_those_who_are_in_it(chat: Services, presence: Presence, nodes: Nodes) -> None:
    ann, bob, cleo = join(chat, "Ann"), join(chat, "Bob"), join(chat, "Cleo")
    attic = chat.db.write(lambda transaction: rooms.create(transaction, ann, "Attic", rooms.PRIVATE))
    chat.db.write(lambda transaction: memberships.add(transaction, attic, bob))
    nodes.announce("one", [ann, bob, cleo], [bob])
    with chat.db.read() as connection:
        assert presence.within(connection, attic, ann) == {"Ann": "online", "Bob": "away"}
