"""Inspection: what the owner and moderators see of the whole chat, on every engine, a page at a time."""

from __future__ import annotations

import pytest

from flask_chat.chat import inspection, memberships, moderation, names, people, rooms, sessions
from flask_chat.chat.browsers import Browser
from flask_chat.chat.people import Person
from flask_chat.http.services import Services

from .people_here import arrive, do, enter, find, room_of, say


@pytest.fixture
def eve(chat: Services) -> Person:
    """The chat is hers."""
    return arrive(chat, "Eve", people.OWNER)


def test_people_are_found_by_any_part_of_their_name_a_page_at_a_time(chat: Services) -> None:
    for name in ("Ann", "Hannah", "Bob", "Zoé", "Dave_9"):
        arrive(chat, name)
    with chat.db.read() as connection:

        def found(query: str, after: str = "", limit: int = 50) -> list[str]:
            return [each.username for each in inspection.search(connection, query, after, limit)]

        assert found("ann") == ["Ann", "Hannah"]
        assert found("ANN") == ["Ann", "Hannah"]
        assert found("%") == []
        assert found("\0ann", "\0") == ["Ann", "Hannah"], "no text of PostgreSQL holds it"
        assert found("_") == ["Dave_9"]
        assert found("\\") == []
        everybody = found("")
        assert len(everybody) == 5
        pages, after = [], ""
        while page := inspection.search(connection, "", after, 2):
            pages += [each.username for each in page]
            after = names.key(page[-1].username)
        assert pages == everybody


def test_who_waits_is_listed(chat: Services) -> None:
    arrive(chat, "Ann")
    arrive(chat, "Cleo", people.APPLICANT)
    with chat.db.read() as connection:
        assert [each.username for each in inspection.applicants(connection)] == ["Cleo"]


def test_rooms_are_listed_with_their_size_and_conversations_never(
    chat: Services, eve: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inspection, "MOST_COUNTED", 3)
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    garden = room_of(chat, ann, "Garden")
    enter(chat, garden, bob)
    for number in range(5):
        say(chat, ann, str(number), garden)
    gone = say(chat, ann, "Oh")
    lobby = find(chat, ann)
    do(chat, lambda transaction: moderation.delete_message(transaction, ann, lobby, gone.id))
    talk = do(chat, lambda transaction: rooms.make(transaction, ann, "", rooms.DIRECT, f"{ann.id}-{bob.id}"))
    do(chat, lambda transaction: memberships.add(transaction, talk, bob))
    with chat.db.read() as connection:
        every = inspection.sizes(connection, private=True)
        assert [(each.name, each.members, each.messages) for each in every] == [("Lobby", 3, 0), ("Garden", 2, 3)]
        assert [each.name for each in inspection.sizes(connection, private=False)] == ["Lobby"]
        assert [each.name for each in inspection.sizes(connection, private=True, after=every[0].id)] == ["Garden"]


def test_open_sessions_are_listed_the_latest_first(chat: Services) -> None:
    for name, address in (("Ann", "203.0.113.7"), ("Bob", "2001:db8::1")):
        browser = Browser("Firefox on Linux", address)
        do(chat, lambda transaction, name=name, browser=browser: sessions.begin(transaction, name, browser=browser))  # type: ignore[misc]
    with chat.db.read() as connection:
        found = inspection.open_sessions(connection)
        assert [(each.username, each.network) for each in found] == [
            ("Bob", "2001:db8::/48"),
            ("Ann", "203.0.113.0/24"),
        ]
        assert [each.username for each in inspection.open_sessions(connection, before=found[0].id)] == ["Ann"]
    do(chat, lambda transaction: sessions.revoke(transaction, found[0].id))
    with chat.db.read() as connection:
        assert [each.username for each in inspection.open_sessions(connection)] == ["Ann"]


def test_what_holds_is_listed_with_its_names_and_what_is_over_is_not(chat: Services, eve: Person) -> None:
    ann, bob = arrive(chat, "Ann"), arrive(chat, "Bob")
    now = do(chat, lambda transaction: transaction.now)
    lobby = find(chat, eve)
    do(chat, lambda transaction: moderation.mute(transaction, eve, ann, room=lobby, expires_at=now + 60_000))
    do(chat, lambda transaction: moderation.ban(transaction, eve, bob, reason="Enough"))
    do(chat, lambda transaction: moderation.ban_network(transaction, eve, "192.0.2.0/24"))
    with chat.db.read() as connection:

        def listed(at: int, person: Person | None = None) -> list[tuple[str | None, str | None, str | None, str]]:
            found = inspection.imposed(connection, at, None if person is None else person.id)
            return [(each.username, each.room, each.restriction.network, each.imposer) for each in found]

        mute, ban = ("Ann", "Lobby", None, "Eve"), ("Bob", None, None, "Eve")
        assert listed(now) == [(None, None, "192.0.2.0/24", "Eve"), ban, mute]
        assert listed(now + 60_000) == [(None, None, "192.0.2.0/24", "Eve"), ban]
        assert listed(now, ann) == [mute]


def test_storage_is_counted(chat: Services, eve: Person) -> None:
    say(chat, eve, "Hello")
    do(chat, lambda transaction: sessions.begin(transaction, "Ann"))
    with chat.db.read() as connection:
        kept = inspection.storage(connection)
    assert kept.bytes > 100_000
    assert (kept.messages, kept.sessions, kept.invitations) == (1, 1, 0)
