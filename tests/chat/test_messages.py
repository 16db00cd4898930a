"""Messages: kept once each, in one order, and shown to everybody alike."""

from __future__ import annotations

import itertools
import json

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, select, update

from flask_chat import events
from flask_chat.chat import memberships, messages, people, rooms
from flask_chat.chat.errors import Conflict, Forbidden, Invalid, NotFound, TooLong
from flask_chat.chat.messages import FOLLOWS_WITHIN, Draft, Message, Posted
from flask_chat.chat.people import Person
from flask_chat.db import Transaction
from flask_chat.events import Event
from flask_chat.http.services import Services

NOW = 1_795_442_602_120


def together(chat: Services, *drafts: Draft, now: int | None = None) -> list[Posted | Exception]:
    """What one commit does with these drafts."""

    def change(transaction: Transaction) -> list[Posted | Exception]:
        if now is not None:
            transaction.now = now
        return messages.post_together(transaction, list(drafts))

    return chat.db.write(change)


def say(chat: Services, author: Person, text: str, client_id: str | None = None, now: int | None = None) -> Message:
    [outcome] = together(chat, messages.draft(author, "lobby", text, client_id), now=now)
    assert isinstance(outcome, Posted)
    return outcome.message


def page(chat: Services, limit: int = 100, before: int | None = None, after: int | None = None) -> list[Message]:
    with chat.db.read() as connection:
        [lobby] = rooms.all_for(connection, people.find(connection, "Ann"))
        return messages.page(connection, lobby, before=before, after=after, limit=limit)


def continued(chat: Services) -> list[bool]:
    with chat.db.read() as connection:
        return list(connection.execute(select(messages.message.c.continues).order_by(messages.message.c.id)).scalars())


def test_a_message_is_what_the_contract_says_in_that_order(chat: Services, ann: Person) -> None:
    said = say(chat, ann, "hello", "c1", now=NOW)
    assert list(json.loads(msgspec.json.encode(said))) == [
        "id", "room", "author", "text", "html", "created_at", "edited_at", "client_id",
    ]  # fmt: skip
    assert (said.room, said.author, said.text, said.client_id) == ("lobby", "Ann", "hello", "c1")
    assert (said.created_at, said.edited_at) == ("2026-11-23T14:03:22.120Z", None)
    assert said.html.startswith('<article class="message"')
    assert said.html.endswith("</article>")


def test_what_was_posted_is_what_is_read_back(chat: Services, ann: Person, bob: Person) -> None:
    said = [say(chat, ann, "hello", "c1"), say(chat, ann, "again"), say(chat, bob, "hi\n<b>")]
    assert page(chat) == said


def test_a_messages_id_is_its_place_in_the_log(chat: Services, ann: Person) -> None:
    told: list[Event] = []
    chat.db.listeners.append(told.extend)
    said = [say(chat, ann, text) for text in "abc"]
    assert [event.id for event in told] == [each.id for each in said] == [2, 3, 4]
    with chat.db.read() as connection:
        rows = connection.execute(select(events.event).where(events.event.c.type == "message.posted")).all()
    assert [(row.id, row.subject_id, row.room_id) for row in rows] == [(each.id, each.id, 1) for each in said]


def test_an_event_carries_the_whole_message(chat: Services, ann: Person) -> None:
    told: list[Event] = []
    chat.db.listeners.append(told.extend)
    said = say(chat, ann, "hello", "c1")
    encoded = json.loads(told[0].body)
    assert list(encoded) == ["id", "type", "room", "message"]
    assert encoded == {
        "id": said.id,
        "type": "message.posted",
        "room": "lobby",
        "message": json.loads(msgspec.json.encode(said)),
    }
    assert (told[0].html, told[0].created_at) == (said.html, said.created_at)


def test_the_same_send_again_gets_the_first_answer(chat: Services, ann: Person) -> None:
    first = say(chat, ann, "hello", "c1")
    [again] = together(chat, messages.draft(ann, "lobby", "  hello ", "c1"))
    assert again == Posted(first, False)
    assert page(chat) == [first]


def test_the_same_send_twice_in_one_commit_is_kept_once(chat: Services, ann: Person) -> None:
    new = messages.draft(ann, "lobby", "hello", "c1")
    first, second, third = together(chat, new, new, messages.draft(ann, "lobby", "other", "c1"))
    assert isinstance(first, Posted)
    assert first.new
    assert second == Posted(first.message, False)
    assert isinstance(third, Conflict)
    assert page(chat) == [first.message]


def test_a_client_id_that_was_used_for_another_text_is_a_conflict(chat: Services, ann: Person) -> None:
    first = say(chat, ann, "hello", "c1")
    [refused] = together(chat, messages.draft(ann, "lobby", "hello!", "c1"))
    assert isinstance(refused, Conflict)
    assert page(chat) == [first]


def test_a_client_id_is_its_authors_own(chat: Services, ann: Person, bob: Person) -> None:
    texts = [say(chat, ann, "hello", "c1").text, say(chat, bob, "hi", "c1").text]
    both = together(chat, messages.draft(ann, "lobby", "a", "c2"), messages.draft(bob, "lobby", "b", "c2"))
    assert [outcome.new for outcome in both if isinstance(outcome, Posted)] == [True, True]
    assert [each.text for each in page(chat)] == [*texts, "a", "b"]


def test_without_a_client_id_the_same_words_are_two_messages(chat: Services, ann: Person) -> None:
    assert say(chat, ann, "hello").id != say(chat, ann, "hello").id


def test_a_room_that_is_not_there_refuses_its_own_and_harms_no_other(chat: Services, ann: Person) -> None:
    outcomes = together(
        chat,
        messages.draft(ann, "lobby", "one"),
        messages.draft(ann, "kitchen", "lost"),
        messages.draft(ann, "lobby", "two"),
    )
    assert isinstance(outcomes[1], NotFound)
    assert [each.text for each in page(chat)] == ["one", "two"]
    assert [each.id for each in page(chat)] == [2, 3], "the log has no gap"


def test_a_person_in_the_same_commit_is_asked_for_by_themselves(
    chat: Services, ann: Person, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = rooms.for_members

    def only_ann(
        connection: Connection, asked: set[tuple[int, str]], *, former: bool = False
    ) -> dict[tuple[int, str], rooms.Room]:
        mine = {(person_id, slug) for person_id, slug in asked if person_id == ann.id}
        return real(connection, mine, former=former)

    monkeypatch.setattr(rooms, "for_members", only_ann)
    first, second = together(chat, messages.draft(ann, "lobby", "mine"), messages.draft(bob, "lobby", "not mine"))
    assert isinstance(first, Posted)
    assert isinstance(second, NotFound), "Bob posted with Ann's right to be there"


def test_messages_of_one_person_within_five_minutes_continue(chat: Services, ann: Person, bob: Person) -> None:
    moments = [
        (ann, 0, False),
        (ann, 1000, True),
        (ann, 1000 + FOLLOWS_WITHIN, True),
        (ann, 1001 + 2 * FOLLOWS_WITHIN, False),
        (bob, 1002 + 2 * FOLLOWS_WITHIN, False),
        (ann, 1003 + 2 * FOLLOWS_WITHIN, False),
    ]
    for author, after, _ in moments:
        say(chat, author, "x", now=NOW + after)
    assert continued(chat) == [expected for _, _, expected in moments]
    assert ["data-continues" in each.html for each in page(chat)] == continued(chat)


def test_a_clock_that_goes_back_changes_neither_order_nor_sense(chat: Services, ann: Person) -> None:
    said = [
        say(chat, ann, "a", now=NOW),
        say(chat, ann, "b", now=NOW - 60_000),
        say(chat, ann, "c", now=NOW - 7_200_000),
    ]
    assert page(chat) == said
    assert continued(chat) == [False, True, False]


def test_messages_of_one_commit_continue_each_other(chat: Services, ann: Person, bob: Person) -> None:
    together(chat, *[messages.draft(author, "lobby", "x") for author in (ann, ann, bob, bob, ann)])
    assert continued(chat) == [False, True, False, True, False]


def test_a_repeated_send_does_not_break_a_run(chat: Services, ann: Person, bob: Person) -> None:
    say(chat, bob, "old", "c1")
    new = [
        messages.draft(ann, "lobby", "a"),
        messages.draft(bob, "lobby", "old", "c1"),
        messages.draft(ann, "lobby", "b"),
    ]
    together(chat, *new)
    assert continued(chat) == [False, False, True]


@pytest.mark.parametrize("client_id", ["", "a b", "ä", "x" * 65, "c1\n", 7, ["c1"], True])
def test_a_client_id_that_cannot_be_one_is_refused(ann: Person, client_id: object) -> None:
    with pytest.raises(Invalid, match="client_id"):
        messages.draft(ann, "lobby", "hello", client_id)


@pytest.mark.parametrize("text", [None, 7, ["hello"], {"text": "hello"}, b"hello", "", " \n\t", "\u200b", "\ud800"])
def test_what_is_no_text_is_refused(ann: Person, text: object) -> None:
    with pytest.raises(Invalid):
        messages.draft(ann, "lobby", text)


def test_a_text_of_ten_thousand_characters_is_taken_and_no_more(chat: Services, ann: Person) -> None:
    assert len(say(chat, ann, "x" * 10_000).text) == 10_000
    for length in (10_001, 1_000_000):
        with pytest.raises(TooLong, match="10,000"):
            messages.draft(ann, "lobby", "x" * length)


def test_a_page_is_the_latest_messages_oldest_first(chat: Services, ann: Person) -> None:
    said = [say(chat, ann, str(number)) for number in range(5)]
    assert page(chat, limit=3) == said[2:]


def test_a_page_next_to_a_bound_leaves_the_bound_itself_out(chat: Services, ann: Person) -> None:
    said = [say(chat, ann, str(number)) for number in range(7)]
    ids = [each.id for each in said]
    assert page(chat, limit=2, before=ids[4]) == said[2:4]
    assert page(chat, limit=2, after=ids[2]) == said[3:5]
    assert page(chat, limit=2, after=0) == said[:2], "from the beginning"
    assert page(chat, after=ids[1], before=ids[5]) == said[2:5]
    assert page(chat, before=ids[0]) == page(chat, after=ids[-1]) == []


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(limit=st.integers(1, 7), forward=st.booleans())
def test_paging_either_way_shows_every_message_once(
    chat: Services, twenty: list[Message], limit: int, forward: bool
) -> None:
    seen: list[Message] = []
    for _ in range(21):
        bound = (seen[-1] if forward else seen[0]).id if seen else None
        read = page(chat, limit, after=bound or 0) if forward else page(chat, limit, before=bound)
        seen = [*seen, *read] if forward else [*read, *seen]
    assert seen == twenty


@pytest.fixture
def twenty(chat: Services, ann: Person) -> list[Message]:
    outcomes = together(chat, *[messages.draft(ann, "lobby", str(number)) for number in range(20)])
    return [outcome.message for outcome in outcomes if isinstance(outcome, Posted)]


def test_what_somebody_said_is_counted(chat: Services, ann: Person, bob: Person) -> None:
    for _ in range(3):
        say(chat, ann, "x")
    with chat.db.read() as connection:
        assert (messages.count_by(connection, ann), messages.count_by(connection, bob)) == (3, 0)


def test_many_who_send_at_once_are_all_kept_in_the_order_of_the_log(chat: Services, ann: Person) -> None:
    futures = [messages.post(chat.db, messages.draft(ann, "lobby", str(number), f"c{number}")) for number in range(300)]
    ids = [future.result(10).message.id for future in futures]
    assert ids == sorted(ids)
    assert [each.text for each in itertools.chain(page(chat, after=0), page(chat, after=ids[99]), page(chat))] == [
        str(number) for number in range(300)
    ]


def delete(chat: Services, id: int) -> None:
    gone = update(messages.message).where(messages.message.c.id == id).values(deleted_at=1, text="")
    chat.db.write(lambda transaction: transaction.connection.execute(gone))


def test_what_was_deleted_does_not_come_back_when_it_is_sent_again(chat: Services, ann: Person) -> None:
    delete(chat, say(chat, ann, "oh dear", "c1").id)
    for text in ("oh dear", ""):
        [outcome] = together(chat, Draft(ann, "lobby", text, "c1"))
        assert isinstance(outcome, Conflict)
    assert page(chat) == []


@pytest.mark.parametrize("kind", [rooms.PUBLIC, rooms.PRIVATE])
def test_what_is_sent_to_a_rooms_old_address_arrives_once_and_only_from_those_in_it(
    chat: Services, ann: Person, bob: Person, kind: str
) -> None:
    kitchen = chat.db.write(lambda transaction: rooms.create(transaction, ann, "Kitchen", kind))
    [first] = together(chat, messages.draft(ann, kitchen.slug, "hello", "c1"))
    galley = chat.db.write(lambda transaction: rooms.rename(transaction, kitchen, "Galley"))
    again, late, outsiders, now = together(
        chat,
        messages.draft(ann, kitchen.slug, "hello", "c1"),
        messages.draft(ann, kitchen.slug, "late"),
        messages.draft(bob, kitchen.slug, "not mine"),
        messages.draft(ann, galley.slug, "hello", "c1"),
    )
    assert isinstance(first, Posted)
    assert isinstance(again, Posted)
    assert isinstance(late, Posted)
    assert isinstance(now, Posted)
    assert isinstance(outsiders, NotFound)
    assert (again.new, now.new, late.new, late.message.room) == (False, False, True, galley.slug)
    assert again.message.id == now.message.id == first.message.id


def test_nothing_continues_what_was_deleted(chat: Services, ann: Person, bob: Person) -> None:
    say(chat, ann, "one", now=NOW)
    last = say(chat, bob, "two", now=NOW + 1).id
    delete(chat, last)
    say(chat, bob, "three", now=NOW + 2)
    say(chat, bob, "four", now=NOW + 3)
    assert continued(chat) == [False, False, False, True]


def test_nobody_writes_where_the_room_is_closed(chat: Services, ann: Person, bob: Person) -> None:
    for closed in ("archived_at", "locked_at"):
        attic = chat.db.write(lambda transaction, name=closed: rooms.create(transaction, ann, name))  # type: ignore[misc]
        chat.db.write(lambda transaction, attic=attic: memberships.add(transaction, attic, bob))  # type: ignore[misc]
        change = update(rooms.room).where(rooms.room.c.id == attic.id).values({closed: 1})
        chat.db.write(lambda transaction, change=change: transaction.connection.execute(change))  # type: ignore[misc]
        [outcome, other] = together(
            chat, messages.draft(bob, attic.slug, "hello"), messages.draft(bob, "lobby", "hello")
        )
        assert isinstance(outcome, Forbidden)
        assert outcome.reason.startswith("This room is ")
        assert isinstance(other, Posted), "who writes elsewhere with the same commit is not held up"
