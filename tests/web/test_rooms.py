"""Rooms, members and the directory as pages, without a script."""

from __future__ import annotations

import html
import re
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.chat import people, sessions
from flask_chat.db import StorageUnavailable
from flask_chat.http.services import Services

from ..conftest import SignIn


@pytest.fixture
def mallory(sign_in: SignIn) -> FlaskClient:
    return sign_in("Mallory")


def make(client: FlaskClient, name: str, kind: str = "public") -> str:
    """Make a room by the form; where it is."""
    answer = client.post("/rooms", data={"name": name, "kind": kind, "topic": ""})
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def everything(chat: Services) -> list[Any]:
    """All that is kept."""
    with chat.db.read() as connection:
        tables = ("room", "membership", "invitation", "event", "message", "audit", "person")
        return [connection.exec_driver_sql(f"SELECT * FROM {table}").all() for table in tables]


def words(page: str) -> str:
    """What a page says, in one line."""
    return " ".join(html.unescape(re.sub("<[^>]+>", " ", page)).split())


def test_a_room_is_made_by_a_form_and_leads_there(ann: FlaskClient) -> None:
    assert 'action="/rooms"' in ann.get("/rooms/new").text
    assert make(ann, "Küche & Bar") == "/rooms/kuche-bar"
    assert "Küche & Bar" in words(ann.get("/rooms/kuche-bar").text)
    refused = ann.post("/rooms", data={"name": " ", "kind": "private", "topic": 'x"'})
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text
    assert 'value="x&#34;"' in refused.text
    assert re.search(r'value="private" checked', refused.text)


def test_the_directory_shows_my_rooms_and_those_to_join(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    make(ann, "Attic", "private")
    seen = ann.get("/rooms").text
    assert 'href="/rooms/kitchen"' in seen
    assert "Attic" in seen
    assert "Rooms to join" not in seen
    theirs = bob.get("/rooms").text
    assert 'action="/rooms/kitchen/join"' in theirs
    assert "1 member" in theirs
    assert "Attic" not in theirs
    assert "Kitchen" in bob.get("/rooms?q=KITCH").text
    assert "No room here has" in bob.get("/rooms?q=<b>attic").text
    assert "<b>attic" not in bob.get("/rooms?q=<b>attic").text
    assert bob.get("/rooms?after=x").status_code == 404


def test_a_public_room_is_read_from_outside_joined_and_left(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    ann.post("/rooms/kitchen/messages", data={"message": "soup is ready"})
    assert "soup is ready" in bob.get("/rooms/kitchen").text
    assert bob.post("/rooms/kitchen/messages", data={"message": "hello"}).status_code == 403
    assert bob.post("/rooms/kitchen/join").headers["Location"] == "/rooms/kitchen"
    assert bob.post("/rooms/kitchen/messages", data={"message": "hello"}).status_code == 303
    assert bob.post("/rooms/kitchen/leave").headers["Location"] == "/rooms"
    assert bob.post("/rooms/kitchen/messages", data={"message": "hello"}).status_code == 403


def test_an_old_address_leads_to_the_new_one(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    saved = ann.post("/rooms/kitchen/settings", data={"name": "Café", "topic": "Soup", "description": "All\nof it"})
    assert (saved.status_code, saved.headers["Location"]) == (303, "/rooms/cafe/settings")
    for client in (ann, bob):
        moved = client.get("/rooms/kitchen?before=7")
        assert (moved.status_code, moved.headers["Location"]) == (301, "/rooms/cafe?before=7")
        assert "no-store" in moved.headers["Cache-Control"], "it may be renamed back"
    assert "All\nof it" in bob.get("/rooms/cafe/settings").text


def test_what_cannot_be_saved_stays_in_the_form(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    refused = ann.post("/rooms/kitchen/settings", data={"name": "", "topic": "<i>", "description": "kept"})
    assert refused.status_code == 422
    assert 'value="&lt;i&gt;"' in refused.text
    assert "kept" in refused.text
    assert bob.post("/rooms/kitchen/settings", data={"topic": "mine"}).status_code == 403


def test_a_room_is_archived_and_restored_by_a_button(ann: FlaskClient) -> None:
    make(ann, "Kitchen")
    assert ann.post("/rooms/kitchen/settings", data={"archived": "yes"}).status_code == 303
    assert "Restore the room" in ann.get("/rooms/kitchen/settings").text
    assert ann.post("/rooms/kitchen/messages", data={"message": "hello"}).status_code == 403
    assert ann.post("/rooms/kitchen/settings", data={"archived": ""}).status_code == 303
    assert ann.post("/rooms/kitchen/messages", data={"message": "hello"}).status_code == 303


def test_the_owner_slows_a_room_down_and_locks_it(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    bob.post("/rooms/kitchen/join")
    assert ann.post("/rooms/kitchen/quiet", data={"slow": "45", "locked": "yes"}).status_code == 303
    assert bob.post("/rooms/kitchen/messages", data={"message": "hello"}).status_code == 403
    assert '<option value="45" selected>' in ann.get("/rooms/kitchen/settings").text
    assert bob.post("/rooms/kitchen/quiet", data={"slow": "0"}).status_code == 403
    assert ann.post("/rooms/kitchen/quiet", data={"slow": "soon"}).status_code == 422
    assert ann.post("/rooms/kitchen/quiet", data={"slow": "0"}).status_code == 303
    assert bob.post("/rooms/kitchen/messages", data={"message": "hello"}).status_code == 303


def test_clearing_is_confirmed_by_the_name_of_the_room(ann: FlaskClient, bob: FlaskClient) -> None:
    make(ann, "Kitchen")
    ann.post("/rooms/kitchen/messages", data={"message": "goes for good"})
    refused = ann.post("/rooms/kitchen/clear", data={"name": "lobby"})
    assert refused.status_code == 409
    assert "write the name of the room" in refused.text
    assert bob.post("/rooms/kitchen/clear", data={"name": "Kitchen"}).status_code == 403
    assert "goes for good" in ann.get("/rooms/kitchen").text
    assert ann.post("/rooms/kitchen/clear", data={"name": "Kitchen"}).status_code == 303
    assert "goes for good" not in ann.get("/rooms/kitchen").text


def test_members_are_added_removed_and_made_owner_by_name(ann: FlaskClient, bob: FlaskClient) -> None:
    attic = make(ann, "Attic", "private")
    assert ann.post(f"{attic}/members", data={"username": " Bob "}).headers["Location"] == f"{attic}/members"
    refused = ann.post(f"{attic}/members", data={"username": "Nobody <b>"})
    assert refused.status_code == 404
    assert "There is nobody of that name" in refused.text
    assert 'value="Nobody &lt;b&gt;"' in refused.text
    page = bob.get(f"{attic}/members")
    assert "2 members" in page.text
    assert "Owner of this room" in page.text
    assert f'action="{attic}/members/remove"' not in page.text
    assert bob.post(f"{attic}/members/remove", data={"username": "Ann"}).status_code == 403
    # Given away, a room does not come back by itself: one press shows what it means, another does it.
    assert "<summary" in ann.get(f"{attic}/members").text.partition("Make owner")[0]
    assert ann.post(f"{attic}/members/owner", data={"username": "Bob"}).status_code == 303
    assert bob.post(f"{attic}/members/remove", data={"username": "Ann"}).status_code == 303
    assert ann.get(attic).status_code == 404


def test_my_chat_is_the_lobby_then_my_other_rooms_then_the_list_of_rooms(ann: FlaskClient) -> None:
    attic = make(ann, "Attic", "private")
    assert 'data-room="lobby"' in ann.get("/chat/Ann").text
    ann.post("/rooms/lobby/leave")
    assert f'data-room="{attic.removeprefix("/rooms/")}"' in ann.get("/chat/Ann").text
    ann.post(f"{attic}/leave")
    assert ann.get("/chat/Ann").headers["Location"] == "/rooms"
    assert ann.get("/chat/ann").headers["Location"] == "/chat/Ann"


def test_anothers_chat_is_a_place_to_begin_and_then_the_conversation(
    ann: FlaskClient, bob: FlaskClient, chat: Services
) -> None:
    before = everything(chat)
    place = ann.get("/chat/Bob")
    assert place.status_code == 200
    assert 'action="/conversations"' in place.text
    assert '<input type="hidden" name="with" value="Bob">' in place.text
    assert everything(chat) == before, "looking begins nothing"
    said = ann.post("/conversations", data={"with": "Bob", "message": "psst", "client_id": "c1"})
    assert said.status_code == 303
    assert ann.post("/conversations", data={"with": "Bob", "message": "psst", "client_id": "c1"}).status_code == 303
    for client, other in ((ann, "Bob"), (bob, "Ann")):
        page = client.get(f"/chat/{other}")
        assert f'data-room="{said.headers["Location"].removeprefix("/rooms/")}"' in page.text
        assert page.text.count('<div class="body" dir="auto">psst</div>') == 1
    assert bob.get("/chat/ann").headers["Location"] == "/chat/Ann"
    assert ann.get("/chat/Nobody").status_code == 404


def test_what_cannot_be_sent_to_somebody_stays_in_the_form(ann: FlaskClient, bob: FlaskClient) -> None:
    for wanted, message, status in (("Bob", " ", 422), ("Nobody", "hello <b>", 404), ("Ann", "hello <b>", 422)):
        refused = ann.post("/conversations", data={"with": wanted, "message": message})
        assert refused.status_code == status
        assert f'value="{wanted}"' in refused.text
        assert html.escape(message) in refused.text
    assert ann.post("/conversations", data={"with": "Bob, Bob ,", "message": "hello"}).status_code == 303


def test_what_was_perhaps_kept_can_be_sent_again(
    ann: FlaskClient, bob: FlaskClient, chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise StorageUnavailable("The chat could not keep that just now.")

    with monkeypatch.context() as patch:
        patch.setattr(chat.db, "write", fail)
        refused = ann.post("/conversations", data={"with": "Bob", "message": "psst", "client_id": "c1"})
    assert refused.status_code == 503
    assert 'name="client_id" value="c1"' in refused.text
    assert "psst</textarea>" in refused.text


def test_a_stranger_is_asked_for_a_name_first(app: Flask, chat: Services) -> None:
    stranger = app.test_client()
    for path in ("/rooms", "/rooms/new", "/rooms/lobby/settings", "/rooms/lobby/members", "/chat/Bob", "/invitations"):
        assert stranger.get(path).headers["Location"].startswith("/?next=/"), path
    before = everything(chat)
    for path in (
        "/rooms",
        "/rooms/lobby/settings",
        "/rooms/lobby/clear",
        "/rooms/lobby/quiet",
        "/rooms/lobby/favourite",
        "/rooms/lobby/members",
        "/rooms/lobby/members/remove",
        "/rooms/lobby/members/owner",
        "/rooms/lobby/join",
        "/rooms/lobby/leave",
        "/rooms/lobby/invite",
        "/conversations",
        "/invitations",
        "/invitations/1/revoke",
    ):
        assert stranger.post(path, data={"name": "x", "message": ""}).headers["Location"] == "/", path
    assert everything(chat) == before


def test_looking_changes_nothing(ann: FlaskClient, bob: FlaskClient, chat: Services) -> None:
    attic = make(ann, "Attic", "private")
    make(ann, "Kitchen")
    token = re.search(r"/join/[\w-]{43}", ann.post(f"{attic}/invite", data={"uses": "1"}).text)
    assert token is not None
    before = everything(chat)
    for client in (ann, bob):
        for path in (
            "/rooms",
            "/rooms?q=kitchen",
            "/rooms/new",
            "/rooms/kitchen",
            "/rooms/kitchen/settings",
            "/rooms/kitchen/members",
            "/rooms/kitchen/invite",
            "/rooms/kitchen/join",
            "/rooms/kitchen/leave",
            "/rooms/kitchen/clear",
            "/rooms/kitchen/favourite",
            attic,
            f"{attic}/members",
            f"{attic}/invite",
            "/invitations",
            token[0],
            "/chat/Ann",
            "/chat/Bob",
            "/conversations/new",
        ):
            assert client.get(path).status_code < 500, path
            client.head(path)
    assert everything(chat) == before


def test_outsiders_cannot_tell_a_private_room_from_one_that_is_not_there(
    ann: FlaskClient, mallory: FlaskClient, chat: Services
) -> None:
    before_rename = make(ann, "Attic", "private")
    ann.post(f"{before_rename}/settings", data={"name": "Loft"})
    attic = ann.get(before_rename).headers["Location"]
    everything_before = everything(chat)
    for method, path, fields in (
        ("GET", "", {}),
        ("GET", "?before=7", {}),
        ("GET", "/settings", {}),
        ("GET", "/members", {}),
        ("GET", "/invite", {}),
        ("POST", "/settings", {"name": "Mine"}),
        ("POST", "/clear", {"name": "Loft"}),
        ("POST", "/quiet", {"slow": "0"}),
        ("POST", "/favourite", {"favourite": "yes"}),
        ("POST", "/members", {"username": "Mallory"}),
        ("POST", "/members", {"username": "Nobody"}),
        ("POST", "/members/remove", {"username": "Ann"}),
        ("POST", "/members/owner", {"username": "Mallory"}),
        ("POST", "/join", {}),
        ("POST", "/leave", {}),
        ("POST", "/invite", {"uses": "1"}),
        ("POST", "/invite", {"uses": "many"}),
        ("POST", "/messages", {"message": "hello"}),
    ):
        answers = set()
        for room in (attic, before_rename, "/rooms/attic-aaaaaa"):
            answer = mallory.open(f"{room}{path}", method=method, data=fields)
            answers.add((answer.status_code, re.sub('nonce="[^"]*"', "", answer.text)))
        assert len(answers) == 1, (method, path)
        assert answers.pop()[0] == 404, (method, path)
    assert everything(chat) == everything_before
    assert "Loft" not in mallory.get("/rooms?q=loft").text.replace("“<bdi>loft</bdi>”", "")


def test_a_favourite_is_kept_and_taken_out_by_a_button(ann: FlaskClient) -> None:
    assert ann.post("/rooms/lobby/favourite", data={"favourite": "yes"}).headers["Location"] == "/rooms/lobby"
    assert 'aria-label="Favourite"' in ann.get("/rooms").text
    ann.post("/rooms/lobby/favourite", data={"favourite": ""})
    assert 'aria-label="Favourite"' not in ann.get("/rooms").text


def test_favourites_are_put_in_order_by_buttons(ann: FlaskClient) -> None:
    make(ann, "Kitchen")
    for room in ("lobby", "kitchen"):
        ann.post(f"/rooms/{room}/favourite", data={"favourite": "yes"})
    page = ann.get("/rooms").text
    assert page.index('href="/rooms/lobby"') < page.index('href="/rooms/kitchen"')
    assert page.count("Move up") == 1, "the first is first already"
    assert ann.post("/rooms/kitchen/favourite", data={"favourite": "up"}).headers["Location"] == "/rooms"
    page = ann.get("/rooms").text
    assert page.index('href="/rooms/kitchen"') < page.index('href="/rooms/lobby"')


def test_names_that_look_like_markup_are_shown_as_they_are(ann: FlaskClient) -> None:
    room = make(ann, "<script>alert(1)</script>")
    ann.post(f"{room}/settings", data={"topic": '"><img src=x onerror=alert(1)>', "description": "</textarea><b>"})
    for path in ("/rooms", room, f"{room}/settings", f"{room}/members", f"{room}/invite"):
        text = ann.get(path).text
        assert "<script>alert" not in text, path
        assert "<img src=x" not in text, path
        assert "</textarea><b>" not in text, path


def test_a_moderator_finds_everybodys_invitations(ann: FlaskClient, app: Flask, chat: Services) -> None:
    make(ann, "Kitchen")
    ann.post("/rooms/kitchen/invite", data={"uses": "5"})
    dora = chat.db.write(lambda transaction: people.add(transaction, "Dora", people.MODERATOR))
    token = chat.db.write(lambda transaction: sessions.begin_as(transaction, dora))
    headers = {"Authorization": f"Bearer {token}"}
    client = app.test_client()
    page = client.get("/invitations", headers=headers)
    assert "By <bdi>Ann</bdi>" in page.text
    (id,) = re.findall(r"/invitations/(\d+)/revoke", page.text)
    assert client.post(f"/invitations/{id}/revoke", headers=headers).status_code == 303
    assert f"/invitations/{id}/revoke" not in client.get("/invitations", headers=headers).text
