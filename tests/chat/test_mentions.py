"""Mentions: who is named with an @, in a room, and what becomes of it."""

from __future__ import annotations

import re
import time
from html import unescape

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event as sql
from sqlalchemy import select

from flask_chat.chat import feed, memberships, mentions, messages, people, rooms
from flask_chat.chat.mentions import mention
from flask_chat.chat.messages import Message, Posted
from flask_chat.chat.people import Person
from flask_chat.chat.rooms import Room
from flask_chat.db import Transaction
from flask_chat.http.services import Services


@pytest.fixture
def ann(chat: Services) -> Person:
    return join(chat, "Ann")


def join(chat: Services, name: str) -> Person:
    return chat.db.write(lambda transaction: people.add(transaction, name))


def private(chat: Services, owner: Person, name: str) -> Room:
    return chat.db.write(lambda transaction: rooms.create(transaction, owner, name, rooms.PRIVATE))


def say(chat: Services, author: Person, text: str, room: str = "lobby", root: str = "") -> Message:
    posted = messages.post(chat.db, messages.draft(author, room, text, root=root)).result()
    assert isinstance(posted, Posted)
    return posted.message


def links(message: Message) -> list[tuple[str, str]]:
    """Whom it names, and where that leads."""
    found = re.findall(r'<a class="mention" data-name="([^"]+)" href="([^"]+)">@', message.html)
    return [(unescape(name), unescape(address)) for name, address in found]


def named(message: Message) -> list[str]:
    return [name for name, _ in links(message)]


def kept(chat: Services) -> list[tuple[int, int]]:
    with chat.db.read() as connection:
        rows = connection.execute(select(mention.c.message_id, mention.c.person_id).order_by(*mention.c)).all()
    return [(message_id, person_id) for message_id, person_id in rows]


def test_somebody_in_the_room_is_named_and_linked(chat: Services, ann: Person) -> None:
    bob = join(chat, "Bob")
    said = say(chat, ann, "Hello @bob, how are you?", root="/our/chat")
    assert links(said) == [("Bob", "/our/chat/people/Bob")]
    assert '<a class="mention" data-name="Bob" href="/our/chat/people/Bob">@bob</a>' in said.html
    assert kept(chat) == [(said.id, bob.id)]


def test_the_longest_name_that_is_somebodys_is_meant(chat: Services, ann: Person) -> None:
    for name in ("Bob", "Bob Lee", "Zoé", "Dr. O'Hara"):
        join(chat, name)
    assert named(say(chat, ann, "@Bob Lee said so")) == ["Bob Lee"]
    assert named(say(chat, ann, "@Bob Leeds said so")) == ["Bob"]
    assert named(say(chat, ann, "@Bob, @zoé and @dr. o'hara.")) == ["Bob", "Zoé", "Dr. O'Hara"]
    assert named(say(chat, ann, "@Bob@Zoé")) == []
    assert named(say(chat, ann, "@BOB'S idea (@bob)")) == ["Bob", "Bob"]


@pytest.mark.parametrize(
    "text",
    [
        "bob@ann.example",
        "me@Bob",
        "@Bobby",
        "@Nobody",
        "@ Bob",
        "https://pods.example/@Bob",
        "www.pods.example/?q=@Bob",
        "@Zoe",
        "@Βοb",
    ],
)
def test_what_only_looks_like_a_mention_is_none(chat: Services, ann: Person, text: str) -> None:
    join(chat, "Bob")
    join(chat, "Zoé")
    assert named(say(chat, ann, text)) == []
    assert kept(chat) == []


def test_scripts_without_spaces_need_none_after_a_name(chat: Services, ann: Person) -> None:
    join(chat, "太郎")
    join(chat, "किरण")
    join(chat, "कि")
    assert named(say(chat, ann, "@太郎さん、こんにちは")) == ["太郎"]
    assert named(say(chat, ann, "@किरण नमस्ते")) == ["किरण"]
    assert named(say(chat, ann, "@किरणा")) == []


def test_the_database_tells_it_as_the_event_did(chat: Services, ann: Person) -> None:
    join(chat, "Bob")
    said = say(chat, ann, "<b>@Bob</b>\nwww.example.org @Bob", "lobby")
    plain = say(chat, ann, "nobody")
    assert named(said) == ["Bob", "Bob"]
    with chat.db.read() as connection:
        lobby = rooms.for_member(connection, ann, "lobby")
        assert messages.page(connection, lobby, limit=10) == [said, plain]
        found, _ = feed.after(connection, feed.audience(connection, ann.id), said.id - 1, 10, 10**6)
        assert [event.html for event in found] == [said.html, plain.html]


def test_who_is_not_in_the_room_is_not_named_there(chat: Services, ann: Person) -> None:
    bob = join(chat, "Bob")
    attic = private(chat, ann, "Attic")
    assert named(say(chat, ann, "@Bob", attic.slug)) == []
    chat.db.write(lambda transaction: memberships.add(transaction, attic, bob))
    said = say(chat, ann, "@Bob", attic.slug)
    assert (named(said), kept(chat)) == (["Bob"], [(said.id, bob.id)])


def test_who_names_themselves_is_linked_and_not_counted(chat: Services, ann: Person) -> None:
    assert named(say(chat, ann, "It is I, @Ann")) == ["Ann"]
    assert kept(chat) == []


def test_who_is_named_twice_is_counted_once(chat: Services, ann: Person) -> None:
    bob = join(chat, "Bob")
    said = say(chat, ann, "@Bob @Bob @bob")
    assert kept(chat) == [(said.id, bob.id)]


def test_what_is_sent_again_names_nobody_again(chat: Services, ann: Person) -> None:
    join(chat, "Bob")
    draft = messages.draft(ann, "lobby", "@Bob", "c1")
    first, again = (messages.post(chat.db, draft).result() for _ in range(2))
    assert (first.message, again.new, len(kept(chat))) == (again.message, False, 1)


def test_texts_without_an_at_sign_cost_no_query(chat: Services, ann: Person) -> None:
    join(chat, "Bob")
    asked: list[str] = []

    def count(*arguments: object) -> None:
        asked.append(str(arguments[2]))

    def post(transaction: Transaction, *texts: str) -> int:
        asked.clear()
        messages.post_together(transaction, [messages.draft(ann, "lobby", text) for text in texts])
        return len(asked)

    sql.listen(chat.db.engine, "before_cursor_execute", count)
    plain = chat.db.write(lambda transaction: post(transaction, "hello", "how are you"))
    address = chat.db.write(lambda transaction: post(transaction, "ann@example.org", "hello"))
    naming = chat.db.write(lambda transaction: post(transaction, "@Bob", "@Bob and @Ann", "hello"))
    assert address == plain
    # One asks for all that are named. One keeps them all, unless they are kept with the message.
    assert naming == plain + (1 if chat.db.backend.shared else 2)


@given(st.text(alphabet=st.sampled_from("@ab .é́字\n'-_/:w"), max_size=60))
def test_places_are_in_the_text_and_do_not_overlap(text: str) -> None:
    done = 0
    for start, candidates in mentions.seek(text):
        assert text[start] == "@"
        assert candidates
        assert all(start + 1 < end <= len(text) for end, _ in candidates)
        assert [end for end, _ in candidates] == sorted({end for end, _ in candidates}, reverse=True)
        assert start >= done
        done = start + 1


@pytest.mark.parametrize("one", ["@", "@a ", "@a b c d e f g h ", "@字", "@x" + "\u0301" * 20, "://@a", "x"])
def test_hostile_texts_cost_little(one: str) -> None:
    began = time.process_time()
    found = mentions.seek((one * 10_000)[:10_000])
    assert time.process_time() - began < 0.2
    assert len(found) <= mentions.MOST
    assert sum(len(each.candidates) for each in found) <= mentions.MOST_CANDIDATES
