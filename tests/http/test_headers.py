"""Security headers: on every answer of every route, and a policy under which only our own scripts run."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_chat.http import headers

from .gateway import Gateway


def every_answer(app: Flask, client: FlaskClient) -> list[tuple[str, TestResponse]]:
    """An answer of each route by each of its methods."""
    values = {"slug": "lobby", "username": "Ann", "message": "hello", "token": "x", "act": "x"}
    answers = []
    for rule in app.url_map.iter_rules():
        with app.test_request_context():
            address = app.url_map.bind("localhost").build(
                rule.endpoint,
                {name: values.get(name, 1) for name in rule.arguments},
                next(iter(sorted(rule.methods or ()))),
            )
        answers += [
            (f"{method} {address}", client.open(address, method=method)) for method in sorted(rule.methods or ())
        ]
    answers += [(f"GET {path}", client.get(path)) for path in ("/no/such/page", "/api/none", "/rooms/none", "/x")]
    answers += [(f"PUT {path}", client.put(path)) for path in ("/", "/api/sessions")]
    return answers


@pytest.fixture(params=["Ann", ""])
def client(request: pytest.FixtureRequest, app: Flask) -> FlaskClient:
    """Somebody who is signed in, and a stranger."""
    client = app.test_client()
    if request.param:
        client.post("/", data={"username": request.param})
    return client


def test_every_answer_carries_them_once(app: Flask, client: FlaskClient) -> None:
    answers = every_answer(app, client)
    assert len(answers) > 25
    for what, answer in answers:
        for name, value in headers.EVERYWHERE.items():
            assert answer.headers.getlist(name) == [value], f"{what}: {name}"
        assert "no-store" in answer.headers["cache-control"], what
        assert answer.status_code < 500, what


def test_every_page_has_a_strict_policy_with_a_nonce_of_its_own(app: Flask, client: FlaskClient) -> None:
    nonces: list[str] = []
    pages = 0
    for what, answer in every_answer(app, client):
        if answer.mimetype != "text/html" or not answer.data or answer.status_code == 303:
            continue
        pages += 1
        policy = answer.headers["content-security-policy"]
        directives = dict(part.partition(" ")[::2] for part in policy.split("; "))
        assert directives["default-src"] == "'none'", what
        assert directives["style-src"] == "'self'", what
        assert directives["frame-ancestors"] == directives["base-uri"] == "'none'", what
        assert directives["form-action"] == "'self'", what
        assert "unsafe" not in policy, what
        nonces += re.findall("'nonce-([^']+)'", directives["script-src"])
        html = answer.text
        for script in re.findall("<script[^>]*>", html):
            assert f'nonce="{nonces[-1]}"' in script, what
            assert "src=" in script, what
        assert not re.search(r"<style|\sstyle=|<[^>]*\son[a-z]+=|javascript:", html), what
    assert pages > 3
    assert len(set(nonces)) == len(nonces)
    assert all(len(nonce) >= 22 for nonce in nonces)


def test_a_redirect_says_no_more_than_where_to_go(app: Flask, client: FlaskClient) -> None:
    for what, answer in every_answer(app, client):
        if answer.status_code == 303:
            assert "<script" not in answer.text, what
            assert answer.headers["location"].startswith("/"), what


def test_pages_are_packed_for_who_can_unpack_them(ann: FlaskClient) -> None:
    packed = ann.get("/rooms/lobby", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["content-encoding"] == "gzip"
    assert "Accept-Encoding" in packed.headers["vary"]
    assert packed.headers["content-length"] == str(len(packed.data))
    assert "content-encoding" not in ann.get("/rooms/lobby").headers


def test_the_policy_of_a_frame_lets_our_own_page_show_it_and_no_script_run() -> None:
    policy = headers.policy(None, framed=True)
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy


def test_the_gateways_own_answers_carry_them_too(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    posted = gateway.post("/api/rooms/lobby/messages", {"text": "hello"}, ann)
    assert posted.headers["x-content-type-options"] == "nosniff"
    assert "no-store" in posted.headers["cache-control"]
    refused = gateway.post("/api/rooms/lobby/messages", {"text": ""}, ann)
    for answer in (refused, gateway.get("/up"), gateway.get("/rooms/none/timeline", ann), gateway.get("/api/events")):
        for name, value in headers.EVERYWHERE.items():
            assert answer.headers[name] == value
