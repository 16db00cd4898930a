"""Editing a message, for programs."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient

from flask_chat.chat import settings
from flask_chat.http.services import Services

from ..web.keeping import said


@pytest.fixture
def address(ann: FlaskClient) -> str:
    """Where a message of Ann's in the lobby is edited."""
    return f"/api/rooms/lobby/messages/{said(ann, 'lobby', 'Helo')}"


def test_an_author_edits_and_is_told_what_it_is_now(ann: FlaskClient, bob: FlaskClient, address: str) -> None:
    answer = ann.patch(address, json={"text": "Hello"})
    assert answer.status_code == 200
    assert answer.mimetype == "application/json"
    listed = bob.get("/api/rooms/lobby/messages").json
    assert listed is not None
    assert listed["messages"] == [answer.json]
    assert answer.json is not None
    assert (answer.json["text"], bool(answer.json["edited_at"])) == ("Hello", True)


def test_others_do_not_and_nobody_does_after_its_time(
    ann: FlaskClient, bob: FlaskClient, chat: Services, address: str
) -> None:
    refused = bob.patch(address, json={"text": "Hullo"})
    assert (refused.status_code, refused.mimetype) == (403, "application/problem+json")
    chat.db.write(lambda transaction: settings.change(transaction, {"edit_minutes": 0}))
    refused = ann.patch(address, json={"text": "Hullo"})
    assert refused.status_code == 403
    assert refused.json is not None
    assert refused.json["detail"] == "Nothing is edited here."


@pytest.mark.parametrize(
    ("contents", "status"),
    [({"text": ""}, 422), ({"text": " \n"}, 422), ({"text": "x" * 10_001}, 413), ({}, 422), ({"text": 1}, 422)],
)
def test_what_is_no_message_is_refused(ann: FlaskClient, address: str, contents: object, status: int) -> None:
    assert ann.patch(address, json=contents).status_code == status
    assert ann.patch(address, data="text=Hello").status_code == 415


def test_edits_count_as_messages_do(ann: FlaskClient, chat: Services, address: str) -> None:
    chat.limits.on = True
    answers = (ann.patch(address, json={"text": f"Hello {number}"}).status_code for number in range(1_000))
    assert next(answers) == 200
    assert any(status == 429 for status in answers)
