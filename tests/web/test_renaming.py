"""The form of my name."""

from __future__ import annotations

import pytest
from flask.testing import FlaskClient


def test_i_am_called_otherwise_from_now_on(ann: FlaskClient, bob: FlaskClient) -> None:
    ann.post("/rooms/lobby/messages", data={"message": "hello"})
    answer = ann.post("/account/name", data={"username": " Anna "})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people/Anna")
    assert 'data-username="Anna"' in ann.get("/rooms/lobby").text
    assert 'data-author="Anna"' in bob.get("/rooms/lobby").text
    assert ann.get("/").headers["Location"] == "/chat/Anna"
    assert "<bdi>Ann</bdi>" in ann.get("/account/name").text


def test_this_browser_comes_back_by_either_name(ann: FlaskClient) -> None:
    ann.post("/account/name", data={"username": "Anna"})
    for name in ("Ann", "Anna", "anna"):
        ann.post("/sign-out")
        assert ann.get("/rooms/lobby").status_code == 303
        assert ann.post("/", data={"username": name}).headers["Location"] == "/chat/Anna"


def test_another_browser_gets_neither(ann: FlaskClient, bob: FlaskClient) -> None:
    ann.post("/account/name", data={"username": "Anna"})
    for name in ("Ann", "Anna"):
        answer = bob.post("/account/name", data={"username": name})
        assert answer.status_code == 422
        assert f"“{name}” is taken" in answer.text


@pytest.mark.parametrize("name", ["", "lobby", "x" * 33])
def test_what_is_no_name_is_told_beside_the_field(ann: FlaskClient, name: str) -> None:
    answer = ann.post("/account/name", data={"username": name})
    assert answer.status_code == 422
    assert 'aria-invalid="true"' in answer.text
