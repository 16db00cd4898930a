"""Signing in as somebody who is here already: who they are is said, or nothing at all."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.http.services import Services

from ..chat.proving import GOOD, claimed, joined
from .test_account import claim, codes, error
from .test_account import sign_in as signed_in


def attempt(client: FlaskClient, name: str, secret: str, **more: str) -> int:
    return client.post("/sign-in", data={"username": name, "password": secret, **more}).status_code


def test_who_is_told_that_their_name_is_taken_is_led_to_sign_in(app: Flask, ann: FlaskClient) -> None:
    refused = app.test_client().post("/", data={"username": "Ann", "next": "/rooms/lobby"})
    link = re.search(r'href="(/sign-in\?[^"]*)"', refused.text)
    assert link is not None
    form = app.test_client().get(link[1].replace("&amp;", "&"))
    assert 'value="Ann"' in form.text
    assert 'name="next" value="/rooms/lobby"' in form.text


def test_a_password_signs_in_and_leads_on(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    client = app.test_client()
    answer = client.post("/sign-in", data={"username": "ann", "password": GOOD, "next": "/rooms/lobby?before=7"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rooms/lobby?before=7")
    assert "/chat/Ann" in client.get("/").headers["Location"]


@pytest.mark.parametrize("address", ["https://evil.test/", "//evil.test", "/Ann/I%20resign"])
def test_nobody_is_led_elsewhere(app: Flask, ann: FlaskClient, address: str) -> None:
    claim(ann)
    answer = app.test_client().post("/sign-in", data={"username": "Ann", "password": GOOD, "next": address})
    assert answer.headers["Location"] == "/"


def test_who_signs_out_leaves_a_claimed_name_to_nobody_who_sits_down_after_them(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    ann.post("/sign-out")
    refused = ann.post("/", data={"username": "Ann"})
    assert refused.status_code == 422
    assert 'href="/sign-in?username=Ann"' in refused.text
    assert attempt(ann, "Ann", GOOD) == 303


def test_a_wrong_password_and_an_unknown_name_look_the_same(app: Flask, chat: Services) -> None:
    claimed(chat, "Ann")
    joined(chat, "Bob")
    answers = [
        app.test_client().post("/sign-in", data={"username": name, "password": "wrong"})
        for name in ("Ann", "Bob", "Xyz")
    ]
    assert {answer.status_code for answer in answers} == {401}
    bodies = {re.sub(r'nonce="[^"]*"|value="(Ann|Bob|Xyz)"', "", answer.text) for answer in answers}
    assert len(bodies) == 1
    assert all("Set-Cookie" not in answer.headers for answer in answers)


def test_every_sign_in_has_a_token_of_its_own_whatever_the_browser_had_before(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    victim = app.test_client()
    cookies = []
    for _ in range(3):
        attempt(victim, "Ann", GOOD)
        cookie = victim.get_cookie("flask_chat")
        assert cookie is not None
        cookies.append(cookie.value)
    assert len(set(cookies)) == 3
    # Who planted or copied an earlier cookie has nothing of the present session.
    for cookie_before in cookies[:-1]:
        thief = app.test_client()
        thief.set_cookie("flask_chat", cookie_before)
        assert thief.get("/account").status_code == 303


def test_signing_in_as_another_ends_the_session_before(app: Flask, ann: FlaskClient, bob: FlaskClient) -> None:
    claim(ann)
    before = bob.get_cookie("flask_chat")
    assert before is not None
    assert attempt(bob, "Ann", GOOD) == 303
    thief = app.test_client()
    thief.set_cookie("flask_chat", before.value)
    assert thief.get("/account").status_code == 303


def test_a_browser_keeps_the_right_to_its_other_name(ann: FlaskClient, bob: FlaskClient) -> None:
    claim(ann)
    attempt(bob, "Ann", GOOD)
    assert bob.post("/", data={"username": "Bob"}).status_code == 303


def test_a_password_is_never_sent_back(app: Flask) -> None:
    secret = "something secret that is wrong"
    assert secret not in app.test_client().post("/sign-in", data={"username": "Ann", "password": secret}).text


def test_guessing_is_limited_for_a_name_and_leaves_its_owner_a_way_in(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    code = codes(ann)[0]
    ann.post("/sign-out")
    app.extensions["flask_chat"].limits.on = True
    guesses = [attempt(_from(app, number), "Ann", f"guess {number}") for number in range(12)]
    assert guesses == [401] * 10 + [429] * 2
    stranger = _from(app, 99).post("/sign-in", data={"username": "Ann", "password": GOOD})
    assert stranger.status_code == 429
    assert int(stranger.headers["Retry-After"]) <= 30, "nobody is locked out for good"
    assert "Too many attempts" in error(stranger.text)
    assert attempt(ann, "Ann", GOOD) == 303, "a browser that was hers is counted apart"
    assert attempt(_from(app, 98), "Ann", code) == 303, "and so is a recovery code"


def test_somebodys_former_names_leave_no_more_guesses(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    assert ann.post("/account/name", data={"username": "Annabel"}).status_code == 303
    app.extensions["flask_chat"].limits.on = True
    names = ["Ann", "Annabel"] * 6
    guesses = [attempt(_from(app, number), name, f"guess {number}") for number, name in enumerate(names)]
    assert guesses == [401] * 10 + [429] * 2


def test_guessing_is_limited_for_a_network(app: Flask) -> None:
    app.extensions["flask_chat"].limits.on = True
    client = _from(app, 7)
    guesses = [attempt(client, f"Ann {number}", "guess") for number in range(31)]
    assert guesses == [401] * 30 + [429]
    assert attempt(_from(app, 8), "Ann", "guess") == 401


def test_a_hostile_form_is_refused_and_not_an_error(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    for name, secret in (("\x00", "\x00"), ("Ann", "\x00"), ("x" * 9000, "y" * 9000), ("\u202e", "🐎" * 1025)):
        assert attempt(app.test_client(), name, secret) == 401
    assert app.test_client().post("/sign-in", data={"answer": "{"}).status_code == 422
    assert app.test_client().post("/sign-in").status_code == 401


def test_who_signs_in_with_a_code_may_go_straight_to_a_new_password(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    client = signed_in(app, "Ann", codes(ann)[0])
    assert client.get("/account/passkeys").status_code == 200


def _from(app: Flask, number: int) -> FlaskClient:
    """A browser in a network of its own."""
    client = app.test_client()
    client.environ_base["REMOTE_ADDR"] = f"198.51.100.{number}"
    return client


def test_where_no_provider_is_named_there_is_none(app: Flask) -> None:
    assert "Continue with" not in app.test_client().get("/sign-in").text
    for path in ("/sign-in/openid", "/sign-in/openid/answer", "/sign-in/openid/name"):
        assert app.test_client().get(path).status_code == 404
