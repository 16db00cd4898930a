"""Which of somebody's rooms come first."""

from __future__ import annotations

import json

import pytest
from sqlalchemy import select

from flask_chat.chat import favourites, feed, people, upkeep
from flask_chat.chat.errors import Forbidden, Invalid, NotFound
from flask_chat.chat.memberships import membership
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import room
from flask_chat.http.services import Services


def make(chat: Services, who: Person, name: str) -> None:
    chat.db.write(lambda transaction: upkeep.create(transaction, who, name))


def keep(chat: Services, who: Person, slug: str) -> None:
    chat.db.write(lambda transaction: favourites.keep(transaction, who, slug))


def arrange(chat: Services, who: Person, slugs: object) -> None:
    chat.db.write(lambda transaction: favourites.arrange(transaction, who, slugs))


@pytest.fixture
def ann(chat: Services) -> Person:
    """Ann, who has a kitchen and a garden."""
    ann = chat.db.write(lambda transaction: people.add(transaction, "Ann"))
    for name in ("Kitchen", "Garden"):
        make(chat, ann, name)
    return ann


def order(chat: Services, who: Person) -> list[str]:
    query = (
        select(room.c.slug)
        .join(membership, membership.c.room_id == room.c.id)
        .where(membership.c.person_id == who.id, membership.c.favourite.is_(True))
        .order_by(membership.c.position)
    )
    with chat.db.read() as connection:
        return list(connection.execute(query).scalars())


def changes(chat: Services, who: Person) -> list[tuple[object, object]]:
    with chat.db.read() as connection:
        heard, _ = feed.after(connection, feed.audience(connection, who.id), 0, 1000, 10**6)
    told = [json.loads(event.body) for event in heard]
    return [(event["room"], event["favourite"]) for event in told if event["type"] == "membership.changed"]


def test_a_favourite_is_kept_last_and_taken_out_and_only_its_person_is_told(chat: Services, ann: Person) -> None:
    bob = chat.db.write(lambda transaction: people.add(transaction, "Bob"))
    for slug in ("garden", "lobby", "garden"):
        keep(chat, ann, slug)
    assert order(chat, ann) == ["garden", "lobby"]
    for _ in range(2):
        chat.db.write(lambda transaction: favourites.drop(transaction, ann, "garden"))
    assert order(chat, ann) == ["lobby"]
    assert changes(chat, ann) == [("garden", True), ("lobby", True), ("garden", False)]
    assert changes(chat, bob) == []


def test_an_order_is_as_it_was_said_and_what_is_not_in_it_is_no_favourite(chat: Services, ann: Person) -> None:
    for slugs in (["lobby", "garden", "kitchen"], ["kitchen", "lobby"], ["kitchen", "lobby"]):
        arrange(chat, ann, slugs)
        assert order(chat, ann) == slugs
    assert len(changes(chat, ann)) == 3 + 3, "who says the same again changes nothing"


def test_a_favourite_moves_up_until_it_is_first(chat: Services, ann: Person) -> None:
    arrange(chat, ann, ["lobby", "garden", "kitchen"])
    for expected in (["lobby", "kitchen", "garden"], ["kitchen", "lobby", "garden"], ["kitchen", "lobby", "garden"]):
        chat.db.write(lambda transaction: favourites.move_up(transaction, ann, "kitchen"))
        assert order(chat, ann) == expected


def test_an_order_of_what_one_is_not_in_changes_nothing(chat: Services, ann: Person) -> None:
    bob = chat.db.write(lambda transaction: people.add(transaction, "Bob"))
    for slugs, error in (
        (["lobby", "kitchen"], Forbidden),
        (["lobby", "nowhere"], NotFound),
        ("lobby", Invalid),
        ([7], Invalid),
    ):
        with pytest.raises(error):
            arrange(chat, bob, slugs)
    assert order(chat, bob) == []
