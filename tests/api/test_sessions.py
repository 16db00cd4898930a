"""Sessions for programs: a name in, a token out."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from ..chat.proving import GOOD
from ..web.test_account import claim


def post(client: FlaskClient, contents: Any) -> TestResponse:
    return client.post("/api/sessions", json=contents)


def bearer(client: FlaskClient, name: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {post(client, {'username': name}).get_json()['token']}"}


@pytest.fixture
def client(app: Flask) -> FlaskClient:
    return app.test_client()


def test_a_program_gets_a_token_under_a_name_that_is_free(client: FlaskClient) -> None:
    answer = post(client, {"username": " Ann "})
    assert answer.status_code == 201
    assert answer.get_json()["username"] == "Ann"
    assert len(answer.get_json()["token"]) == 43
    assert "Set-Cookie" not in answer.headers
    assert "no-store" in answer.headers["cache-control"]


def test_a_name_that_is_taken_is_taken_for_programs_too(client: FlaskClient, ann: FlaskClient) -> None:
    answer = post(client, {"username": "ann"})
    assert (answer.status_code, answer.content_type) == (409, "application/problem+json")


@pytest.mark.parametrize(
    ("contents", "status"),
    [
        ({"username": ""}, 422),
        ({"username": "lobby"}, 422),
        ({"username": "\ud800"}, 422),
        ({"username": "x" * 33}, 413),
        ({"username": 7}, 400),
        ({"username": None}, 400),
        ({}, 400),
        ([], 400),
        ("Ann", 400),
    ],
)
def test_what_is_no_name_is_refused(client: FlaskClient, contents: Any, status: int) -> None:
    answer = post(client, contents)
    assert (answer.status_code, answer.content_type) == (status, "application/problem+json")


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b"[" * 100_000])
def test_what_is_no_json_is_refused(client: FlaskClient, body: bytes) -> None:
    answer = client.post("/api/sessions", data=body, content_type="application/json")
    assert (answer.status_code, answer.content_type) == (400, "application/problem+json")


def test_what_does_not_say_that_it_is_json_is_refused(client: FlaskClient) -> None:
    assert client.post("/api/sessions", data={"username": "Ann"}).status_code == 415


def test_a_session_is_ended_by_who_holds_it(client: FlaskClient) -> None:
    ann, bob = bearer(client, "Ann"), bearer(client, "Bob")
    ended = client.delete("/api/sessions/current", headers=ann)
    assert (ended.status_code, ended.data) == (204, b"")
    assert client.get("/api/rooms/lobby/messages", headers=ann).status_code == 401
    assert client.delete("/api/sessions/current", headers=ann).status_code == 401
    assert client.get("/api/rooms/lobby/messages", headers=bob).status_code == 200


def test_another_site_ends_nobodys_session(ann: FlaskClient) -> None:
    refused = ann.delete("/api/sessions/current", headers={"Sec-Fetch-Site": "cross-site"})
    assert refused.status_code == 403
    assert ann.get("/").status_code == 303


def test_who_joins_too_often_from_one_network_is_told_to_wait(app: Flask) -> None:
    app.extensions["flask_chat"].limits.on = True
    client = app.test_client()
    answers = [post(client, {"username": f"Ann{number}"}) for number in range(62)]
    assert answers[-1].status_code == 429
    assert int(answers[-1].headers["retry-after"]) >= 1
    elsewhere = client.post("/api/sessions", json={"username": "Bob"}, environ_base={"REMOTE_ADDR": "192.0.2.99"})
    assert elsewhere.status_code == 201


def test_a_program_signs_in_under_a_claimed_name_with_its_password(client: FlaskClient, ann: FlaskClient) -> None:
    claim(ann)
    answer = post(client, {"username": "ann", "password": GOOD})
    assert (answer.status_code, answer.get_json()["username"]) == (201, "Ann")
    headers = {"Authorization": f"Bearer {answer.get_json()['token']}"}
    assert client.get("/api/rooms/lobby/messages", headers=headers).status_code == 200


def test_a_wrong_password_and_an_unknown_name_are_refused_alike(client: FlaskClient, ann: FlaskClient) -> None:
    claim(ann)
    answers = [post(client, {"username": name, "password": "wrong"}) for name in ("Ann", "Xyz", "lobby", "")]
    assert {(answer.status_code, answer.content_type, answer.data) for answer in answers} == {
        (401, "application/problem+json", answers[0].data)
    }
    assert post(client, {"username": "Xyz"}).status_code == 201, "no name was taken by it"


@pytest.mark.parametrize("password", [7, [], {}, False])
def test_what_is_no_password_is_refused(client: FlaskClient, password: Any) -> None:
    assert post(client, {"username": "Ann", "password": password}).status_code == 400


def test_guessing_is_limited(app: Flask, client: FlaskClient, ann: FlaskClient) -> None:
    claim(ann)
    app.extensions["flask_chat"].limits.on = True
    answers = [post(client, {"username": "Ann", "password": f"guess {number}"}) for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["retry-after"]) >= 1


def test_somebody_sees_their_own_sessions_and_which_one_asks(client: FlaskClient, ann: FlaskClient) -> None:
    claim(ann)
    token = post(client, {"username": "Ann", "password": GOOD}).get_json()["token"]
    bearer(client, "Bob")
    answer = client.get("/api/sessions", headers={"Authorization": f"Bearer {token}"})
    assert answer.status_code == 200
    newest, oldest = answer.get_json()["sessions"]
    assert set(newest) == {"id", "device", "network", "created_at", "seen_at", "current"}
    assert (newest["current"], oldest["current"]) == (True, False)
    assert newest["network"] == "127.0.0.0/24"
    assert ann.get("/api/sessions").get_json()["sessions"][1]["current"]


def test_somebody_ends_their_own_session_and_its_token_is_worth_nothing(client: FlaskClient, ann: FlaskClient) -> None:
    claim(ann)
    headers = {"Authorization": f"Bearer {post(client, {'username': 'Ann', 'password': GOOD}).get_json()['token']}"}
    id = next(each["id"] for each in ann.get("/api/sessions").get_json()["sessions"] if not each["current"])
    for _ in range(2):
        ended = ann.delete(f"/api/sessions/{id}")
        assert (ended.status_code, ended.data) == (204, b"")
    assert client.get("/api/sessions", headers=headers).status_code == 401
    assert ann.get("/api/sessions").status_code == 200


def test_anothers_session_cannot_be_told_from_one_that_there_never_was(client: FlaskClient, ann: FlaskClient) -> None:
    bob = bearer(client, "Bob")
    id = ann.get("/api/sessions").get_json()["sessions"][0]["id"]
    answers = [client.delete(f"/api/sessions/{each}", headers=bob) for each in (id, 999, "x", "-1", "9" * 30, "٣")]
    assert {(answer.status_code, answer.data) for answer in answers} == {(404, answers[0].data)}
    assert ann.get("/api/sessions").status_code == 200


@pytest.mark.parametrize(("method", "path"), [("get", "/api/sessions"), ("delete", "/api/sessions/1")])
def test_who_is_not_signed_in_has_no_sessions(client: FlaskClient, method: str, path: str) -> None:
    assert getattr(client, method)(path).status_code == 401
