"""Reading: marks that go forward, levels of notification, and counts that are what recounting gives."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from flask_chat import events
from flask_chat.chat import editing, memberships, messages, overview, people, reading, rooms
from flask_chat.chat.errors import Forbidden, Invalid, NotFound
from flask_chat.chat.memberships import membership
from flask_chat.chat.mentions import mention
from flask_chat.chat.messages import Posted, message
from flask_chat.chat.overview import Listed
from flask_chat.chat.people import Person
from flask_chat.chat.reading import Mark
from flask_chat.chat.rooms import Room
from flask_chat.db import Transaction
from flask_chat.http.services import Services


def say(chat: Services, author: Person, text: str = "hello", room: str = "lobby") -> int:
    posted = messages.post(chat.db, messages.draft(author, room, text)).result()
    assert isinstance(posted, Posted)
    return posted.message.id


def lobby(chat: Services, person: Person) -> Room:
    with chat.db.read() as connection:
        return rooms.for_member(connection, person, "lobby")


def mark(chat: Services, person: Person, through: int, force: bool = False) -> bool:
    place = lobby(chat, person)
    return chat.db.write(lambda transaction: reading.mark(transaction, person, place, through, force))


def listed(chat: Services, person: Person, slug: str = "lobby") -> Listed:
    with chat.db.read() as connection:
        return overview.one(connection, person, rooms.for_member(connection, person, slug))


def told(chat: Services, change: Callable[[Transaction], object]) -> list[dict[str, Any]]:
    """What the log says of a change."""

    def run(transaction: Transaction) -> list[dict[str, Any]]:
        change(transaction)
        return [{**json.loads(each.body), "audience": each.audience} for each in transaction.appended]

    return chat.db.write(run)


def test_what_was_read_is_not_new_any_more(chat: Services, ann: Person, bob: Person) -> None:
    first, second = say(chat, bob), say(chat, bob)
    assert mark(chat, ann, first)
    assert (listed(chat, ann).unread, listed(chat, ann).read_id) == (1, first)
    assert mark(chat, ann, second)
    assert (listed(chat, ann).unread, listed(chat, ann).read_id) == (0, second)


def test_a_mark_never_goes_back_unless_it_is_forced(chat: Services, ann: Person, bob: Person) -> None:
    first, second = say(chat, bob), say(chat, bob)
    mark(chat, ann, second)
    assert not mark(chat, ann, first)
    assert listed(chat, ann).read_id == second
    assert mark(chat, ann, first, force=True)
    assert (listed(chat, ann).unread, listed(chat, ann).read_id) == (1, first)
    assert mark(chat, ann, 0, force=True)
    assert (listed(chat, ann).unread, listed(chat, ann).read_id) == (2, 0)


@pytest.mark.parametrize("force", [False, True])
def test_a_mark_never_passes_the_rooms_last_message(chat: Services, ann: Person, bob: Person, force: bool) -> None:
    last = say(chat, bob)
    assert mark(chat, ann, 2**61, force)
    assert listed(chat, ann).read_id == last
    assert not mark(chat, ann, 2**61, force)


def test_who_has_read_all_before_anything_was_said_stays_there(chat: Services, bob: Person) -> None:
    before = listed(chat, bob).read_id
    assert before > 0
    assert not mark(chat, bob, 2**61)
    assert not mark(chat, bob, 2**61, force=True)
    assert listed(chat, bob).read_id == before


def test_a_mark_is_told_to_its_person_alone_and_only_if_it_moved(chat: Services, ann: Person, bob: Person) -> None:
    place, last = lobby(chat, ann), say(chat, bob)
    [event] = told(chat, lambda transaction: reading.mark(transaction, ann, place, last))
    assert (event["type"], event["room"], event["read_id"]) == ("read.moved", "lobby", last)
    assert event["audience"] == -ann.id
    assert told(chat, lambda transaction: reading.mark(transaction, ann, place, last)) == []


def test_many_mark_in_one_commit(chat: Services, ann: Person, bob: Person) -> None:
    cleo = chat.db.write(lambda transaction: people.add(transaction, "Cleo"))
    attic = chat.db.write(lambda transaction: rooms.create(transaction, ann, "Attic"))
    said = [say(chat, bob) for _ in range(3)]
    marks = [
        Mark(ann, "lobby", said[0]),
        Mark(bob, attic.slug, 1),
        Mark(cleo, "nowhere", 1),
        Mark(cleo, "x\0y", 1),
        Mark(ann, "lobby", said[2]),
        Mark(ann, "lobby", said[1], force=True),
        Mark(cleo, "lobby", said[2]),
        Mark(ann, "lobby", said[1]),
    ]
    outcomes: list[bool | Exception] = []
    events = told(chat, lambda transaction: outcomes.extend(reading.mark_together(transaction, marks)))
    assert [type(each) if isinstance(each, Exception) else each for each in outcomes] == [
        True, Forbidden, NotFound, NotFound, True, True, True, False,
    ]  # fmt: skip
    assert [(event["audience"], event["read_id"]) for event in events] == [(-ann.id, said[1]), (-cleo.id, said[2])]
    assert [event["id"] for event in events] == [said[2] + 1, said[2] + 2]
    assert (listed(chat, ann).read_id, listed(chat, cleo).read_id) == (said[1], said[2])


@pytest.mark.parametrize(("through", "force"), [("7", False), (-1, False), (2**62, False), (True, False), (7, "yes")])
def test_what_is_no_mark_is_refused(ann: Person, through: object, force: object) -> None:
    with pytest.raises(Invalid):
        reading.check(ann, "lobby", through, force)


def test_a_level_and_a_mute_are_kept_and_told_to_their_person(chat: Services, ann: Person) -> None:
    [event] = told(chat, lambda transaction: reading.notify(transaction, ann, "lobby", "mentions", 3600))
    assert (event["type"], event["room"], event["audience"]) == ("membership.changed", "lobby", -ann.id)
    assert event["notify"] == "mentions"
    assert event["muted_until"].endswith("Z")
    assert (listed(chat, ann).notify, listed(chat, ann).muted) == ("mentions", True)
    [event] = told(chat, lambda transaction: reading.notify(transaction, ann, "lobby", None, 0))
    assert (event["notify"], event["muted_until"]) == ("mentions", None)
    assert (listed(chat, ann).notify, listed(chat, ann).muted) == ("mentions", False)
    assert told(chat, lambda transaction: reading.notify(transaction, ann, "lobby", "mentions", 0)) == []


@pytest.mark.parametrize(
    ("level", "mute_for"), [("loud", None), (1, None), (None, -1), (None, 10**9), (None, True), (None, "1")]
)
def test_what_is_no_level_is_refused(chat: Services, ann: Person, level: object, mute_for: object) -> None:
    with pytest.raises(Invalid):
        chat.db.write(lambda transaction: reading.notify(transaction, ann, "lobby", level, mute_for))


def test_only_members_set_a_level(chat: Services, ann: Person, bob: Person) -> None:
    attic = chat.db.write(lambda transaction: rooms.create(transaction, ann, "Attic", rooms.PRIVATE))
    with pytest.raises(NotFound):
        chat.db.write(lambda transaction: reading.notify(transaction, bob, attic.slug, "none"))


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("post"), st.integers(0, 2), st.sampled_from(["hello", "@Ann", "@Bob @Cleo", "@Ann @Ann"])),
        st.tuples(st.just("read"), st.integers(0, 2), st.integers(0, 12)),
        st.tuples(st.just("unread"), st.integers(0, 2), st.integers(0, 12)),
        st.tuples(st.just("delete"), st.integers(0, 12), st.none()),
        st.tuples(st.just("edit"), st.integers(0, 12), st.sampled_from(["hi", "@Ann", "@Bob", "@Cleo and @Ann"])),
        st.tuples(st.just("leave"), st.integers(0, 2), st.none()),
        st.tuples(st.just("join"), st.integers(0, 2), st.none()),
    ),
    max_size=30,
)


@given(steps=STEPS)
@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
def test_counts_are_what_recounting_gives(chat: Services, steps: list[tuple[str, int, Any]]) -> None:
    """After any sequence of posts, marks, deletions, arrivals and departures."""
    chat.db.write(lambda transaction: Story(transaction).play(steps))


class Story:
    """One room, what happens there, and what somebody who counts along on paper thinks of it."""

    def __init__(self, transaction: Transaction) -> None:
        self.transaction = transaction
        self.people = [self._person(name) for name in ("Ann", "Bob", "Cleo")]
        last = self._last()
        self.room = rooms.create(transaction, self.people[0], "A story")
        self.said: list[tuple[int, Person, set[str]]] = []
        self.deleted: set[int] = set()
        self.read = {self.people[0].id: last}
        for person in self.people[1:]:
            self.join(person)

    def play(self, steps: list[tuple[str, int, Any]]) -> None:
        """What is said, read and forgotten; after every step the counts are looked at."""
        for what, which, how in steps:
            if what == "post":
                self.post(self.people[which], how)
            elif what in ("read", "unread"):
                self.mark(self.people[which], how, what == "unread")
            elif what == "delete":
                self.delete(which)
            elif what == "edit":
                self.edit(which, how)
            else:
                getattr(self, what)(self.people[which])
            self.recount()

    def post(self, author: Person, text: str) -> None:
        [outcome] = messages.post_together(self.transaction, [messages.draft(author, self.room.slug, text)])
        if author.id not in self.read:
            assert isinstance(outcome, Forbidden)
            return
        assert isinstance(outcome, Posted)
        self.said.append((outcome.message.id, author, self.named(text)))

    def named(self, text: str) -> set[str]:
        """Whom a text names just now."""
        return {person.username for person in self.people if f"@{person.username}" in text and person.id in self.read}

    def edit(self, at: int, text: str) -> None:
        if at >= len(self.said) or self.said[at][0] in self.deleted:
            return
        id, author, _ = self.said[at]
        draft = messages.draft(author, self.room.slug, text)
        if author.id not in self.read:
            with pytest.raises(Forbidden):
                editing.edit(self.transaction, draft, id)
            return
        before = self.words(id)
        editing.edit(self.transaction, draft, id)
        if before != text:
            self.said[at] = id, author, self.named(text)

    def words(self, id: int) -> str:
        return str(self.transaction.connection.execute(select(message.c.text).where(message.c.id == id)).scalar_one())

    def mark(self, reader: Person, at: int, force: bool) -> None:
        through = self.said[at][0] if at < len(self.said) else 2**60
        try:
            moved = reading.mark(self.transaction, reader, self.room, through, force)
        except Forbidden:
            assert reader.id not in self.read
            return
        before, last = self.read[reader.id], self.said[-1][0] if self.said else 0
        after = min(through, last)
        after = after if force and after < last else max(before, after)
        assert moved == (after != before)
        self.read[reader.id] = after

    def delete(self, at: int) -> None:
        if at < len(self.said):
            id = self.said[at][0]
            self.deleted.add(id)
            connection = self.transaction.connection
            connection.execute(message.update().where(message.c.id == id).values(deleted_at=1, text=""))
            connection.execute(mention.delete().where(mention.c.message_id == id))

    def join(self, person: Person) -> None:
        last = self._last()
        if memberships.add(self.transaction, self.room, person):
            self.read[person.id] = last

    def leave(self, person: Person) -> None:
        if memberships.remove(self.transaction, self.room, person):
            del self.read[person.id]

    def recount(self) -> None:
        connection = self.transaction.connection
        for person in self.people:
            slugs = [each.slug for each in overview.of(connection, person)]
            assert (self.room.slug in slugs) == (person.id in self.read)
            if person.id in self.read:
                read_id = self.read[person.id]
                new = [
                    named
                    for id, author, named in self.said
                    if id > read_id and author.id != person.id and id not in self.deleted
                ]
                seen = overview.one(connection, person, self.room)
                last = max((id for id, _, _ in self.said if id not in self.deleted), default=0)
                assert (seen.unread, seen.mentions) == (len(new), sum(person.username in named for named in new))
                assert (seen.read_id, seen.last_id) == (read_id, last)

    def _person(self, name: str) -> Person:
        found = people.named(self.transaction.connection, name)
        return found or people.add(self.transaction, name)

    def _last(self) -> int:
        return events.last_id(self.transaction.connection)


def test_nobody_elses_mark_is_moved(chat: Services, ann: Person, bob: Person) -> None:
    last = say(chat, bob)
    mark(chat, ann, last)
    with chat.db.read() as connection:
        rows = connection.execute(select(membership.c.person_id, membership.c.read_id)).all()
    assert dict(map(tuple, rows))[bob.id] < last
