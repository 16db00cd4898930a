"""The page of a room: what it says to whom."""

from __future__ import annotations

import re

import msgspec
import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.chat import people
from flask_chat.chat.overview import Listed
from flask_chat.web.room_page import in_order, wanted

PLAIN = Listed("plain", "Plain", "public", "", 0, 0, 0, 0, False, None, False, "all", None, False, "member")


def room(slug: str, **said: object) -> Listed:
    """A room as its member has it among theirs, with nothing new but what is said."""
    return msgspec.structs.replace(PLAIN, slug=slug, **said)


def test_what_is_new_comes_first_then_favourites_in_their_order_then_the_most_recent() -> None:
    recent, old = room("recent"), room("old")
    second, first = room("second", favourite=True, position=2), room("first", favourite=True, position=1)
    new, muted = room("new", unread=1), room("muted", unread=5, muted=True)
    listed = in_order([recent, second, muted, first, old, new])
    assert [each.slug for each in listed] == ["new", "first", "second", "recent", "muted", "old"]


@pytest.mark.parametrize(
    ("said", "is_wanted"),
    [
        ({}, False),
        ({"unread": 1}, True),
        ({"unread": 1, "muted": True}, False),
        ({"unread": 1, "mentions": 1, "muted": True}, True),
        ({"unread": 1, "notify": "mentions"}, False),
        ({"unread": 1, "mentions": 1, "notify": "mentions"}, True),
        ({"unread": 1, "mentions": 1, "notify": "none"}, False),
    ],
)
def test_a_room_comes_forward_as_its_member_wants_it_to(said: dict[str, object], is_wanted: bool) -> None:
    assert wanted(room("boats", **said)) is is_wanted


@pytest.fixture
def boats(bob: FlaskClient) -> str:
    """A public room of Bob's in which something was said; its slug."""
    assert bob.post("/api/rooms", json={"name": "Boats", "kind": "public"}).status_code == 201
    assert bob.post("/rooms/boats/messages", data={"message": "High water"}).status_code == 303
    return "boats"


def test_who_is_outside_a_public_room_reads_it_and_is_asked_to_join(
    ann: FlaskClient, bob: FlaskClient, boats: str
) -> None:
    theirs, mine = ann.get(f"/rooms/{boats}").text, bob.get(f"/rooms/{boats}").text
    assert 'action="/rooms/boats/join"' in theirs
    assert "Join Boats" in theirs
    assert 'id="composer"' not in theirs
    assert "<iframe" not in theirs, "the stream of a room is for those inside"
    assert 'id="composer"' in mine
    assert 'action="/rooms/boats/join"' not in mine


def test_an_archived_room_says_why_nobody_writes_in_it(ann: FlaskClient, bob: FlaskClient, boats: str) -> None:
    assert bob.patch(f"/api/rooms/{boats}", json={"archived": True}).status_code == 200
    for client in (ann, bob):
        page = client.get(f"/rooms/{boats}").text
        assert "This room is archived" in page
        assert 'id="composer"' not in page


def test_the_list_has_the_rooms_of_the_reader_and_marks_the_one_that_is_open(ann: FlaskClient, boats: str) -> None:
    assert re.findall(r'data-room="([^"]+)"', ann.get("/rooms/lobby").text.partition("<nav")[2]) == ["lobby"]
    assert ann.put(f"/api/rooms/{boats}/members/Ann").status_code == 204
    page = ann.get(f"/rooms/{boats}").text
    entries = re.findall(r'<a class="entry"[^>]*>', page)
    assert sorted("aria-current" in each for each in entries) == [False, True]
    [current] = [each for each in entries if "aria-current" in each]
    assert 'data-room="boats"' in current


def test_only_who_keeps_order_is_shown_the_way_to_the_administration(ann: FlaskClient, app: Flask) -> None:
    assert 'href="/admin"' not in ann.get("/rooms/lobby").text
    chat = app.extensions["flask_chat"]
    with chat.db.read() as connection:
        found = people.find(connection, "Ann")
    chat.db.write(lambda transaction: people.appoint_owner(transaction, found))
    assert 'href="/admin"' in ann.get("/rooms/lobby").text


def test_the_menu_calls_the_page_behind_it_what_it_is_to_the_reader(
    ann: FlaskClient, bob: FlaskClient, boats: str
) -> None:
    ann.post(f"/rooms/{boats}/join")
    for client, title in ((ann, "About this room"), (bob, "Settings of this room")):
        assert f">{title}</a>" in client.get(f"/rooms/{boats}").text
        assert f"<h1>{title}</h1>" in client.get(f"/rooms/{boats}/settings").text
