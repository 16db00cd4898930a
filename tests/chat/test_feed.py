"""The feed: what came after a cursor, to the byte what was told when it was live, and to nobody else."""

from __future__ import annotations

import pytest

from flask_chat.chat import feed, memberships, messages, moderation, people, rooms, sessions
from flask_chat.chat.feed import Audience
from flask_chat.chat.people import Person
from flask_chat.events import Event
from flask_chat.http.services import Services


class Log:
    """A chat where some things have happened, and what was told of them live."""

    def __init__(self, chat: Services) -> None:
        self.chat = chat
        self.told: list[Event] = []
        chat.db.listeners.append(self.told.extend)
        self.ann, self.token = chat.db.write(lambda transaction: sessions.begin(transaction, "Ann"))
        self.bob, _ = chat.db.write(lambda transaction: sessions.begin(transaction, "Bob"))
        for author, text, client_id in (
            (self.ann, "hello\nBob", "c1"),
            (self.ann, "<b>again</b> https://example.org/ 👋🏽", None),
            (self.bob, "\u202ehi", "c1"),
        ):
            messages.post(chat.db, messages.draft(author, "lobby", text, client_id)).result()
        session = chat.sessions.find(self.token)
        assert session is not None
        chat.db.write(lambda transaction: people.appoint_owner(transaction, self.bob))
        chat.db.write(lambda transaction: sessions.revoke(transaction, session.id))

    def audience(self, person: Person) -> Audience:
        with self.chat.db.read() as connection:
            return feed.audience(connection, person.id)

    def after(self, audience: Audience, cursor: int, limit: int = 100) -> tuple[list[Event], int]:
        with self.chat.db.read() as connection:
            return feed.after(connection, audience, cursor, limit, 1_000_000)


@pytest.fixture
def log(chat: Services) -> Log:
    return Log(chat)


def facts(events: list[Event]) -> list[tuple[object, ...]]:
    return [
        (each.id, each.type, each.room_id, each.person_id, each.subject_id, each.body, each.html, each.created_at)
        for each in events
    ]


def test_what_is_read_later_is_byte_for_byte_what_was_told_live(log: Log) -> None:
    for person in (log.ann, log.bob):
        audience = log.audience(person)
        read, through = log.after(audience, 0)
        assert facts(read) == facts([event for event in log.told if audience.includes(event)])
        assert through == log.told[-1].id == 7


def test_everybody_gets_the_room_and_only_ann_what_is_hers(log: Log) -> None:
    kinds = {
        person.username: [event.type for event in log.after(log.audience(person), 0)[0]]
        for person in (log.ann, log.bob)
    }
    posted = ["message.posted"] * 3
    assert kinds["Ann"] == ["person.joined", *posted, "session.revoked"]
    assert kinds["Bob"] == ["person.joined", *posted, "owner.appointed"]


def test_who_is_in_no_room_gets_what_is_theirs_alone(log: Log) -> None:
    lobby = rooms.Room(1, "lobby", "Lobby")
    log.chat.db.write(lambda transaction: memberships.remove(transaction, lobby, log.ann))
    read, through = log.after(log.audience(log.ann), 0)
    assert [event.type for event in read] == ["person.joined", "session.revoked", "membership.removed"]
    assert through == 9
    assert log.after(Audience.of(99, frozenset({2})), 0) == ([], 9), "the cursor moves on all the same"


@pytest.mark.parametrize("limit", [1, 2, 3, 4, 100])
def test_reading_in_pieces_misses_nothing_and_repeats_nothing(log: Log, limit: int) -> None:
    audience, cursor = log.audience(log.ann), 0
    whole, _ = log.after(audience, 0)
    pieces: list[Event] = []
    for _ in range(8):
        read, cursor = log.after(audience, cursor, limit)
        assert len(read) <= limit
        pieces += read
    assert facts(pieces) == facts(whole)
    assert cursor == 7


def test_one_look_goes_no_further_than_its_span(log: Log, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(feed, "SPAN", 3)
    nobody, cursors = Audience.of(99, frozenset()), [0]
    while cursors[-1] < 7:
        read, through = log.after(nobody, cursors[-1])
        assert read == []
        cursors.append(through)
    assert cursors == [0, 3, 6, 7]


@pytest.mark.parametrize("limit", [1, 2, 3, 100])
def test_what_is_deleted_hides_nothing_that_came_after_it(log: Log, limit: int) -> None:
    lobby = rooms.Room(1, "lobby", "Lobby")
    said = [event.id for event in log.told if event.type == "message.posted"]
    for id in said:
        author = log.bob if id == said[-1] else log.ann
        log.chat.db.write(lambda write, id=id, author=author: moderation.delete_message(write, author, lobby, id))  # type: ignore[misc]
    audience, cursor = log.audience(log.bob), 0
    pieces: list[Event] = []
    for _ in range(12):
        read, cursor = log.after(audience, cursor, limit)
        pieces += read
    assert [event.type for event in pieces] == ["person.joined", "owner.appointed", *["message.deleted"] * 3]
    assert cursor == log.told[-1].id


@pytest.mark.parametrize("cursor", [7, 8, 10**17])
def test_after_the_end_there_is_nothing_and_the_cursor_stays(log: Log, cursor: int) -> None:
    assert log.after(log.audience(log.ann), cursor) == ([], cursor)
