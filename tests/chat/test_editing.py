"""Editing: authors give their messages other words, while they may, and of the old ones nothing is left."""

from __future__ import annotations

import json
import re

import pytest
from sqlalchemy import select, update

from flask_chat.chat import (
    blocks,
    clock,
    conversations,
    editing,
    feed,
    memberships,
    messages,
    moderation,
    people,
    reports,
    rooms,
    settings,
    upkeep,
)
from flask_chat.chat.errors import Conflict, Forbidden, Invalid, NotFound
from flask_chat.chat.mentions import mention
from flask_chat.chat.messages import Message, message
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.http.services import Services

from .people_here import arrive, do, enter, find, listen, promote, room_of, say, texts


@pytest.fixture
def dora(chat: Services) -> Person:
    """She keeps order."""
    return arrive(chat, "Dora", people.MODERATOR)


def edit(chat: Services, who: Person, id: int, words: str, room: Room | str = rooms.LOBBY) -> Message:
    slug = room if isinstance(room, str) else room.slug
    draft = messages.draft(who, slug, words)
    return do(chat, lambda transaction: editing.edit(transaction, draft, id))


def named(chat: Services) -> list[tuple[int, int]]:
    with chat.db.read() as connection:
        return sorted(tuple(row) for row in connection.execute(select(mention.c.message_id, mention.c.person_id)))


def test_a_message_says_something_else_in_its_place_and_the_room_is_told(
    chat: Services, ann: Person, bob: Person
) -> None:
    first, second = say(chat, ann, "A secret that slipped", client_id="one"), say(chat, bob, "What?")
    told = listen(chat)
    kept = edit(chat, ann, first.id, "Nothing to see <here>")
    assert texts(chat, bob) == ["Nothing to see <here>", "What?"]
    assert (kept.id, kept.author, kept.client_id, kept.created_at) == (first.id, "Ann", "one", first.created_at)
    assert kept.edited_at is not None
    assert kept.edited_at >= first.created_at
    assert f'data-edited="{kept.edited_at}"' in kept.html
    assert re.search(r'title="[^"]+, edited [^"]+"', kept.html)
    assert "data-edited" not in first.html
    [event] = told
    assert (event.type, event.subject_id, event.audience) == ("message.edited", first.id, find(chat, ann).id)
    said = json.loads(event.body)
    assert (said["id"], said["room"], said["message"]["text"]) == (second.id + 1, "lobby", "Nothing to see <here>")
    with chat.db.read() as connection:
        assert messages.page(connection, find(chat, ann), limit=1, before=second.id) == [kept]


def test_who_reads_the_log_later_sees_none_of_the_old_words(chat: Services, ann: Person, bob: Person) -> None:
    first = say(chat, ann, "A secret")
    edit(chat, ann, first.id, "Not a secret"[:3])
    edit(chat, ann, first.id, "In the end")
    with chat.db.read() as connection:
        seen = feed.after(connection, feed.audience(connection, bob.id), first.id - 1, 100, 10**6)[0]
        rows = connection.exec_driver_sql("SELECT * FROM message").all()
    assert [(each.type, json.loads(each.body)["message"]["text"]) for each in seen] == [
        ("message.posted", "In the end"),
        ("message.edited", "In the end"),
        ("message.edited", "In the end"),
    ]
    assert b"secret" not in b"".join(each.body for each in seen)
    assert "secret" not in str(rows)


def test_what_was_told_live_can_be_read_later_byte_for_byte(chat: Services, ann: Person) -> None:
    first = say(chat, ann, "Helo")
    told = listen(chat)
    edit(chat, ann, first.id, "Hello")
    with chat.db.read() as connection:
        again = feed.after(connection, feed.audience(connection, ann.id), told[0].id - 1, 100, 10**6)[0]
    assert [each.body for each in again] == [each.body for each in told]


def test_the_same_words_change_nothing(chat: Services, ann: Person) -> None:
    first = say(chat, ann, "Hello")
    told = listen(chat)
    assert edit(chat, ann, first.id, "  Hello ") == first
    assert not told


def test_a_second_sending_is_known_by_what_was_sent_first(chat: Services, ann: Person) -> None:
    first = say(chat, ann, "Helo", client_id="one")
    edit(chat, ann, first.id, "Hello")
    kept = edit(chat, ann, first.id, "Hello!")
    assert say(chat, ann, "Helo", client_id="one") == kept
    for other in ("Hello", "Hello!", "Something else"):
        with pytest.raises(Conflict):
            say(chat, ann, other, client_id="one")
    assert texts(chat, ann) == ["Hello!"]


def test_only_its_author_edits_a_message(chat: Services, ann: Person, bob: Person, dora: Person) -> None:
    owner = arrive(chat, "Olga", people.OWNER)
    first = say(chat, ann, "Hello")
    told = listen(chat)
    for other in (bob, dora, owner):
        with pytest.raises(Forbidden, match="Only who wrote"):
            edit(chat, other, first.id, "Hullo")
    assert texts(chat, ann) == ["Hello"]
    assert not told


def test_a_message_is_not_found_from_another_room_or_once_it_is_deleted(
    chat: Services, ann: Person, bob: Person
) -> None:
    garden = room_of(chat, ann, "Garden")
    hidden, gone = say(chat, ann, "Roses", garden), say(chat, ann, "Oh")
    place = find(chat, ann)
    do(chat, lambda transaction: moderation.delete_message(transaction, ann, place, gone.id))
    for id in (hidden.id, gone.id, 10**15):
        with pytest.raises(NotFound, match=r"^There is no such message\.$"):
            edit(chat, ann, id, "Hullo")
    for slug in (garden.slug, "garden-nosuchroom"):
        with pytest.raises(NotFound, match=r"^There is no such room\.$"):
            edit(chat, bob, hidden.id, "Hullo", slug)
    assert texts(chat, ann, garden) == ["Roses"]


@pytest.mark.parametrize("words", ["", "  \n ", "x" * 10_001])
def test_what_is_no_message_is_no_edit(chat: Services, ann: Person, words: str) -> None:
    first = say(chat, ann, "Hello")
    with pytest.raises(Invalid):
        edit(chat, ann, first.id, words)
    assert texts(chat, ann) == ["Hello"]


def test_whom_it_names_is_counted_anew(chat: Services, ann: Person, bob: Person, dora: Person) -> None:
    first = say(chat, ann, "@Bob look")
    assert named(chat) == [(first.id, bob.id)]
    kept = edit(chat, ann, first.id, "@Dora look, @Ann")
    assert named(chat) == [(first.id, dora.id)]
    assert 'data-name="Dora"' in kept.html
    assert 'data-name="Bob"' not in kept.html
    edit(chat, ann, first.id, "Look")
    assert named(chat) == []


def test_it_is_edited_for_as_long_as_the_setting_says(chat: Services, ann: Person) -> None:
    first = say(chat, ann, "Hello")

    def age(minutes: float) -> None:
        made = update(message).where(message.c.id == first.id)
        do(
            chat,
            lambda transaction: transaction.connection.execute(
                made.values(created_at=int(transaction.now - minutes * 60_000))
            ),
        )

    age(24 * 60 - 1)
    edit(chat, ann, first.id, "One")
    age(24 * 60)
    with pytest.raises(Forbidden, match=r"^Messages can be edited for 1 day here\.$"):
        edit(chat, ann, first.id, "Two")
    for minutes, words in ((90, "90 minutes"), (120, "2 hours"), (1, "1 minute")):
        do(chat, lambda transaction, minutes=minutes: settings.change(transaction, {"edit_minutes": minutes}))  # type: ignore[misc]
        with pytest.raises(Forbidden, match=f"for {words} here"):
            edit(chat, ann, first.id, "Two")
    do(chat, lambda transaction: settings.change(transaction, {"edit_minutes": None}))
    edit(chat, ann, first.id, "Three")
    do(chat, lambda transaction: settings.change(transaction, {"edit_minutes": 0}))
    age(-60)
    with pytest.raises(Forbidden, match="Nothing is edited here"):
        edit(chat, ann, first.id, "Four")
    # What was kept, and is tried again after its time, is no edit.
    age(24 * 60)
    edit(chat, ann, first.id, "Three")
    age(-60)
    # A clock that was set back since does not take the time away.
    do(chat, lambda transaction: settings.change(transaction, {"edit_minutes": 5}))
    edit(chat, ann, first.id, "Five")


def test_who_may_not_write_there_edits_nothing_there(chat: Services, ann: Person, bob: Person, dora: Person) -> None:
    garden = room_of(chat, dora, "Garden", rooms.PUBLIC)
    enter(chat, garden, ann)
    first = say(chat, ann, "Hello", garden)

    def refused(reason: str) -> None:
        with pytest.raises(Forbidden, match=reason):
            edit(chat, ann, first.id, "Hullo", garden)

    do(chat, lambda transaction: moderation.slow_down(transaction, dora, find(chat, dora, garden), 3600))
    edit(chat, ann, first.id, "Slow mode is for new ones", garden)
    do(chat, lambda transaction: moderation.lock(transaction, dora, find(chat, dora, garden), locked=True))
    refused("locked")
    do(chat, lambda transaction: moderation.lock(transaction, dora, find(chat, dora, garden), locked=False))
    do(chat, lambda transaction: upkeep.change(transaction, dora, garden.slug, {"archived": True}))
    refused("archived")
    do(chat, lambda transaction: upkeep.change(transaction, dora, garden.slug, {"archived": False}))
    do(chat, lambda transaction: settings.change(transaction, {"lockdown": True}))
    refused("members")
    do(chat, lambda transaction: settings.change(transaction, {"lockdown": False}))
    do(chat, lambda transaction: moderation.mute(transaction, dora, ann))
    refused("muted")
    assert texts(chat, dora, garden) == ["Slow mode is for new ones"]


def test_who_is_blocked_says_nothing_by_editing_either(chat: Services, ann: Person, bob: Person) -> None:
    room = do(chat, lambda transaction: conversations.begin(transaction, ann, ["Bob"])).room
    first = say(chat, ann, "Hello", room)
    do(chat, lambda transaction: blocks.add(transaction, bob, ann))
    with pytest.raises(Forbidden):
        edit(chat, ann, first.id, "An insult", room)


def test_who_left_a_room_edits_nothing_there(chat: Services, ann: Person, bob: Person) -> None:
    garden = room_of(chat, bob, "Garden", rooms.PUBLIC)
    enter(chat, garden, ann)
    first = say(chat, ann, "Hello", garden)
    do(chat, lambda transaction: memberships.remove(transaction, garden, ann))
    with pytest.raises(Forbidden, match="Join this room"):
        edit(chat, ann, first.id, "Hullo", garden)


def test_each_report_is_of_what_the_message_said_then_until_it_is_settled(
    chat: Services, ann: Person, bob: Person, dora: Person
) -> None:
    bad, cleo = say(chat, bob, "A flower"), arrive(chat, "Cleo")

    def report(who: Person, reason: str) -> bool:
        return do(chat, lambda transaction: reports.file(transaction, who, find(chat, who), bad.id, reason))

    def said() -> list[str | None]:
        with chat.db.read() as connection:
            [case] = reports.queue(connection, dora)
        return [each.said for each in case.reasons]

    report(ann, "Just so")
    edit(chat, bob, bad.id, "An insult")
    report(cleo, "Rude")
    assert said() == ["A flower", None]
    edit(chat, bob, bad.id, "Two flowers")
    assert said() == ["A flower", "An insult"]
    do(chat, lambda transaction: reports.settle(transaction, dora, bad.id, reports.DISMISS))
    with chat.db.read() as connection:
        assert set(connection.execute(select(reports.report.c.said)).scalars()) == {None}
    assert not report(ann, "Again"), "it was judged"
    settled = do(chat, lambda transaction: transaction.now)
    while do(chat, lambda transaction: transaction.now) <= settled:
        pass
    edit(chat, bob, bad.id, "Another insult")
    assert report(ann, "This time"), "this was not"
    assert said() == [None]


def test_what_is_beside_a_reported_message_is_shown_as_it_was_or_not_at_all(
    chat: Services, ann: Person, bob: Person, dora: Person
) -> None:
    garden = room_of(chat, ann, "Garden")
    enter(chat, garden, bob)
    beside, bad = say(chat, ann, "Roses", garden), say(chat, bob, "An insult", garden)
    do(chat, lambda transaction: reports.file(transaction, ann, garden, bad.id, "Rude"))
    with chat.db.read() as connection:
        first = reports.queue(connection, dora)[0]
    assert [line.text for line in first.lines] == ["Roses", "An insult"]
    while do(chat, lambda transaction: transaction.now) <= first.created_at:
        pass
    edit(chat, ann, beside.id, "A secret of the garden", garden)
    with chat.db.read() as connection:
        assert [line.text for line in reports.queue(connection, dora)[0].lines] == ["An insult"]


def test_of_two_edits_the_later_one_is_newer_whatever_the_clocks_say(chat: Services, ann: Person) -> None:
    first = say(chat, ann, "One")
    ahead = 10_000_000_000_000
    before = update(message).where(message.c.id == first.id).values(edited_at=ahead)
    do(chat, lambda transaction: transaction.connection.execute(before))
    assert edit(chat, ann, first.id, "Two").edited_at == clock.rfc3339(ahead + 1)


def test_nothing_tells_what_was_said_to_who_has_a_copy_of_the_database(chat: Services, ann: Person) -> None:
    sent, unsent = say(chat, ann, "4711", client_id="one"), say(chat, ann, "4711")
    edit(chat, ann, sent.id, "Nothing")
    edit(chat, ann, unsent.id, "Nothing")
    with chat.db.read() as connection:
        rows = connection.execute(select(message.c.id, message.c.sent_check)).all()
    checks = {row.id: row.sent_check for row in rows}
    assert checks[unsent.id] is None, "nobody sends it again"
    assert checks[sent.id] != messages.checksum("4711", b""), "it takes the chat's secret to try"
    assert checks[sent.id] == messages.checksum("4711", chat.db.backend.key)


@pytest.mark.parametrize("way", ["deleted", "cleared", "settled"])
def test_of_an_edited_message_that_is_deleted_nothing_is_left(
    chat: Services, ann: Person, bob: Person, way: str
) -> None:
    owner = promote(chat, arrive(chat, "Olga"), people.OWNER)
    bad = say(chat, bob, "An insult", client_id="one")
    do(chat, lambda transaction: reports.file(transaction, ann, find(chat, ann), bad.id, "Rude"))
    edit(chat, bob, bad.id, "A flower")
    place = find(chat, bob)
    if way == "deleted":
        do(chat, lambda transaction: moderation.delete_message(transaction, bob, place, bad.id))
    elif way == "cleared":
        upkeep.clear(chat.db, owner, rooms.LOBBY, place.name)
    else:
        do(chat, lambda transaction: reports.settle(transaction, owner, bad.id, reports.DELETE))
    with chat.db.read() as connection:
        row = connection.execute(select(message)).one()
        seen = feed.after(connection, feed.audience(connection, ann.id), bad.id - 1, 100, 10**6)[0]
        reported = connection.execute(select(reports.report.c.said)).scalar_one()
    assert (row.text, row.mentions, row.sent_check, reported) == ("", None, None, None)
    assert not [each for each in seen if each.type in ("message.posted", "message.edited")]
    with pytest.raises(Conflict):
        say(chat, bob, "An insult", client_id="one")
