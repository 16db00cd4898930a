"""Editing a message without scripts."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.chat import people, rooms, settings
from flask_chat.http.services import Services

from .keeping import promote, said


@pytest.fixture
def address(ann: FlaskClient) -> str:
    """A message of Ann's in the lobby."""
    return f"/rooms/lobby/messages/{said(ann, 'lobby', 'Helo <you>')}"


def test_the_page_of_ones_own_message_leads_to_a_form_that_edits_it(
    ann: FlaskClient, bob: FlaskClient, address: str
) -> None:
    page = ann.get(f"{address}/report").text
    assert f'action="{address}/edit"' in page
    assert "What is wrong with it?" not in page
    assert "Delete it for good" in page
    form = ann.get(f"{address}/edit").text
    assert "Helo &lt;you&gt;</textarea>" in form
    answer = ann.post(f"{address}/edit", data={"message": "Hello"})
    assert (answer.status_code, answer.location) == (303, "/rooms/lobby")
    assert ">Hello<" in bob.get("/rooms/lobby").text
    assert "/edit" not in bob.get(f"{address}/report").text


def test_what_cannot_be_saved_stays_in_the_form(ann: FlaskClient, chat: Services, address: str) -> None:
    answer = ann.post(f"{address}/edit", data={"message": " "})
    assert answer.status_code == 422
    assert 'role="alert"' in answer.text
    chat.db.write(lambda transaction: settings.change(transaction, {"edit_minutes": 0}))
    answer = ann.post(f"{address}/edit", data={"message": "A long thought"})
    assert answer.status_code == 403
    assert "Nothing is edited here." in answer.text
    assert "A long thought</textarea>" in answer.text
    assert ann.get(f"{address}/edit").status_code == 403
    assert "/edit" not in ann.get(f"{address}/report").text


def test_a_message_of_somebody_else_has_no_form(bob: FlaskClient, address: str) -> None:
    assert bob.get(f"{address}/edit").status_code == 403
    assert bob.post(f"{address}/edit", data={"message": "Hullo"}).status_code == 403


def test_who_is_not_signed_in_is_asked_for_a_name_first(app: Flask, address: str) -> None:
    asked = app.test_client().get(f"{address}/edit")
    assert (asked.status_code, asked.location) == (303, f"/?next={address}/edit")
    assert "Your name" in app.test_client().post(f"{address}/edit", data={"message": "Hullo"}).text


def test_the_page_says_for_how_long_messages_are_edited(ann: FlaskClient, chat: Services) -> None:
    for minutes, expected in ((1440, 'data-edits="1440"'), (None, 'data-edits="always"'), (0, None)):
        chat.db.write(lambda transaction, minutes=minutes: settings.change(transaction, {"edit_minutes": minutes}))  # type: ignore[misc]
        page = ann.get("/rooms/lobby").text
        assert expected in page if expected else "data-edits" not in page


def test_nothing_is_offered_where_nobody_writes(ann: FlaskClient, chat: Services) -> None:
    assert "data-edits" in ann.get("/rooms/lobby").text
    with chat.db.read() as connection:
        lobby = rooms.for_member(connection, people.find(connection, "Ann"), rooms.LOBBY)
    chat.db.write(lambda transaction: rooms.update_row(transaction, lobby, locked_at=1))
    assert "data-edits" not in ann.get("/rooms/lobby").text


def test_edits_by_the_form_count_as_messages_do(ann: FlaskClient, chat: Services, address: str) -> None:
    chat.limits.on = True
    sent = (ann.post(f"{address}/edit", data={"message": f"Hello {number}"}) for number in range(1_000))
    assert any(answer.status_code == 429 for answer in sent)


def test_moderators_see_what_was_reported(ann: FlaskClient, bob: FlaskClient, chat: Services, address: str) -> None:
    promote(chat, "Bob", "moderator")
    assert bob.post(f"{address}/report", data={"reason": "Rude"}).status_code == 200
    assert "It said then" not in bob.get("/admin/reports").text
    ann.post(f"{address}/edit", data={"message": "A flower"})
    page = bob.get("/admin/reports").text
    assert "A flower" in page
    assert 'It said then: <span dir="auto">Helo &lt;you&gt;</span>' in page
