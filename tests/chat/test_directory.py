"""The rooms that somebody could be in."""

from __future__ import annotations

import pytest

from flask_chat.chat import directory, members, people, rooms, upkeep
from flask_chat.chat.directory import Page
from flask_chat.chat.people import Person
from flask_chat.http.services import Services


def make(chat: Services, who: Person, name: str, kind: str = rooms.PUBLIC, topic: str = "") -> str:
    return chat.db.write(lambda transaction: upkeep.create(transaction, who, name, kind, topic)).slug


def look(chat: Services, who: Person, query: str = "", after: int = 0, *, outside: bool = False) -> Page:
    with chat.db.read() as connection:
        return directory.page(connection, who, query, after, outside=outside)


def names(page: Page) -> list[str]:
    return [each.room.name for each in page.entries]


def test_public_rooms_are_listed_with_their_members_and_private_ones_are_not(
    chat: Services, ann: Person, bob: Person
) -> None:
    make(chat, ann, "Kitchen")
    make(chat, ann, "Attic", rooms.PRIVATE)
    chat.db.write(lambda transaction: members.put(transaction, bob, "kitchen", "Bob"))
    cleo = chat.db.write(lambda transaction: people.add(transaction, "Cleo"))
    found = look(chat, cleo)
    assert [(each.room.name, each.members, each.inside) for each in found.entries] == [
        ("Lobby", 3, True),
        ("Kitchen", 2, False),
    ]
    assert names(look(chat, cleo, outside=True)) == ["Kitchen"]
    assert names(look(chat, ann, outside=True)) == [], "nor those that one is in already"


@pytest.mark.parametrize("query", ["cafe", "CAFÉ", "ｃａｆｅ", "cafe soup", "soupe", "  café  "])
def test_case_width_and_accents_do_not_count_and_all_words_do(chat: Services, ann: Person, query: str) -> None:
    make(chat, ann, "Le Café", topic="Soupe à l’oignon")
    make(chat, ann, "Garden")
    assert names(look(chat, ann, query)) == ["Le Café"]
    assert names(look(chat, ann, f"{query} garden")) == []


def test_an_archived_room_comes_up_when_it_is_searched_for(chat: Services, ann: Person) -> None:
    make(chat, ann, "Kitchen")
    chat.db.write(lambda transaction: upkeep.change(transaction, ann, "kitchen", {"archived": True}))
    assert names(look(chat, ann)) == ["Lobby"]
    assert names(look(chat, ann, "kitchen")) == ["Kitchen"]


def test_many_rooms_come_a_page_at_a_time_and_each_once(
    chat: Services, ann: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(directory, "PAGE", 3)
    monkeypatch.setattr(directory, "MOST_LOOKED_AT", 5)
    wanted = ["Lobby"]
    for number in range(8):
        make(chat, ann, f"Room {number}")
        wanted.append(f"Room {number}")
    for query, expected in (("", wanted), ("room", wanted[1:]), ("7", ["Room 7"]), ("nothing", [])):
        found: list[str] = []
        after: int | None = 0
        while after is not None:
            page = look(chat, ann, query, after)
            assert len(page.entries) <= 3
            found += names(page)
            after = page.after
        assert found == expected
