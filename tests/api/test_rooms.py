"""Rooms, conversations, members and invitations for programs."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.http.services import Services

from ..conftest import SignIn


@pytest.fixture
def mallory(sign_in: SignIn) -> FlaskClient:
    return sign_in("Mallory")


def make(client: FlaskClient, name: str, kind: str = "public") -> str:
    answer = client.post("/api/rooms", json={"name": name, "kind": kind})
    assert answer.status_code == 201, answer.text
    return str(answer.get_json()["slug"])


def slugs(client: FlaskClient) -> list[str]:
    return [room["slug"] for room in client.get("/api/rooms").get_json()["rooms"]]


def everything(chat: Services) -> list[Any]:
    """All that is kept."""
    with chat.db.read() as connection:
        tables = ("room", "membership", "invitation", "event", "message", "audit", "former_slug")
        return [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]


def test_a_room_is_made_and_answered_as_the_list_has_it(ann: FlaskClient) -> None:
    answer = ann.post("/api/rooms", json={"name": "Kitchen", "kind": "public", "topic": "Soup"})
    assert answer.status_code == 201
    room = answer.get_json()
    assert {key: room[key] for key in ("slug", "name", "kind", "topic", "unread", "mentions", "last_id")} == {
        "slug": "kitchen",
        "name": "Kitchen",
        "kind": "public",
        "topic": "Soup",
        "unread": 0,
        "mentions": 0,
        "last_id": 0,
    }
    assert isinstance(room["read_id"], int)
    assert room in ann.get("/api/rooms").get_json()["rooms"]


@pytest.mark.parametrize(
    ("contents", "status"),
    [
        ({}, 422),
        ({"name": ""}, 422),
        ({"name": 7}, 422),
        ({"name": "x" * 100}, 413),
        ({"name": "Kitchen", "kind": "direct"}, 422),
        ({"name": "Kitchen", "kind": None}, 422),
        ([], 400),
    ],
)
def test_what_makes_no_room_is_a_problem(ann: FlaskClient, contents: object, status: int) -> None:
    answer = ann.post("/api/rooms", json=contents)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")
    assert slugs(ann) == ["lobby"]


def test_everything_needs_somebody_who_is_signed_in(app: Flask) -> None:
    stranger = app.test_client()
    for method, path in (
        ("POST", "/api/rooms"),
        ("GET", "/api/rooms/lobby"),
        ("PATCH", "/api/rooms/lobby"),
        ("DELETE", "/api/rooms/lobby/messages"),
        ("PUT", "/api/rooms/lobby/favourite"),
        ("DELETE", "/api/rooms/lobby/favourite"),
        ("PUT", "/api/favourites"),
        ("POST", "/api/conversations"),
        ("GET", "/api/rooms/lobby/members"),
        ("PUT", "/api/rooms/lobby/members/Ann"),
        ("PATCH", "/api/rooms/lobby/members/Ann"),
        ("DELETE", "/api/rooms/lobby/members/Ann"),
        ("GET", "/api/invitations"),
        ("POST", "/api/invitations"),
        ("DELETE", "/api/invitations/1"),
        ("GET", "/api/directory"),
    ):
        assert stranger.open(path, method=method, json={}).status_code == 401, (method, path)


def test_a_room_is_changed_and_found_in_the_directory(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    changed = ann.patch("/api/rooms/kitchen", json={"name": "Café", "topic": "Soup", "description": "All of it"})
    assert changed.get_json() == {
        "slug": "cafe",
        "name": "Café",
        "kind": "public",
        "topic": "Soup",
        "description": "All of it",
        "archived": False,
        "inside": True,
    }
    for slug in ("cafe", "kitchen"):
        assert bob.get(f"/api/rooms/{slug}").get_json() == {**changed.get_json(), "inside": False}
    assert bob.patch("/api/rooms/cafe", json={"topic": "Mine"}).status_code == 403
    assert bob.get("/api/directory?q=CAFE").get_json() == {
        "rooms": [{"slug": "cafe", "name": "Café", "topic": "Soup", "members": 1, "inside": False, "archived": False}],
        "after": None,
    }
    assert bob.get("/api/directory?after=x").status_code == 400


def test_a_room_is_cleared_if_its_name_is_said_twice(ann: FlaskClient) -> None:
    make(ann, "Kitchen")
    ann.post("/rooms/kitchen/messages", data={"message": "hello"})
    assert ann.delete("/api/rooms/kitchen/messages", json={"confirm": "yes"}).status_code == 409
    assert ann.delete("/api/rooms/kitchen/messages", json={"confirm": "Kitchen"}).get_json() == {"cleared": 1}
    assert ann.get("/api/rooms/kitchen/messages").get_json() == {"messages": []}


def test_the_direct_conversation_is_the_same_one_each_time(ann: FlaskClient, bob: FlaskClient) -> None:
    first = ann.post("/api/conversations", json={"with": ["Bob"]})
    again = bob.post("/api/conversations", json={"with": ["Ann"]})
    assert (first.status_code, again.status_code) == (201, 200)
    assert first.get_json()["slug"] == again.get_json()["slug"]
    assert (first.get_json()["kind"], first.get_json()["name"], again.get_json()["name"]) == ("direct", "Bob", "Ann")


def test_a_conversation_with_several_is_a_group(ann: FlaskClient, bob: FlaskClient, mallory: FlaskClient) -> None:
    group = ann.post("/api/conversations", json={"with": ["Bob", "Mallory"]})
    assert (group.status_code, group.get_json()["kind"]) == (201, "group")
    assert group.get_json()["slug"] in slugs(mallory)
    for wanted, status in (
        (["Ann"], 422),
        ([], 422),
        ("Bob", 422),
        (None, 422),
        (["Nobody"], 404),
    ):
        assert ann.post("/api/conversations", json={"with": wanted}).status_code == status


def test_joining_and_leaving_can_be_asked_twice(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    for method, there in (("PUT", True), ("DELETE", False)):
        for _ in range(2):
            answer = bob.open("/api/rooms/kitchen/members/Bob", method=method)
            assert (answer.status_code, answer.data) == (204, b"")
        assert ("kitchen" in slugs(bob)) == there


def test_members_are_added_listed_and_removed(ann: FlaskClient, bob: FlaskClient) -> None:
    room = make(ann, "Attic", "private")
    for _ in range(2):
        assert ann.put(f"/api/rooms/{room}/members/Bob").status_code == 204
    listed = bob.get(f"/api/rooms/{room}/members").get_json()
    assert [(each["username"], each["role"]) for each in listed["members"]] == [("Ann", "owner"), ("Bob", "member")]
    assert listed["after"] is None
    assert bob.delete(f"/api/rooms/{room}/members/Ann").status_code == 403
    assert ann.put(f"/api/rooms/{room}/members/Nobody").status_code == 404
    assert ann.patch(f"/api/rooms/{room}/members/Bob", json={"role": "king"}).status_code == 422
    assert ann.patch(f"/api/rooms/{room}/members/Bob", json={"role": "owner"}).status_code == 204
    for _ in range(2):
        assert bob.delete(f"/api/rooms/{room}/members/Ann").status_code == 204
    assert slugs(ann) == ["lobby"]


def test_favourites_come_in_the_order_that_was_said(ann: FlaskClient) -> None:
    make(ann, "Kitchen")
    assert ann.put("/api/rooms/kitchen/favourite").status_code == 204
    assert ann.put("/api/favourites", json={"rooms": ["lobby", "kitchen"]}).status_code == 204
    assert ann.delete("/api/rooms/kitchen/favourite").status_code == 204
    favourites = {room["slug"]: room["favourite"] for room in ann.get("/api/rooms").get_json()["rooms"]}
    assert favourites == {"lobby": True, "kitchen": False}


def test_an_invitation_is_a_link_and_a_picture(ann: FlaskClient, app: Flask) -> None:
    room = make(ann, "Attic", "private")
    answer = ann.post("/api/invitations", json={"room": room, "uses": 1, "expires_in": 60})
    assert answer.status_code == 201
    made = answer.get_json()
    assert made["url"].startswith("http://localhost/join/")
    assert made["qr_svg"].startswith("<svg")
    assert "style=" not in made["qr_svg"]
    (listed,) = ann.get("/api/invitations").get_json()["invitations"]
    assert (listed["id"], listed["room"], listed["uses"], listed["most_uses"]) == (made["id"], room, 0, 1)
    guest = app.test_client()
    link = made["url"].removeprefix("http://localhost")
    assert guest.post(link, data={"username": "Cleo"}).headers["Location"] == f"/rooms/{room}"
    assert room in slugs(guest)
    assert ann.delete(f"/api/invitations/{made['id']}").status_code == 204
    assert ann.delete("/api/invitations/999999").status_code == 404


def test_an_invitation_into_the_chat_is_for_those_who_have_claimed_their_name(ann: FlaskClient) -> None:
    assert ann.post("/api/invitations", json={}).status_code == 403
    assert ann.post("/api/invitations", json={"uses": 0}).status_code == 422
    assert ann.post("/api/invitations", json={"room": "nowhere"}).status_code == 404


def test_who_invites_too_often_is_told_to_wait(ann: FlaskClient, chat: Services) -> None:
    room = make(ann, "Kitchen")
    chat.limits.on = True
    statuses = [ann.post("/api/invitations", json={"room": room}).status_code for _ in range(30)]
    assert statuses[0] == 201
    assert statuses[-1] == 429


def test_who_comes_and_goes_all_the_time_is_told_to_wait(ann: FlaskClient, bob: FlaskClient, chat: Services) -> None:
    make(ann, "Kitchen")
    chat.limits.on = True
    statuses = [
        bob.open("/api/rooms/kitchen/members/Bob", method=("PUT", "DELETE")[number % 2]).status_code
        for number in range(70)
    ]
    assert statuses[:50] == [204] * 50
    assert statuses[-1] == 429


def test_outsiders_cannot_tell_a_private_room_from_one_that_is_not_there(
    ann: FlaskClient, bob: FlaskClient, mallory: FlaskClient, chat: Services
) -> None:
    room = make(ann, "Attic", "private")
    renamed = ann.patch(f"/api/rooms/{room}", json={"name": "Loft"}).get_json()["slug"]
    talk = ann.post("/api/conversations", json={"with": ["Bob"]}).get_json()["slug"]
    before = everything(chat)
    for method, path, contents in (
        ("GET", "/api/rooms/{}", None),
        ("PATCH", "/api/rooms/{}", {"topic": "mine"}),
        ("DELETE", "/api/rooms/{}/messages", {"confirm": "Loft"}),
        ("PUT", "/api/rooms/{}/favourite", None),
        ("DELETE", "/api/rooms/{}/favourite", None),
        ("PUT", "/api/favourites", {"rooms": ["{}"]}),
        ("GET", "/api/rooms/{}/members", None),
        ("PUT", "/api/rooms/{}/members/Mallory", None),
        ("PUT", "/api/rooms/{}/members/Bob", None),
        ("PUT", "/api/rooms/{}/members/Nobody", None),
        ("PATCH", "/api/rooms/{}/members/Mallory", {"role": "owner"}),
        ("DELETE", "/api/rooms/{}/members/Mallory", None),
        ("DELETE", "/api/rooms/{}/members/Ann", None),
        ("POST", "/api/invitations", {"room": "{}"}),
    ):
        answers = set()
        for slug in (room, renamed, talk, "attic-aaaaaa"):
            sent = {
                key: [slug] if value == ["{}"] else slug if value == "{}" else value
                for key, value in (contents or {}).items()
            }
            answer = mallory.open(path.format(slug), method=method, json=sent)
            answers.add((answer.status_code, answer.data))
        assert len(answers) == 1, (method, path)
        assert answers.pop()[0] == 404
    assert everything(chat) == before
    assert mallory.get("/api/directory?q=loft").get_json()["rooms"] == []
