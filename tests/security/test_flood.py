"""Who comes, guesses or invites as fast as they can is told to wait, and for how long."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_chat import create_app
from flask_chat.config import Config

TRIES = 120


@pytest.fixture
def app(sqlite_config: Config) -> Iterator[Flask]:
    """A chat with its limits on."""
    app = create_app(replace(sqlite_config, limits=True))
    yield app
    app.extensions["flask_chat"].close()


def join(client: FlaskClient, number: int) -> TestResponse:
    return client.application.test_client().post("/", data={"username": f"Mallory {number}"})


def join_by_program(client: FlaskClient, number: int) -> TestResponse:
    return client.application.test_client().post("/api/sessions", json={"username": f"Mallory {number}"})


def guess(client: FlaskClient, number: int) -> TestResponse:
    return client.application.test_client().post("/sign-in", data={"username": "Ann", "password": f"guess {number}"})


def guess_by_program(client: FlaskClient, number: int) -> TestResponse:
    contents = {"username": "Ann", "password": f"guess {number}"}
    return client.application.test_client().post("/api/sessions", json=contents)


def make_a_room(client: FlaskClient, number: int) -> TestResponse:
    return client.post("/api/rooms", json={"name": f"Room {number}"})


def begin_a_conversation(client: FlaskClient, number: int) -> TestResponse:
    return client.post("/api/conversations", json={"with": ["Bob"]})


def change_the_profile(client: FlaskClient, number: int) -> TestResponse:
    return client.patch("/api/people/Ann", json={"status": f"Busy {number}"})


def block_and_hear_again(client: FlaskClient, number: int) -> TestResponse:
    return (client.delete if number % 2 else client.put)("/api/blocks/Bob")


def block_and_hear_again_by_form(client: FlaskClient, number: int) -> TestResponse:
    return client.post(f"/people/Bob/{'unblock' if number % 2 else 'block'}")


def change_what_counts(client: FlaskClient, number: int) -> TestResponse:
    return client.put("/api/rooms/lobby/notifications", json={"notify": ("all", "none")[number % 2]})


def change_what_counts_by_form(client: FlaskClient, number: int) -> TestResponse:
    return client.post("/rooms/lobby/notifications", data={"notify": ("all", "none")[number % 2]})


WAYS: tuple[Callable[[FlaskClient, int], TestResponse], ...] = (
    *(join, join_by_program, guess, guess_by_program),
    *(make_a_room, begin_a_conversation, change_the_profile),
    *(block_and_hear_again, block_and_hear_again_by_form, change_what_counts, change_what_counts_by_form),
)


@pytest.mark.parametrize("way", WAYS)
def test_a_flood_is_stopped_with_the_time_to_come_back(app: Flask, way: object) -> None:
    assert callable(way)
    ann, bob = app.test_client(), app.test_client()
    assert ann.post("/", data={"username": "Ann"}).status_code == 303
    assert bob.post("/", data={"username": "Bob"}).status_code == 303
    answers = []
    for number in range(TRIES):
        answers.append(way(ann, number))
        if answers[-1].status_code == 429:
            break
    assert answers[-1].status_code == 429, f"{len(answers)} times: {answers[-1].status_code}"
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert all(answer.status_code < 500 for answer in answers)
    # Others are not in its way.
    assert bob.get("/rooms/lobby").status_code == 200
    assert bob.get("/api/rooms").status_code == 200
