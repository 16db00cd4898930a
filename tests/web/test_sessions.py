"""My sessions: I see where I am signed in, and end what I will."""

from __future__ import annotations

import re

from flask import Flask
from flask.testing import FlaskClient

from ..chat.proving import GOOD
from .test_account import claim, sign_in


def ids(client: FlaskClient) -> list[int]:
    return [int(id) for id in re.findall(r"/account/sessions/(\d+)/end", client.get("/account/sessions").text)]


def test_the_list_says_device_network_and_which_one_this_is(app: Flask) -> None:
    ann = app.test_client()
    agent = "Mozilla/5.0 (X11; Linux x86_64; rv:149.0) Gecko/20100101 Firefox/149.0"
    ann.post("/", data={"username": "Ann"}, headers={"User-Agent": agent})
    page = ann.get("/account/sessions").text
    assert "Firefox on Linux" in page
    assert "127.0.0.0/24" in page
    assert page.count('aria-current="true"') == 1


def test_a_hostile_device_is_shown_as_text(app: Flask) -> None:
    ann = app.test_client()
    ann.post("/", data={"username": "Ann"}, headers={"User-Agent": "x<script>alert(1)</script>"})
    assert "<script>alert" not in ann.get("/account/sessions").text


def test_ending_a_session_signs_that_browser_out_for_good(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    phone = sign_in(app, "Ann", GOOD)
    this, other = ids(ann)
    assert ann.post(f"/account/sessions/{other}/end").status_code == 303
    assert ids(ann) == [this]
    assert phone.get("/account").status_code == 303
    assert phone.post("/", data={"username": "Ann"}).status_code == 422


def test_ending_this_session_gives_up_the_name_here(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    (this,) = ids(ann)
    ann.post(f"/account/sessions/{this}/end")
    assert ann.get("/account").status_code == 303
    assert ann.post("/", data={"username": "Ann"}).status_code == 422
    sign_in(app, "Ann", GOOD)


def test_ending_all_others_leaves_this_one(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    others = [sign_in(app, "Ann", GOOD) for _ in range(3)]
    others[0].post("/sign-out")
    assert "in which you signed out" not in ann.get("/account/sessions").text, "it cannot take the name again"
    assert ann.post("/account/sessions/others/end").status_code == 303
    assert len(ids(ann)) == 1
    for other in others:
        assert other.get("/account").status_code == 303
        assert other.post("/", data={"username": "Ann"}).status_code == 422


def test_nobody_ends_anothers_session_or_learns_of_it(ann: FlaskClient, bob: FlaskClient) -> None:
    (anns,) = ids(ann)
    refused, absent = bob.post(f"/account/sessions/{anns}/end"), bob.post("/account/sessions/999/end")
    assert refused.status_code == absent.status_code == 404
    assert re.sub("nonce.*", "", refused.text) == re.sub("nonce.*", "", absent.text)
    assert ids(ann) == [anns]
    assert ids(bob) != [anns]
