"""Who is in a room, who comes in and goes, and whose the room is."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from flask_chat.chat import audit, blocks, conversations, members, people, rooms, upkeep
from flask_chat.chat.errors import Forbidden, Invalid, NotFound
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.db import Transaction
from flask_chat.http.services import Services

Verb = Callable[[Transaction, Person, str, str], Room]


def arrive(chat: Services, name: str, role: str = people.GUEST) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name, role))


@pytest.fixture
def cast(chat: Services) -> dict[str, Person]:
    """Ann, who has a public kitchen and a private attic; Bob, Cleo and Mallory; Dora, who is a moderator."""
    made = {name: arrive(chat, name) for name in ("Ann", "Bob", "Cleo", "Mallory")}
    made["Dora"] = arrive(chat, "Dora", people.MODERATOR)
    chat.db.write(lambda transaction: upkeep.create(transaction, made["Ann"], "Kitchen", rooms.PUBLIC))
    return made


@pytest.fixture
def attic(chat: Services, cast: dict[str, Person]) -> str:
    return chat.db.write(lambda transaction: upkeep.create(transaction, cast["Ann"], "Attic", rooms.PRIVATE)).slug


def inside(chat: Services, cast: dict[str, Person], slug: str) -> dict[str, str]:
    """Who is in a room, and as what."""
    with chat.db.read() as connection:
        place = next(
            found for person in cast.values() for found in rooms.all_for(connection, person) if found.slug == slug
        )
        return {each.person.username: each.role for each in members.of(connection, place)}


def do(chat: Services, verb: Verb, who: Person, slug: str, name: str) -> None:
    chat.db.write(lambda transaction: verb(transaction, who, slug, name))


def begin(chat: Services, who: Person, names: list[str]) -> str:
    return chat.db.write(lambda transaction: conversations.begin(transaction, who, names)).room.slug


def test_everybody_may_join_and_leave_a_public_room_as_often_as_they_like(
    chat: Services, cast: dict[str, Person]
) -> None:
    for _ in range(2):
        do(chat, members.put, cast["Bob"], "kitchen", "bob")
    assert inside(chat, cast, "kitchen") == {"Ann": "owner", "Bob": "member"}
    for _ in range(2):
        do(chat, members.drop, cast["Bob"], "kitchen", "Bob")
    assert inside(chat, cast, "kitchen") == {"Ann": "owner"}


def test_nobody_joins_a_private_room_by_themselves_and_none_can_tell_that_it_is_there(
    chat: Services, cast: dict[str, Person], attic: str
) -> None:
    for verb in (members.put, members.drop, members.hand_over):
        for name in ("Mallory", "Ann", "Nobody"):
            words = []
            for slug in (attic, "attic-aaaaaa"):
                with pytest.raises(NotFound) as refused:
                    do(chat, verb, cast["Mallory"], slug, name)
                words.append(refused.value.reason)
            assert words[0] == words[1] == "There is no such room."


def test_who_is_inside_brings_others_in(chat: Services, cast: dict[str, Person], attic: str) -> None:
    do(chat, members.put, cast["Ann"], attic, "Bob")
    do(chat, members.put, cast["Bob"], attic, "Cleo")
    assert inside(chat, cast, attic) == {"Ann": "owner", "Bob": "member", "Cleo": "member"}
    with pytest.raises(Forbidden):
        do(chat, members.put, cast["Mallory"], "kitchen", "Cleo")
    with pytest.raises(NotFound):
        do(chat, members.put, cast["Ann"], attic, "Nobody")


def test_the_owner_puts_others_out_and_it_is_written_down(chat: Services, cast: dict[str, Person], attic: str) -> None:
    for name in ("Bob", "Cleo"):
        do(chat, members.put, cast["Ann"], attic, name)
    with pytest.raises(Forbidden):
        do(chat, members.drop, cast["Bob"], attic, "Cleo")
    for _ in range(2):
        do(chat, members.drop, cast["Ann"], attic, "Cleo")
    assert inside(chat, cast, attic) == {"Ann": "owner", "Bob": "member"}
    with chat.db.read() as connection:
        assert [(each.action, each.actor, each.person) for each in audit.page(connection)] == [
            ("member.remove", "Ann", "Cleo")
        ]


def test_a_moderator_keeps_order_in_public_rooms_and_knows_nothing_of_others(
    chat: Services, cast: dict[str, Person], attic: str
) -> None:
    do(chat, members.put, cast["Bob"], "kitchen", "Bob")
    do(chat, members.drop, cast["Dora"], "kitchen", "Bob")
    assert inside(chat, cast, "kitchen") == {"Ann": "owner"}
    with pytest.raises(NotFound):
        do(chat, members.drop, cast["Dora"], attic, "Ann")


def test_a_moderator_puts_nobody_out_who_is_not_below_them(chat: Services, cast: dict[str, Person]) -> None:
    eve, frank = arrive(chat, "Eve", people.OWNER), arrive(chat, "Frank", people.MODERATOR)
    for each in (eve, frank):
        do(chat, members.put, each, "kitchen", each.username)
        with pytest.raises(Forbidden):
            do(chat, members.drop, cast["Dora"], "kitchen", each.username)
    do(chat, members.drop, cast["Ann"], "kitchen", "Frank")
    assert inside(chat, cast, "kitchen") == {"Ann": "owner", "Eve": "member"}, "it is her kitchen"


def test_a_room_whose_owner_leaves_goes_to_who_was_in_it_longest(chat: Services, cast: dict[str, Person]) -> None:
    for name in ("Cleo", "Bob"):
        do(chat, members.put, cast[name], "kitchen", name)
    do(chat, members.drop, cast["Ann"], "kitchen", "Ann")
    assert inside(chat, cast, "kitchen")["Cleo"] == "owner"
    assert inside(chat, cast, "kitchen")["Bob"] == "member"


def test_a_room_is_handed_over_to_somebody_in_it_and_has_one_owner(chat: Services, cast: dict[str, Person]) -> None:
    do(chat, members.put, cast["Bob"], "kitchen", "Bob")
    with pytest.raises(Forbidden):
        do(chat, members.hand_over, cast["Bob"], "kitchen", "Bob")
    with pytest.raises(Invalid):
        do(chat, members.hand_over, cast["Ann"], "kitchen", "Cleo")
    do(chat, members.hand_over, cast["Ann"], "kitchen", "Bob")
    assert inside(chat, cast, "kitchen") == {"Ann": "member", "Bob": "owner"}


def test_nobody_is_brought_in_by_somebody_they_have_blocked(
    chat: Services, cast: dict[str, Person], attic: str
) -> None:
    chat.db.write(lambda transaction: blocks.add(transaction, cast["Bob"], cast["Ann"]))
    with pytest.raises(Forbidden) as refused:
        do(chat, members.put, cast["Ann"], attic, "Bob")
    assert "block" not in refused.value.reason
    assert inside(chat, cast, attic) == {"Ann": "owner"}


def test_a_conversation_stays_between_its_people(chat: Services, cast: dict[str, Person]) -> None:
    two, few = (begin(chat, cast["Ann"], names) for names in (["Bob"], ["Bob", "Cleo"]))
    for slug in (two, few):
        for verb, name in ((members.put, "Dora"), (members.drop, "Bob"), (members.hand_over, "Bob")):
            with pytest.raises(Forbidden):
                do(chat, verb, cast["Ann"], slug, name)
    with pytest.raises(Forbidden):
        do(chat, members.drop, cast["Ann"], two, "Ann")
    do(chat, members.drop, cast["Ann"], few, "Ann")
    assert inside(chat, cast, few) == {"Bob": "member", "Cleo": "member"}


def test_members_come_a_page_at_a_time(chat: Services, cast: dict[str, Person]) -> None:
    for name in ("Bob", "Cleo", "Dora"):
        do(chat, members.put, cast[name], "kitchen", name)
    with chat.db.read() as connection:
        place = rooms.for_member(connection, cast["Ann"], "kitchen")
        first = members.of(connection, place, 0, 2)
        rest = members.of(connection, place, first[-1].person.id, 2)
        assert members.count(connection, place) == 4
    assert [each.person.username for each in first + rest] == ["Ann", "Bob", "Cleo", "Dora"]
