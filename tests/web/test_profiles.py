"""The form of my profile."""

from __future__ import annotations

import re

import pytest
from flask.testing import FlaskClient

FORM = {"display_name": "Ann Lind", "pronouns": "she/her", "bio": "Two cats.", "status": "", "time_zone": "Europe/Oslo"}


def test_what_i_say_is_in_the_form_again(ann: FlaskClient) -> None:
    answer = ann.post("/account/profile", data={**FORM, "hides_presence": "on"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/people/Ann")
    page = ann.get("/account/profile").text
    assert 'value="Ann Lind"' in page
    assert "\nTwo cats.</textarea>" in page
    assert '<option value="Europe/Oslo" selected>' in page
    assert re.search(r'name="hides_presence" value="on" checked', page)
    ann.post("/account/profile", data=FORM)
    assert not re.search(r'name="hides_presence" value="on" checked', ann.get("/account/profile").text)


def test_a_status_keeps_its_end_until_it_gets_another(ann: FlaskClient) -> None:
    def until() -> object:
        return ann.get("/api/people/Ann").get_json()["status_until"]

    ann.post("/account/profile", data={"status": "Out", "ending": "4h"})
    first = until()
    assert first is not None
    assert '<option value="keep" selected>' in ann.get("/account/profile").text
    ann.post("/account/profile", data={"status": "Still out", "ending": "keep"})
    assert until() == first
    ann.post("/account/profile", data={"status": "Out", "ending": "never"})
    assert until() is None


@pytest.mark.parametrize(
    ("field", "value", "words"),
    [
        ("display_name", "x" * 51, "too long"),
        ("bio", "x" * 501, "too long"),
        ("time_zone", "Mars/Olympus", "no such time zone"),
        ("ending", "tomorrow", "one of the times offered"),
        ("display_name", "Bob", "is taken"),
    ],
)
def test_what_cannot_be_taken_is_told_and_the_rest_stays_written(
    ann: FlaskClient, bob: FlaskClient, field: str, value: str, words: str
) -> None:
    assert bob.get("/").status_code == 303
    answer = ann.post("/account/profile", data={**FORM, field: value})
    assert answer.status_code == 422
    assert words in answer.text
    assert 'value="she/her"' in answer.text
    assert ann.get("/api/people/Ann").get_json()["pronouns"] == ""
