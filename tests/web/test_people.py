"""People's pages, as somebody without scripts reads them."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient


def test_a_profile_says_who_somebody_is(ann: FlaskClient, bob: FlaskClient) -> None:
    said = {"display_name": "Robert B.", "pronouns": "he/him", "bio": "One\n\nTwo", "status": "Out", "ending": "1h"}
    bob.post("/account/profile", data={**said, "time_zone": "Asia/Tokyo"})
    bob.post("/rooms/lobby/messages", data={"message": "hello"})
    page = ann.get("/people/Bob").text
    for words in ("<h1><bdi>Robert B.</bdi></h1>", "<bdi>Bob</bdi>", "he/him", "One\n\nTwo", "Out", "until <time"):
        assert words in page
    for words in ("One message so far.", "Asia/Tokyo", "Guest", 'href="/chat/Bob"', 'action="/people/Bob/block"'):
        assert words in page
    assert "/account/profile" not in page


def test_what_was_deleted_is_not_counted(ann: FlaskClient, bob: FlaskClient) -> None:
    said = [bob.post("/rooms/lobby/messages", data={"message": text}).status_code for text in ("one", "two")]
    assert said == [303, 303]
    assert "2 messages so far." in ann.get("/people/Bob").text
    id = ann.get("/api/rooms/lobby/messages").get_json()["messages"][0]["id"]
    assert bob.delete(f"/api/rooms/lobby/messages/{id}").status_code == 204
    assert "One message so far." in ann.get("/people/Bob").text


def test_my_own_profile_leads_to_the_form_that_changes_it(ann: FlaskClient) -> None:
    page = ann.get("/people/Ann").text
    assert 'href="/account/profile"' in page
    assert "/block" not in page


def test_a_name_in_another_case_and_a_former_one_lead_to_the_one_that_is(ann: FlaskClient, bob: FlaskClient) -> None:
    assert ann.get("/people/bob").headers["Location"] == "/people/Bob"
    bob.post("/account/name", data={"username": "Bobby"})
    for name in ("Bob", "bob", "bobby"):
        answer = ann.get(f"/people/{name}")
        assert (answer.status_code, answer.headers["Location"]) == (302, "/people/Bobby")


@pytest.mark.parametrize("name", ["Nobody", "lobby", "x" * 500, "Ann%20(former)"])
def test_nobody_has_no_page(ann: FlaskClient, name: str) -> None:
    assert ann.get(f"/people/{name}").status_code == 404


@pytest.mark.parametrize(
    "path", ["/people/Ann", "/account/profile", "/account/name", "/account/delete", "/account/data"]
)
def test_a_stranger_is_asked_for_a_name_first(app: Flask, ann: FlaskClient, path: str) -> None:
    assert ann.get(path).status_code == 200
    stranger = app.test_client()
    assert stranger.get(path).headers["Location"] == f"/?next={path}"
    assert stranger.post(path).status_code in (303, 405)


def test_hostile_words_are_words(ann: FlaskClient, bob: FlaskClient) -> None:
    hostile = "</textarea><script>alert(1)</script>\u202e\"'"
    for field in ("display_name", "pronouns", "bio", "status"):
        assert ann.post("/account/profile", data={field: hostile[:40]}).status_code == 303
    for page in (bob.get("/people/Ann").text, ann.get("/account/profile").text):
        assert "<script>alert" not in page


def test_who_is_blocked_is_offered_no_message_but_the_way_back(ann: FlaskClient, bob: FlaskClient) -> None:
    assert 'href="/chat/Bob"' in ann.get("/people/Bob").text
    assert ann.post("/people/Bob/block").status_code == 303
    page = ann.get("/people/Bob").text
    assert "You blocked <bdi>Bob</bdi>" in page
    assert 'href="/chat/Bob"' not in page
    assert 'action="/people/Bob/unblock"' in page
