"""Deleting, reporting and blocking, for programs."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from flask_chat.http.services import Services

from ..web.keeping import promote, said


@pytest.fixture
def id(ann: FlaskClient, bob: FlaskClient) -> int:
    """A message of Bob's in the lobby."""
    return said(bob, "lobby", "Oh no")


def texts(client: FlaskClient) -> list[str]:
    found = client.get("/api/rooms/lobby/messages").json
    assert found is not None
    return [message["text"] for message in found["messages"]]


def test_an_author_deletes_a_message_and_may_say_so_twice(ann: FlaskClient, bob: FlaskClient, id: int) -> None:
    for _ in range(2):
        answer = bob.delete(f"/api/rooms/lobby/messages/{id}")
        assert (answer.status_code, answer.data) == (204, b"")
    assert texts(ann) == []


def test_others_do_not_and_a_moderator_does(ann: FlaskClient, bob: FlaskClient, chat: Services, id: int) -> None:
    refused = ann.delete(f"/api/rooms/lobby/messages/{id}")
    assert refused.status_code == 403
    assert refused.json is not None
    assert "moderators" in refused.json["detail"]
    promote(chat, "Ann", "moderator")
    assert ann.delete(f"/api/rooms/lobby/messages/{id}").status_code == 204
    assert texts(bob) == []


def test_a_hidden_room_and_no_room_answer_alike(ann: FlaskClient, bob: FlaskClient) -> None:
    made = bob.post("/api/rooms", json={"name": "Garden", "kind": "private"}).json
    assert made is not None
    hidden_id = said(bob, made["slug"], "Roses")
    for method, path in (("DELETE", ""), ("POST", "/report")):
        answers = [
            ann.open(f"/api/rooms/{slug}/messages/{hidden_id}{path}", method=method, json={"reason": ""})
            for slug in (made["slug"], "garden-nosuchroom")
        ]
        assert {answer.status_code for answer in answers} == {404}
        assert answers[0].data == answers[1].data


def test_a_message_is_reported(ann: FlaskClient, id: int) -> None:
    address = f"/api/rooms/lobby/messages/{id}/report"
    for body in ({"reason": "Rude"}, {"reason": "Rude"}, {}):
        assert ann.post(address, json=body).status_code == 204
    assert ann.post(address, data="reason=Rude").status_code == 415
    assert ann.post(address, json=["Rude"]).status_code == 400
    assert ann.post(address, json={"reason": 3}).status_code == 422
    assert ann.post(address, json={"reason": "x" * 400}).status_code == 413
    assert ann.post("/api/rooms/lobby/messages/99999/report", json={}).status_code == 404


def test_somebody_is_blocked_and_heard_again(ann: FlaskClient, bob: FlaskClient) -> None:
    for _ in range(2):
        assert ann.put("/api/blocks/bob").status_code == 204
    assert ann.get("/api/blocks").json == {"blocked": ["Bob"]}
    assert bob.get("/api/blocks").json == {"blocked": []}
    refused = bob.post("/api/conversations", json={"with": ["Ann"]})
    assert refused.status_code == 403
    for _ in range(2):
        assert ann.delete("/api/blocks/Bob").status_code == 204
    assert ann.get("/api/blocks").json == {"blocked": []}
    assert ann.put("/api/blocks/Ann").status_code == 422
    assert ann.put("/api/blocks/Nobody").status_code == 404


def test_nobody_does_any_of_it_without_signing_in(ann: FlaskClient, id: int) -> None:
    stranger = ann.application.test_client()
    assert stranger.delete(f"/api/rooms/lobby/messages/{id}").status_code == 401
    assert stranger.post(f"/api/rooms/lobby/messages/{id}/report", json={}).status_code == 401
    assert stranger.get("/api/blocks").status_code == 401
    assert stranger.put("/api/blocks/Ann").status_code == 401
