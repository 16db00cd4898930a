"""Signing in by a provider of OpenID Connect: a real one, in a process of its own."""

from __future__ import annotations

import dataclasses
import html
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_chat.chat import people
from flask_chat.config import Config
from flask_chat.http.services import Services

from ..chat.proving import GOOD
from ..provider import PROGRAM, providing
from ..servers import free_port
from .test_account import claim, error, stale

pytestmark = pytest.mark.skipif(not PROGRAM.exists(), reason="the provider needs Python 3.12")


@pytest.fixture(scope="module")
def issuer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with providing(tmp_path_factory.mktemp("provider")) as address:
        yield address


@pytest.fixture
def config(sqlite_config: Config, issuer: str) -> Config:
    return dataclasses.replace(
        sqlite_config, oidc_issuer=issuer, oidc_client_id="chat", oidc_client_secret="secret", oidc_name="Garden"
    )


def leave(client: FlaskClient, **query: str) -> str:
    """Where the browser is sent."""
    answer = client.get("/sign-in/openid", query_string=query)
    assert answer.status_code == 303, answer.text
    return str(answer.headers["Location"])


def back(address: str, subject: str) -> str:
    """Where the provider sends somebody back to."""
    answer = httpx.post(address, data={"sub": subject})
    assert answer.status_code == 302, answer.text
    parts = urlsplit(answer.headers["location"])
    return f"{parts.path}?{parts.query}"


def travel(client: FlaskClient, subject: str, **query: str) -> TestResponse:
    return client.get(back(leave(client, **query), subject))


def join(client: FlaskClient, subject: str, name: str) -> None:
    assert travel(client, subject).headers["Location"] == "/sign-in/openid/name"
    assert client.post("/sign-in/openid/name", data={"username": name}).status_code == 303


def name_of(client: FlaskClient) -> str:
    found = re.search(r"You are <bdi>([^<]*)</bdi>", client.get("/account").text)
    return html.unescape(found[1]) if found else ""


def test_somebody_new_says_a_name_that_is_claimed_from_the_start(app: Flask, chat: Services) -> None:
    cleo = app.test_client()
    assert "Continue with Garden" in cleo.get("/sign-in").text
    assert travel(cleo, "cleo-7").headers["Location"] == "/sign-in/openid/name"
    assert 'value="Cleo"' in cleo.get("/sign-in/openid/name").text
    assert cleo.post("/sign-in/openid/name", data={"username": "Cleo"}).status_code == 303
    assert name_of(cleo) == "Cleo"
    with chat.db.read() as connection:
        assert people.find(connection, "Cleo").role == people.MEMBER


def test_a_chat_without_a_secret_is_known_by_its_name_alone(
    app: Flask, chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chat.openid, "_client_secret", "")
    assert travel(app.test_client(), "dora-1").headers["Location"] == "/sign-in/openid/name"


def test_who_comes_back_from_anywhere_is_the_same_person(app: Flask) -> None:
    join(app.test_client(), "bob-1", "Bob")
    elsewhere = app.test_client()
    assert travel(elsewhere, "bob-1", next="/rooms/lobby").headers["Location"] == "/rooms/lobby"
    assert name_of(elsewhere) == "Bob"
    other = app.test_client()
    assert travel(other, "bob-2").headers["Location"] == "/sign-in/openid/name"


def test_a_guest_links_their_name_and_is_a_member(app: Flask, ann: FlaskClient, chat: Services) -> None:
    assert travel(ann, "ann-1").headers["Location"] == "/account"
    assert "Linked" in ann.get("/account").text
    elsewhere = app.test_client()
    travel(elsewhere, "ann-1")
    assert name_of(elsewhere) == "Ann"
    with chat.db.read() as connection:
        assert people.find(connection, "Ann").role == people.MEMBER


def test_who_has_no_other_proof_shows_themselves_to_the_provider_again(app: Flask, chat: Services) -> None:
    bob = app.test_client()
    join(bob, "bob-3", "Bob")
    stale(chat)
    first = bob.get("/account/password")
    assert first.headers["Location"] == "/account/proof?next=/account/password"
    link = re.search(r'href="(/sign-in/openid[^"]*)"', bob.get(first.headers["Location"]).text)
    assert link is not None
    address = bob.get(html.unescape(link[1])).headers["Location"]
    asked = parse_qs(urlsplit(address).query)
    assert (asked["prompt"], asked["max_age"]) == (["login"], ["0"])
    assert bob.get(back(address, "bob-3")).headers["Location"] == "/account/password"
    assert bob.get("/account/password").status_code == 200


def test_a_proof_by_another_account_at_the_provider_is_none(app: Flask, chat: Services) -> None:
    bob = app.test_client()
    join(bob, "bob-4", "Bob")
    join(app.test_client(), "mallory-1", "Mallory")
    stale(chat)
    for subject in ("mallory-1", "nobody-here"):
        address = leave(bob, prove="yes", next="/account/password")
        assert bob.get(back(address, subject)).status_code == 401
        assert bob.get("/account/password").status_code == 303


def test_linking_to_a_claimed_name_takes_a_proof(ann: FlaskClient, chat: Services) -> None:
    claim(ann)
    stale(chat)
    assert leave(ann) == "/account/proof?next=/account"
    ann.post("/account/proof", data={"password": GOOD})
    assert travel(ann, "ann-1").headers["Location"] == "/account"


def test_a_browser_that_had_a_claimed_name_cannot_link_an_identity_to_it_without_a_proof(
    app: Flask, ann: FlaskClient, chat: Services
) -> None:
    claim(ann)
    ann.post("/sign-out")
    assert travel(ann, "mallory").headers["Location"] == "/sign-in/openid/name"
    refused = ann.post("/sign-in/openid/name", data={"username": "Ann"})
    assert (refused.status_code, "taken" in error(refused.text)) == (422, True)
    elsewhere = app.test_client()
    assert travel(elsewhere, "mallory").headers["Location"] == "/sign-in/openid/name", "nobody's yet"


def test_a_name_that_somebody_has_is_not_given_to_whom_the_provider_calls_so(app: Flask, ann: FlaskClient) -> None:
    client = app.test_client()
    travel(client, "mallory")
    refused = client.post("/sign-in/openid/name", data={"username": "Ann"})
    assert (refused.status_code, "taken" in error(refused.text)) == (422, True)
    assert client.post("/sign-in/openid/name", data={"username": "Mallory"}).status_code == 303, "and may choose again"


def test_an_identity_is_asked_for_with_pkce_a_state_and_a_nonce_that_are_new_each_time(app: Flask) -> None:
    asked = [parse_qs(urlsplit(leave(app.test_client())).query) for _ in range(2)]
    assert asked[0]["code_challenge_method"] == ["S256"]
    assert asked[0]["redirect_uri"] == ["http://localhost/sign-in/openid/answer"]
    for key in ("state", "nonce", "code_challenge"):
        assert asked[0][key] != asked[1][key]


def test_an_answer_to_another_browsers_journey_signs_nobody_in(app: Flask) -> None:
    attacker, victim = app.test_client(), app.test_client()
    answer = back(leave(attacker), "mallory")
    assert victim.get(answer).status_code == 401, "with no journey"
    leave(victim)
    assert victim.get(answer).status_code == 401, "on a journey of its own"
    assert victim.get("/account").status_code == 303


def test_an_answer_counts_once(app: Flask) -> None:
    client = app.test_client()
    answer = back(leave(client), "bob-1")
    cookie = client.get_cookie("flask_chat")
    assert cookie is not None
    assert client.get(answer).status_code == 303
    assert client.get(answer).status_code == 401
    thief = app.test_client()
    thief.set_cookie("flask_chat", cookie.value)
    assert thief.get(answer).status_code == 401, "the provider takes its code once"


@pytest.mark.parametrize(
    "change", ["state=x&", "iss=https%3A%2F%2Fevil.test&", "code=x&", "error=access_denied&code=&"]
)
def test_an_answer_that_was_changed_signs_nobody_in(app: Flask, change: str) -> None:
    client = app.test_client()
    path, _, query = back(leave(client), "bob-1").partition("?")
    refused = client.get(f"{path}?{change}{query}")
    assert refused.status_code == 401
    assert client.get("/account").status_code == 303


def test_a_token_for_another_nonce_is_refused(app: Flask) -> None:
    client = app.test_client()
    changed = re.sub("nonce=[^&]*", "nonce=another", leave(client))
    assert client.get(back(changed, "bob-1")).status_code == 401


def test_nobody_says_a_name_without_having_been_confirmed(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/sign-in/openid/name").status_code == 401
    assert client.post("/sign-in/openid/name", data={"username": "Ann"}).status_code == 401
    assert client.post("/", data={"username": "Ann"}).status_code == 303, "the name is free"


def test_another_site_sends_nobody_on_the_way(app: Flask, ann: FlaskClient) -> None:
    answer = ann.get("/sign-in/openid", headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.headers["Location"] == "/sign-in"


@pytest.mark.parametrize("address", ["https://evil.test/", "//evil.test", "/Ann/I%20resign"])
def test_nobody_is_led_elsewhere(app: Flask, address: str) -> None:
    join(app.test_client(), "bob-1", "Bob")
    assert travel(app.test_client(), "bob-1", next=address).headers["Location"] == "/"


def test_a_provider_that_does_not_answer_is_said_not_to(app: Flask, config: Config, tmp_path: Path) -> None:
    from flask_chat import create_app

    data = tmp_path / "other"
    shutil.copytree(config.data, data, ignore=shutil.ignore_patterns("chat.lock"))
    away = create_app(dataclasses.replace(config, data=data, oidc_issuer=f"http://localhost:{free_port()}"))
    try:
        refused = away.test_client().get("/sign-in/openid")
        assert refused.status_code == 503
        assert "Garden does not answer" in refused.text
    finally:
        away.extensions["flask_chat"].close()
