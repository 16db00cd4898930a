"""Reading without scripts."""

from __future__ import annotations

from flask import Flask
from flask.testing import FlaskClient

from flask_chat.chat import messages, overview, people, rooms
from flask_chat.chat.overview import Listed
from flask_chat.http.services import Services


def lobby(chat: Services, name: str) -> Listed:
    with chat.db.read() as connection:
        person = people.find(connection, name)
        return overview.one(connection, person, rooms.for_member(connection, person, "lobby"))


def say(chat: Services, name: str) -> int:
    with chat.db.read() as connection:
        author = people.find(connection, name)
    return messages.post(chat.db, messages.draft(author, "lobby", "hello")).result().message.id


def test_a_room_is_marked_as_read_and_unread_again(chat: Services, ann: FlaskClient, bob: FlaskClient) -> None:
    first, second = say(chat, "Bob"), say(chat, "Bob")
    answer = ann.post("/rooms/lobby/read", data={"through": second})
    assert (answer.status_code, answer.headers["location"]) == (303, "/rooms/lobby")
    assert lobby(chat, "Ann").unread == 0
    ann.post("/rooms/lobby/read", data={"through": first})
    assert lobby(chat, "Ann").unread == 0
    ann.post("/rooms/lobby/read", data={"through": first, "force": "yes"})
    assert lobby(chat, "Ann").unread == 1


def test_what_counts_as_new_is_chosen(chat: Services, ann: FlaskClient) -> None:
    answer = ann.post("/rooms/lobby/notifications", data={"notify": "mentions", "mute": "3600"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/rooms/lobby")
    assert (lobby(chat, "Ann").notify, lobby(chat, "Ann").muted) == ("mentions", True)
    ann.post("/rooms/lobby/notifications", data={"notify": "all", "mute": "keep"})
    assert (lobby(chat, "Ann").notify, lobby(chat, "Ann").muted) == ("all", True)
    ann.post("/rooms/lobby/notifications", data={"notify": "all", "mute": ""})
    assert not lobby(chat, "Ann").muted


def test_what_makes_no_sense_is_refused(ann: FlaskClient) -> None:
    assert ann.post("/rooms/lobby/read", data={"through": "x"}).status_code == 422
    assert ann.post("/rooms/lobby/notifications", data={"notify": "loud"}).status_code == 422
    assert ann.post("/rooms/lobby/notifications", data={"mute": "-1"}).status_code == 422
    assert ann.post("/rooms/nowhere/read", data={"through": "1"}).status_code == 404


def test_who_is_not_signed_in_is_asked_to(app: Flask) -> None:
    for address in ("/rooms/lobby/read", "/rooms/lobby/notifications"):
        assert app.test_client().post(address, data={"through": "1"}).headers["location"] == "/"


def test_looking_changes_nothing(ann: FlaskClient) -> None:
    assert ann.get("/rooms/lobby/read").status_code in (404, 405)
