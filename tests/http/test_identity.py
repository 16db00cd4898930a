"""Who is asking: from a cookie that we signed, or a bearer token, and from nothing else."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient
from itsdangerous import URLSafeTimedSerializer

from flask_chat import create_app
from flask_chat.config import Config
from flask_chat.http import identity
from flask_chat.http.identity import CookieSessions
from flask_chat.http.services import Services


@pytest.fixture
def serializer(app: Flask) -> URLSafeTimedSerializer:
    made = CookieSessions().get_signing_serializer(app)
    assert made is not None
    return made


@pytest.fixture
def cookie(serializer: URLSafeTimedSerializer) -> str:
    signed = serializer.dumps({"token": "t1"})
    assert isinstance(signed, str)
    return signed


def token(chat: Services, **headers: str) -> str | None:
    return chat.identity.token({name.encode(): value.encode("latin-1") for name, value in headers.items()})


@pytest.mark.parametrize(
    "form",
    ["flask_chat={}", "a=b; flask_chat={}", "a=b;flask_chat={};c=d", 'flask_chat="{}"', " flask_chat = {} "],
)
def test_the_token_is_found_among_other_cookies(chat: Services, cookie: str, form: str) -> None:
    assert token(chat, cookie=form.format(cookie)) == "t1"
    assert token(chat, cookie=form.format(cookie)) == "t1", "remembered"


@pytest.mark.parametrize(
    "form", ["", "flask_chat", "flask_chat=", "flask_chats={}", "xflask_chat={}", "flask_chat={}x", "flask_chat=é{}"]
)
def test_other_cookies_are_nobodys(chat: Services, cookie: str, form: str) -> None:
    assert token(chat, cookie=form.format(cookie)) is None


def test_a_cookie_that_we_did_not_sign_is_nobodys(chat: Services, cookie: str) -> None:
    payload, _, signature = cookie.rpartition(".")
    forged = URLSafeTimedSerializer("another secret", salt="cookie-session").dumps({"token": "t1"})
    for value in (forged, payload, f"{payload}.{signature[::-1]}", f"x{cookie}", "..", "." * 10_000):
        assert token(chat, cookie=f"flask_chat={value}") is None


def test_a_cookie_without_a_token_is_nobodys(chat: Services, serializer: URLSafeTimedSerializer) -> None:
    nobodys: list[object] = [{}, {"kept": ["t1"]}, {"token": None}, [], "t1", 7]
    for contents in nobodys:
        assert token(chat, cookie=f"flask_chat={serializer.dumps(contents)}") is None


@pytest.mark.parametrize("written", ["Bearer t2", "bearer t2", "BEARER  t2 "])
def test_a_bearer_token_is_taken_before_a_cookie(chat: Services, cookie: str, written: str) -> None:
    assert token(chat, authorization=written, cookie=f"flask_chat={cookie}") == "t2"


@pytest.mark.parametrize("written", ["", "t2", "Token t2", "Bearert2"])
def test_another_scheme_is_no_bearer_token(chat: Services, written: str) -> None:
    assert token(chat, authorization=written) is None


def test_a_browser_behind_a_password_of_the_proxys_own_is_still_known(chat: Services, cookie: str) -> None:
    assert token(chat, authorization="Basic QW5uOng=", cookie=f"flask_chat={cookie}") == "t1"


def test_no_more_cookies_are_remembered_than_there_is_room_for(
    chat: Services, serializer: URLSafeTimedSerializer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "REMEMBERED", 5)
    cookies = [serializer.dumps({"token": str(number)}) for number in range(20)]
    for _ in range(2):
        for number, value in enumerate(cookies):
            assert token(chat, cookie=f"flask_chat={value!s}") == str(number)
    assert len(chat.identity._opened) <= 5


def test_many_threads_may_ask_at_once(
    chat: Services, serializer: URLSafeTimedSerializer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(identity, "REMEMBERED", 2)
    cookies = [f"flask_chat={serializer.dumps({'token': str(number)})!s}" for number in range(4)]
    wrong: list[object] = []

    def ask() -> None:
        try:
            wrong.extend(
                number
                for _ in range(150)
                for number, value in enumerate(cookies)
                if token(chat, cookie=value) != str(number)
            )
        except Exception as error:
            wrong.append(error)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


def test_the_cookie_is_for_this_site_and_no_script(app: Flask) -> None:
    client = app.test_client()
    plain = client.post("/", data={"username": "Ann"}).headers["Set-Cookie"]
    assert "HttpOnly" in plain
    assert "SameSite=Lax" in plain
    assert "Path=/" in plain
    assert "Expires=" in plain
    assert "Secure" not in plain
    secure = app.test_client().post("/", data={"username": "Bob"}, base_url="https://chat.test/")
    assert "Secure" in secure.headers["Set-Cookie"]


def test_looking_sets_no_cookie(ann: FlaskClient) -> None:
    assert "Set-Cookie" not in ann.get("/rooms/lobby").headers


@pytest.mark.parametrize("days", [-1, 300])
def test_a_clock_that_is_set_differently_signs_nobody_out(
    ann: FlaskClient, monkeypatch: pytest.MonkeyPatch, days: int
) -> None:
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + days * 86_400)
    assert ann.get("/rooms/lobby").status_code == 200


@pytest.fixture
def again(app: Flask, chat: Services, ann: FlaskClient) -> Iterator[Flask]:
    """The chat after a restart."""
    chat.db.close()
    made = create_app(Config(data=chat.config.data))
    yield made
    made.extensions["flask_chat"].db.close()


def test_a_restart_signs_nobody_out(ann: FlaskClient, again: Flask) -> None:
    cookie = ann.get_cookie("flask_chat")
    assert cookie is not None
    client = again.test_client()
    client.set_cookie("flask_chat", cookie.value)
    assert client.get("/").headers["Location"] == "/chat/Ann"
