"""Deleting my account."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from ..conftest import SignIn


def test_i_am_gone_and_my_words_stay(app: Flask, ann: FlaskClient, bob: FlaskClient, sign_in: SignIn) -> None:
    ann.post("/rooms/lobby/messages", data={"message": "hello"})
    assert "cannot be undone" in ann.get("/account/delete").text
    answer = ann.post("/account/delete", data={"username": "ann", "messages": "keep"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/account/deleted")
    assert "Your account is deleted" in ann.get("/account/deleted").text
    assert ann.get("/rooms/lobby").status_code == 303
    room = bob.get("/rooms/lobby").text
    assert 'data-author="Somebody (former)"' in room
    assert "hello" in room
    assert bob.get("/people/Ann").status_code == 404
    sign_in("Ann")


def test_my_words_go_with_me(ann: FlaskClient, bob: FlaskClient) -> None:
    ann.post("/rooms/lobby/messages", data={"message": "farewell"})
    assert "farewell" in bob.get("/rooms/lobby").text
    ann.post("/account/delete", data={"username": "Ann", "messages": "erase"})
    assert "farewell" not in bob.get("/rooms/lobby").text


@pytest.mark.parametrize(
    ("form", "words"),
    [
        ({"username": "Bob", "messages": "keep"}, "write your name"),
        ({"messages": "keep"}, "write your name"),
        ({"username": "Ann"}, "choose"),
        ({"username": "Ann", "messages": "burn"}, "choose"),
    ],
)
def test_nothing_happens_by_mistake(ann: FlaskClient, form: dict[str, str], words: str) -> None:
    answer = ann.post("/account/delete", data=form)
    assert answer.status_code == 422
    assert words in answer.text
    assert ann.get("/people/Ann").status_code == 200


def test_whoever_has_a_password_shows_it_first(ann: FlaskClient) -> None:
    from flask_chat.chat import sessions

    ann.post("/account/password", data={"password": "correct horse battery staple"})
    chat = ann.application.extensions["flask_chat"]
    chat.db.write(lambda transaction: transaction.connection.execute(sessions.session.update().values(proved_at=None)))
    for path in ("/account/delete", "/account/data"):
        assert ann.get(path).headers["Location"] == f"/account/proof?next={path}"
        answer = ann.post(path, data={"username": "Ann", "messages": "erase"})
        assert answer.headers["Location"] == f"/account/proof?next={path}"
    assert ann.get("/people/Ann").status_code == 200
    ann.post("/account/proof", data={"password": "correct horse battery staple"})
    assert ann.get("/account/delete").status_code == 200
