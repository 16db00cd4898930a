"""Coming in by a link."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat import create_app
from flask_chat.chat import people, settings
from flask_chat.config import Config
from flask_chat.http.services import Services

from . import keeping


@pytest.fixture
def attic(ann: FlaskClient) -> str:
    return str(ann.post("/rooms", data={"name": "Attic", "kind": "private"}).headers["Location"])


def invite(client: FlaskClient, room: str, **fields: str) -> str:
    """Make an invitation by the form; the path of its link."""
    answer = client.post(f"{room}/invite", data=fields)
    assert answer.status_code == 201, answer.text
    link = re.search(r"<code>http://localhost(/join/[\w-]+)</code>", answer.text)
    assert link is not None
    assert "<svg" in answer.text
    return link[1]


def test_a_guest_who_opens_a_link_says_a_name_and_is_in_that_room(app: Flask, ann: FlaskClient, attic: str) -> None:
    link = invite(ann, attic, uses="5", expires_in="86400")
    guest = app.test_client()
    asked = guest.get(link)
    assert asked.status_code == 200
    assert "Attic" in asked.text
    assert "<bdi>Ann</bdi> invites you" in asked.text
    come = guest.post(link, data={"username": "Cleo"})
    assert (come.status_code, come.headers["Location"]) == (303, attic)
    assert guest.get(attic).status_code == 200
    assert guest.post(f"{attic}/messages", data={"message": "here I am"}).status_code == 303


def test_who_is_signed_in_presses_one_button(ann: FlaskClient, bob: FlaskClient, attic: str) -> None:
    link = invite(ann, attic)
    assert "Join as" in re.sub("<[^>]+>", "", bob.get(link).text)
    assert 'name="username"' not in bob.get(link).text
    assert bob.post(link).headers["Location"] == attic
    assert bob.get(attic).status_code == 200


def test_every_link_that_is_over_is_the_same_page(app: Flask, ann: FlaskClient, bob: FlaskClient, attic: str) -> None:
    used, revoked = invite(ann, attic, uses="1"), invite(ann, attic)
    bob.post(used)
    ann.post("/invitations/2/revoke")
    guest = app.test_client()
    for open in (guest.get, guest.post):
        answers = {
            (answer.status_code, re.sub('nonce="[^"]*"', "", answer.text))
            for answer in (open(link) for link in (used, revoked, "/join/" + "x" * 43, "/join/x"))
        }
        assert len(answers) == 1
        ((status, text),) = answers
        assert status == 404
        assert "This invitation is not valid any more" in text


def test_who_is_too_late_takes_no_name_either(app: Flask, ann: FlaskClient, attic: str, chat: Services) -> None:
    link = invite(ann, attic, uses="1")
    assert app.test_client().post(link, data={"username": "Cleo"}).status_code == 303
    late = app.test_client()
    assert late.post(link, data={"username": "Dora"}).status_code == 404
    assert late.get("/").status_code == 200
    with chat.db.read() as connection:
        assert people.named(connection, "Dora") is None


@pytest.mark.parametrize(("name", "status"), [("", 422), ("Ann", 422), ("x" * 99, 422), ("lobby", 422)])
def test_a_name_that_cannot_be_had_is_refused_and_uses_nothing_up(
    app: Flask, ann: FlaskClient, attic: str, name: str, status: int
) -> None:
    link = invite(ann, attic, uses="1")
    refused = app.test_client().post(link, data={"username": name})
    assert refused.status_code in (413, status)
    assert 'class="error"' in refused.text
    assert app.test_client().post(link, data={"username": "Cleo"}).status_code == 303


def test_a_link_opens_a_chat_that_is_for_the_invited(app: Flask, ann: FlaskClient, attic: str, chat: Services) -> None:
    keeping.promote(chat, "Ann", people.MEMBER)
    link = invite(ann, attic)
    chat.db.write(lambda transaction: settings.change(transaction, {"joining": "invited"}))
    stranger = app.test_client()
    assert stranger.post("/", data={"username": "Dora"}).status_code != 303
    assert stranger.post(link, data={"username": "Dora"}).headers["Location"] == attic
    assert stranger.get(attic).status_code == 200


def test_another_site_brings_nobody_in(ann: FlaskClient, bob: FlaskClient, attic: str) -> None:
    link = invite(ann, attic)
    assert bob.post(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert bob.get(attic).status_code == 404


@pytest.mark.parametrize("fields", [{"uses": "0"}, {"uses": "many"}, {"expires_in": "-1"}, {"uses": "9" * 40}])
def test_what_makes_no_link_says_why(ann: FlaskClient, attic: str, fields: dict[str, str]) -> None:
    refused = ann.post(f"{attic}/invite", data=fields)
    assert refused.status_code == 422
    assert 'role="alert"' in refused.text


def test_a_guest_makes_no_link_into_the_whole_chat(ann: FlaskClient) -> None:
    assert ann.get("/invitations").status_code == 200
    assert ann.post("/invitations", data={"uses": "1"}).status_code == 403


def test_below_a_prefix_a_link_leads_below_it(config: Config) -> None:
    app = create_app(replace(config, prefix="/team"))
    try:
        ann, guest = app.test_client(), app.test_client()
        base = "http://localhost/team"
        assert ann.post("/", data={"username": "Ann"}, base_url=base).status_code == 303
        room = ann.post("/rooms", data={"name": "Attic", "kind": "private"}, base_url=base).headers["Location"]
        assert room.startswith("/team/rooms/attic-")
        page = ann.post(f"{room.removeprefix('/team')}/invite", data={"uses": "1"}, base_url=base)
        link = re.search(r"<code>http://localhost/team(/join/[\w-]+)</code>", page.text)
        assert link is not None
        assert f'action="/team{link[1]}"' in guest.get(link[1], base_url=base).text
        come = guest.post(link[1], data={"username": "Cleo"}, base_url=base)
        assert come.headers["Location"] == room
    finally:
        app.extensions["flask_chat"].close()


@pytest.mark.parametrize(("origin", "here_only"), [("http://localhost", True), ("http://chat.example", False)])
def test_a_link_that_leads_nowhere_from_another_machine_says_so(app: Flask, origin: str, here_only: bool) -> None:
    ann = app.test_client()
    ann.post("/", base_url=origin, data={"username": "Ann"})
    made = ann.post("/rooms/lobby/invite", base_url=origin, data={})
    assert (made.status_code, "works on this computer only" in made.text) == (201, here_only)
