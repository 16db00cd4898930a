"""Names of people and rooms: nobody passes for somebody else by taking another name, and no name breaks a page."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.chat import rooms, slugs
from flask_chat.chat.errors import Invalid

LOOK_ALIKES = (
    "Bоb",
    "вob",
    "BOB",
    "Ｂｏｂ",
    "Bob\u200b",
    "\u202eboB",
    "Bob\u0301\u0301\u0301\u0301\u0301\u0301",
    "B o b\x00",
)


@pytest.mark.parametrize("name", [*LOOK_ALIKES, "Bob", " bob ", "", "x" * 10_000, "admin", "аdmin", "\u200b"])
def test_nobody_takes_a_name_that_passes_for_anothers(ann: FlaskClient, bob: FlaskClient, name: str) -> None:
    page = ann.post("/account/name", data={"username": name})
    assert page.status_code == 422
    assert 'role="alert"' in page.text
    program = ann.patch("/api/people/Ann", json={"username": name})
    assert program.status_code in (409, 413, 422)
    assert ann.get("/").headers["location"].endswith("/chat/Ann")
    assert bob.get("/").headers["location"].endswith("/chat/Bob")


def test_a_name_that_was_given_up_is_not_taken_by_another_at_once(ann: FlaskClient, bob: FlaskClient) -> None:
    assert bob.post("/account/name", data={"username": "Robert"}).status_code == 303
    assert ann.post("/account/name", data={"username": "Bob"}).status_code == 422
    assert ann.application.test_client().post("/", data={"username": "Bоb"}).status_code == 422
    # Who asks for the old one finds them.
    assert ann.get("/api/people/Bob").json == ann.get("/api/people/Robert").json


@given(st.text(max_size=120))
def test_a_rooms_name_is_kept_as_it_is_or_refused_in_words(raw: str) -> None:
    try:
        name = rooms.check_name(raw)
    except Invalid:
        return
    assert rooms.check_name(name) == name
    assert 1 <= len(name) <= rooms.MAX_NAME
    assert "\n" not in name
    assert re.fullmatch(r"[a-z0-9-]{1,64}", slugs.like(name))
