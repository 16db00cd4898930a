"""People for programs: who they are, and what I say of myself."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient


def get(client: FlaskClient, path: str) -> Any:
    answer = client.get(path)
    assert answer.status_code == 200, answer.text
    return answer.get_json()


def test_somebodys_profile_is_whole(ann: FlaskClient, bob: FlaskClient) -> None:
    until = (datetime.now(UTC) + timedelta(hours=1)).replace(microsecond=0)
    said = {
        "display_name": "Ann Lind",
        "pronouns": "she/her",
        "bio": "Two cats.",
        "status": "Away for lunch",
        "status_until": until.isoformat(),
        "time_zone": "Asia/Tokyo",
    }
    assert ann.patch("/api/people/Ann", json=said).status_code == 200
    shown = get(bob, "/api/people/ann")
    assert list(shown) == [
        "username",
        "display_name",
        "pronouns",
        "bio",
        "status",
        "status_until",
        "time_zone",
        "local_time",
        "role",
        "since",
        "presence",
    ]
    assert shown["username"] == "Ann"
    assert {key: shown[key] for key in said if key != "status_until"} == {
        key: value for key, value in said.items() if key != "status_until"
    }
    assert shown["status_until"] == until.strftime("%Y-%m-%dT%H:%M:%S.000Z")
    assert shown["local_time"].endswith("+09:00")
    assert (shown["role"], shown["presence"]) == ("guest", "offline")
    assert shown["since"].endswith("Z")


def test_who_says_nothing_has_empty_texts(ann: FlaskClient) -> None:
    shown = get(ann, "/api/people/Ann")
    assert [shown[key] for key in ("display_name", "pronouns", "bio", "status", "time_zone")] == [""] * 5
    assert (shown["status_until"], shown["local_time"]) == (None, None)


@pytest.mark.parametrize("name", ["Nobody", "lobby", "x" * 500, "A%00nn", "Ann%20(former)"])
def test_nobody_is_not_found(ann: FlaskClient, name: str) -> None:
    answer = ann.get(f"/api/people/{name}")
    assert (answer.status_code, answer.content_type) == (404, "application/problem+json")


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/api/people"), ("GET", "/api/people/Ann"), ("PATCH", "/api/people/Ann")]
)
def test_a_stranger_learns_nothing(app: Flask, ann: FlaskClient, method: str, path: str) -> None:
    assert ann.get("/api/people/Ann").status_code == 200
    assert app.test_client().open(path, method=method, json={}).status_code == 401


def test_i_take_another_name_and_the_old_one_still_finds_me(ann: FlaskClient, bob: FlaskClient) -> None:
    answer = ann.patch("/api/people/Ann", json={"username": "Anna", "pronouns": "she/her"})
    assert (answer.status_code, answer.get_json()["username"], answer.get_json()["pronouns"]) == (
        200,
        "Anna",
        "she/her",
    )
    assert get(bob, "/api/people/Ann")["username"] == "Anna"
    assert ann.patch("/api/people/ann", json={"bio": "Me again"}).status_code == 200


def test_a_change_is_made_whole_or_not_at_all(ann: FlaskClient, bob: FlaskClient) -> None:
    assert ann.patch("/api/people/Ann", json={"username": "Anna", "bio": "x" * 501}).status_code == 413
    assert get(ann, "/api/people/Ann")["username"] == "Ann"
    assert ann.patch("/api/people/Ann", json={"bio": "New", "username": "Bob"}).status_code == 409
    assert get(ann, "/api/people/Ann")["bio"] == ""
    assert get(bob, "/api/people/Bob")["username"] == "Bob"


def test_nobody_changes_anybody_else(ann: FlaskClient, bob: FlaskClient) -> None:
    assert ann.patch("/api/people/Bob", json={"bio": "I am a fool"}).status_code == 403
    assert ann.patch("/api/people/Nobody", json={"bio": "x"}).status_code == 404
    assert get(bob, "/api/people/Bob")["bio"] == ""


@pytest.mark.parametrize(
    ("contents", "status"),
    [
        ([], 400),
        ("bio", 400),
        ({"bio": 7}, 422),
        ({"username": 7}, 422),
        ({"role": "owner"}, 422),
        ({"time_zone": "Mars/Olympus"}, 422),
        ({"status": "x", "status_until": "soon"}, 422),
        ({"status": "x", "status_until": "2099-01-01T00:00:00"}, 422),
        ({"status": "x", "status_until": "2001-01-01T00:00:00Z"}, 422),
        ({"status": "x", "status_until": 7}, 422),
        ({"hides_presence": "no"}, 422),
    ],
)
def test_what_cannot_be_taken_is_refused(ann: FlaskClient, contents: Any, status: int) -> None:
    assert ann.patch("/api/people/Ann", json=contents).status_code == status
    assert ann.patch("/api/people/Ann", data={"bio": "x"}).status_code == 415


def test_another_site_changes_nobodys_profile(ann: FlaskClient) -> None:
    headers = {"Sec-Fetch-Site": "cross-site"}
    assert ann.patch("/api/people/Ann", json={"bio": "x"}, headers=headers).status_code == 403


def test_people_are_looked_for_by_name(ann: FlaskClient, bob: FlaskClient) -> None:
    ann.patch("/api/people/Ann", json={"display_name": "Ann Lind"})
    found = get(bob, "/api/people?q=an")["people"]
    assert found == [{"username": "Ann", "display_name": "Ann Lind", "presence": "offline"}]
    assert [each["username"] for each in get(bob, "/api/people")["people"]] == ["Ann", "Bob"]
    assert [each["username"] for each in get(bob, "/api/people?after=Ann")["people"]] == ["Bob"]
    assert get(bob, "/api/people?q=%00")["people"] == get(bob, "/api/people")["people"]


def test_who_changes_too_often_is_told_to_wait(app: Flask, ann: FlaskClient) -> None:
    app.extensions["flask_chat"].limits.on = True
    answers = [ann.patch("/api/people/Ann", json={"bio": str(number)}).status_code for number in range(22)]
    assert (answers[0], answers[-1]) == (200, 429)
