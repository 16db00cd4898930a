"""Making rooms, changing them and clearing them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import select

from flask_chat.chat import audit, feed, members, messages, people, rooms, upkeep
from flask_chat.chat.errors import Conflict, Forbidden, Invalid, NotFound, Refused, TooLong
from flask_chat.chat.mentions import mention
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.http.services import Services


def arrive(chat: Services, name: str, role: str = people.GUEST) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name, role))


def kitchen(chat: Services, owner: Person, kind: str = rooms.PUBLIC) -> Room:
    return chat.db.write(lambda transaction: upkeep.create(transaction, owner, "Kitchen", kind))


def change(chat: Services, who: Person, slug: str, **changes: object) -> Room:
    return chat.db.write(lambda transaction: upkeep.change(transaction, who, slug, changes))


def say(chat: Services, who: Person, slug: str, text: str) -> None:
    messages.post(chat.db, messages.draft(who, slug, text)).result(10)


def told(chat: Services, person: Person) -> list[dict[str, object]]:
    """What somebody was told so far."""
    with chat.db.read() as connection:
        heard, _ = feed.after(connection, feed.audience(connection, person.id), 0, 1000, 10**6)
    return [json.loads(event.body) for event in heard]


def test_whoever_makes_a_room_owns_it_and_is_in_it(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    made = chat.db.write(lambda transaction: upkeep.create(transaction, ann, "Kitchen", "private", " What\nwe cook "))
    with chat.db.read() as connection:
        assert rooms.for_member(connection, ann, made.slug).topic == "What we cook"
        assert [(each.person, each.role) for each in members.of(connection, made)] == [(ann, "owner")]


@pytest.mark.parametrize(
    ("name", "kind", "topic", "error"),
    [
        ("", "public", "", Invalid),
        (None, "public", "", Invalid),
        ("\u200b", "public", "", Invalid),
        ("x" * 81, "public", "", TooLong),
        ("Kitchen", "direct", "", Invalid),
        ("Kitchen", ["public"], "", Invalid),
        ("Kitchen", "public", 7, Invalid),
        ("Kitchen", "public", "x" * 251, TooLong),
    ],
)
def test_what_makes_no_room_is_refused_with_its_reason(
    chat: Services, name: object, kind: object, topic: object, error: type[Refused]
) -> None:
    ann = arrive(chat, "Ann")
    with pytest.raises(error):
        chat.db.write(lambda transaction: upkeep.create(transaction, ann, name, kind, topic))
    with chat.db.read() as connection:
        assert [room.slug for room in rooms.all_for(connection, ann)] == ["lobby"]


def test_a_renamed_room_is_found_under_both_addresses_and_can_have_its_old_one_back(chat: Services) -> None:
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    kitchen(chat, ann)
    renamed = change(chat, ann, "kitchen", name="Café")
    assert (renamed.slug, renamed.name) == ("cafe", "Café")
    with chat.db.read() as connection:
        moved = rooms.moved(connection, bob, "kitchen")
        assert moved is not None
        assert moved.slug == "cafe"
    assert kitchen(chat, bob).slug == "kitchen-2", "an old address is nobody else's"
    assert change(chat, ann, "cafe", name="Kitchen").slug == "kitchen"
    with chat.db.read() as connection:
        assert rooms.moved(connection, bob, "kitchen") is None
        moved = rooms.moved(connection, bob, "cafe")
        assert moved is not None
        assert moved.slug == "kitchen"


def test_a_change_of_case_keeps_the_address(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    kitchen(chat, ann)
    assert change(chat, ann, "kitchen", name="KITCHEN!").slug == "kitchen"


def test_the_lobby_keeps_its_address_and_is_never_archived(chat: Services) -> None:
    owner = arrive(chat, "Ann", people.OWNER)
    assert change(chat, owner, "lobby", name="Hall") == Room(1, "lobby", "Hall")
    with pytest.raises(Invalid):
        change(chat, owner, "lobby", archived=True)


def test_the_old_address_of_a_private_room_tells_outsiders_nothing(chat: Services) -> None:
    ann, mallory = arrive(chat, "Ann"), arrive(chat, "Mallory")
    before = kitchen(chat, ann, rooms.PRIVATE)
    after = change(chat, ann, before.slug, name="Pantry")
    assert after.slug.startswith("pantry-")
    assert len(after.slug) == len("pantry-") + 6, "nobody can guess it from the name"
    with chat.db.read() as connection:
        assert rooms.moved(connection, mallory, before.slug) is None
        assert rooms.moved(connection, ann, before.slug) == after


def test_those_in_the_room_are_told_of_what_changed_and_of_nothing_else(chat: Services) -> None:
    ann, bob, cleo = (arrive(chat, name) for name in ("Ann", "Bob", "Cleo"))
    kitchen(chat, ann)
    chat.db.write(lambda transaction: members.put(transaction, bob, "kitchen", "Bob"))
    change(chat, ann, "kitchen", topic="Soup", name="Kitchen")
    change(chat, ann, "kitchen", topic="Soup")
    change(chat, ann, "kitchen", name="Pantry")
    news = [event for event in told(chat, bob) if str(event["type"]).startswith("room.")]
    assert [(event["type"], event["room"], event.get("was")) for event in news] == [
        ("room.changed", "pantry", None),
        ("room.renamed", "pantry", "kitchen"),
    ]
    assert not [event for event in told(chat, cleo) if str(event["type"]).startswith("room.")]


def test_a_room_is_archived_and_comes_back(chat: Services) -> None:
    ann = arrive(chat, "Ann")
    kitchen(chat, ann)
    archived = change(chat, ann, "kitchen", archived=True)
    assert archived.archived_at
    assert archived.archived_at > 1_600_000_000_000
    assert change(chat, ann, "kitchen", archived=True) == archived, "twice is once"
    assert change(chat, ann, "kitchen", archived=False).archived_at is None


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"kind": "private"}, Invalid),
        ({"name": ""}, Invalid),
        ({"topic": None}, Invalid),
        ({"description": "x" * 2001}, TooLong),
        ({"archived": "yes"}, Invalid),
        ({"topic": "new", "name": 7}, Invalid),
    ],
)
def test_what_cannot_be_changed_changes_nothing(
    chat: Services, changes: dict[str, object], error: type[Refused]
) -> None:
    ann = arrive(chat, "Ann")
    before = kitchen(chat, ann)
    with pytest.raises(error):
        change(chat, ann, "kitchen", **changes)
    with chat.db.read() as connection:
        assert rooms.for_member(connection, ann, "kitchen") == before


def test_others_change_nothing_but_moderators_do(chat: Services) -> None:
    ann, bob, cleo = arrive(chat, "Ann"), arrive(chat, "Bob"), arrive(chat, "Cleo", people.MODERATOR)
    kitchen(chat, ann)
    hidden = kitchen(chat, ann, rooms.PRIVATE)
    chat.db.write(lambda transaction: members.put(transaction, bob, "kitchen", "Bob"))
    with pytest.raises(Forbidden):
        change(chat, bob, "kitchen", topic="Mine")
    assert change(chat, cleo, "kitchen", topic="Soup").topic == "Soup"
    with pytest.raises(NotFound):
        change(chat, cleo, hidden.slug, topic="Mine")


def test_clearing_removes_all_that_was_said_and_writes_down_who_did_it(
    chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(upkeep, "CLEARED_AT_ONCE", 2)
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    room = kitchen(chat, ann)
    chat.db.write(lambda transaction: members.put(transaction, bob, "kitchen", "Bob"))
    for number in range(5):
        say(chat, bob, "kitchen", f"{number} @Ann")
    say(chat, bob, "lobby", "stays")
    assert upkeep.clear(chat.db, ann, "kitchen", " kitchen ") == 5
    with chat.db.read() as connection:
        assert messages.page(connection, room, limit=10) == []
        texts = connection.execute(
            select(messages.message.c.text, messages.message.c.mentions).order_by(messages.message.c.id)
        ).all()
        assert [tuple(row) for row in texts] == [("", None)] * 5 + [("stays", None)]
        assert connection.execute(select(mention)).first() is None
        entries = audit.page(connection)
        assert [(entry.action, entry.actor, entry.room) for entry in entries] == [("room.clear", "Ann", "Kitchen")]
    cleared = [event for event in told(chat, bob) if event["type"] == "room.cleared"]
    assert len(cleared) == 3
    assert upkeep.clear(chat.db, ann, "kitchen", "Kitchen") == 0
    say(chat, bob, "kitchen", "again")
    with chat.db.read() as connection:
        assert [message.text for message in messages.page(connection, room, limit=10)] == ["again"]


def test_what_is_said_while_a_room_is_cleared_stays(chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(upkeep, "CLEARED_AT_ONCE", 2)
    ann = arrive(chat, "Ann")
    room = kitchen(chat, ann)
    for number in range(5):
        say(chat, ann, "kitchen", str(number))
    piece, meanwhile = upkeep._clear_some, ["two", "one"]

    def interrupted(*of: Any) -> Any:
        done = piece(*of)
        if meanwhile:
            say(chat, ann, "kitchen", meanwhile.pop())
        return done

    monkeypatch.setattr(upkeep, "_clear_some", interrupted)
    assert upkeep.clear(chat.db, ann, "kitchen", "Kitchen") == 5
    with chat.db.read() as connection:
        assert [message.text for message in messages.page(connection, room, limit=10)] == ["one", "two"]


def test_clearing_is_asked_twice_and_not_for_everybody(chat: Services) -> None:
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    room = kitchen(chat, ann)
    chat.db.write(lambda transaction: members.put(transaction, bob, "kitchen", "Bob"))
    say(chat, bob, "kitchen", "stays")
    for who, confirmed, error in (
        (ann, "", Conflict),
        (ann, None, Conflict),
        (ann, "Lobby", Conflict),
        (bob, "Kitchen", Forbidden),
    ):
        with pytest.raises(error):
            upkeep.clear(chat.db, who, "kitchen", confirmed)
    with chat.db.read() as connection:
        assert [message.text for message in messages.page(connection, room, limit=10)] == ["stays"]
        assert audit.page(connection) == []
