"""Reporting, deleting and blocking without scripts."""

from __future__ import annotations

from flask.testing import FlaskClient

from flask_chat.chat import blocks, people
from flask_chat.http.services import Services

from ..conftest import SignIn
from .keeping import promote, said


def test_a_message_is_reported_seen_and_settled(
    ann: FlaskClient, bob: FlaskClient, sign_in: SignIn, chat: Services
) -> None:
    id = said(bob, "lobby", "An <insult>")
    form = ann.get(f"/rooms/lobby/messages/{id}/report")
    assert form.status_code == 200
    assert "An &lt;insult&gt;" in form.text
    assert "Delete it" not in form.text
    assert "Thank you" in ann.post(f"/rooms/lobby/messages/{id}/report", data={"reason": "Rude"}).text
    dora = sign_in("Dora")
    promote(chat, "Dora", people.MODERATOR)
    queue = dora.get("/admin/reports").text
    assert "An &lt;insult&gt;" in queue
    assert "Rude" in queue
    assert dora.post(f"/admin/reports/{id}", data={"outcome": "delete", "lasts": ""}).status_code == 303
    assert "An &lt;insult&gt;" not in ann.get("/rooms/lobby").text
    assert "Nothing waits" in dora.get("/admin/reports").text
    again = dora.post(f"/admin/reports/{id}", data={"outcome": "ban", "lasts": ""})
    assert again.status_code == 404


def test_a_reason_that_is_too_long_is_asked_for_again(ann: FlaskClient, bob: FlaskClient) -> None:
    id = said(bob, "lobby", "An insult")
    answer = ann.post(f"/rooms/lobby/messages/{id}/report", data={"reason": "x" * 400})
    assert answer.status_code == 413
    assert 'role="alert"' in answer.text


def test_what_is_not_there_cannot_be_reported(ann: FlaskClient, bob: FlaskClient) -> None:
    made = bob.post("/api/rooms", json={"name": "Garden", "kind": "private"}).json
    assert made is not None
    id = said(bob, made["slug"], "Roses")
    hidden = ann.get(f"/rooms/{made['slug']}/messages/{id}/report")
    absent = ann.get(f"/rooms/no-such-room-x1/messages/{id}/report")
    assert hidden.status_code == absent.status_code == 404
    assert ann.post(f"/rooms/lobby/messages/{id}/report").status_code == 404
    assert ann.get("/rooms/lobby/messages/999999/report").status_code == 404


def test_ones_own_message_is_deleted(ann: FlaskClient, bob: FlaskClient) -> None:
    id = said(ann, "lobby", "Oh no")
    assert "Delete it" in ann.get(f"/rooms/lobby/messages/{id}/report").text
    assert bob.post(f"/rooms/lobby/messages/{id}/delete").status_code == 403
    assert ann.post(f"/rooms/lobby/messages/{id}/delete").status_code == 303
    assert "Oh no" not in bob.get("/rooms/lobby").text


def test_somebody_is_blocked_and_heard_again(ann: FlaskClient, bob: FlaskClient, chat: Services) -> None:
    assert ann.post("/people/bob/block").status_code == 303
    with chat.db.read() as connection:
        assert blocks.of(connection, people.find(connection, "Ann")) == ["Bob"]
    assert ann.post("/people/Bob/unblock").status_code == 303
    with chat.db.read() as connection:
        assert blocks.of(connection, people.find(connection, "Ann")) == []
    assert ann.post("/people/Ann/block").status_code == 422
    assert ann.post("/people/Nobody/block").status_code == 404
