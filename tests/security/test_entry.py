"""The ways in: nobody is led elsewhere, given somebody else's session, or told who is here and who is not."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import quote, urlsplit

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from flask_chat.chat import credentials, invitations, passwords, people, recovery, rooms, sessions
from flask_chat.chat.people import Person
from flask_chat.db import Transaction
from flask_chat.http.services import Services

from ..conftest import SignIn
from ..faults.pages import assert_harmless

PASSWORD = "a long and winding road 42"

ELSEWHERE = (
    "https://evil.example/",
    "//evil.example/",
    "///evil.example/",
    "/\\evil.example/",
    "\\\\evil.example\\",
    "https:evil.example",
    "javascript:alert(1)",
    "data:text/html,<script>alert(1)</script>",
    "/rooms/../..//evil.example",
    "/rooms/%2e%2e/%2e%2e//evil.example",
    "/.//evil.example",
    "/\t/evil.example",
    "\n//evil.example",
    "\u2028//evil.example",
    "/Ann/I give it all to Mallory",
    "http://[",
    "x" * 5000,
    "\x00",
)
"""Where nobody is to be led."""

HERE = "/rooms/lobby"


def claim(chat: Services, person: Person) -> str:
    """Give somebody a password and a recovery code, which is returned."""
    hash = passwords.make(passwords.check(PASSWORD, person.username))

    def write(transaction: Transaction) -> str:
        passwords.put(transaction, person.id, hash)
        credentials.claim(transaction, person)
        return recovery.renew(transaction, person.id)[0]

    return chat.db.write(write)


def named(chat: Services, name: str) -> Person:
    with chat.db.read() as connection:
        return people.find(connection, name)


def token_of(client: FlaskClient) -> str:
    with client.session_transaction() as kept:
        return str(kept["token"])


# Open redirects: every parameter that names a destination.


def enter(client: FlaskClient, chat: Services, following: str) -> TestResponse:
    return client.post("/", data={"username": "Ann", "next": following})


def sign_in_again(client: FlaskClient, chat: Services, following: str) -> TestResponse:
    chat.db.write(lambda write: sessions.begin(write, "Ann"))
    claim(chat, named(chat, "Ann"))
    return client.post("/sign-in", data={"username": "Ann", "password": PASSWORD, "next": following})


def prove(client: FlaskClient, chat: Services, following: str) -> TestResponse:
    client.post("/", data={"username": "Ann"})
    claim(chat, named(chat, "Ann"))
    return client.post("/account/proof", data={"password": PASSWORD, "next": following})


WAYS: tuple[Callable[[FlaskClient, Services, str], TestResponse], ...] = (enter, sign_in_again, prove)


@pytest.mark.parametrize("way", WAYS)
def test_nobody_is_led_elsewhere_after_coming_in(app_client: FlaskClient, chat: Services, way: object) -> None:
    assert callable(way)
    first, *others = ELSEWHERE
    answer = way(app_client, chat, first)
    destinations = [answer.headers["location"]]
    path = answer.request.path
    for following in others:
        # Who is in already is led on as well.
        data = {"username": "Ann", "password": PASSWORD, "next": following}
        again = app_client.post(path, data=data)
        assert again.status_code in (303, 429), f"{following!r}: {again.status_code}"
        if again.status_code == 303:
            destinations.append(again.headers["location"])
    for destination in destinations:
        parts = urlsplit(destination)
        assert (parts.scheme, parts.netloc) == ("", "")
        assert re.match(r"/(?![/\\])", destination), destination
        assert "evil" not in destination
        assert "/Ann/" not in destination


@pytest.mark.parametrize("way", WAYS)
def test_everybody_is_led_to_where_they_were_going(app_client: FlaskClient, chat: Services, way: object) -> None:
    assert callable(way)
    assert way(app_client, chat, HERE).headers["location"] == HERE


@pytest.mark.parametrize("path", ["/", "/sign-in", "/account/proof", "/sign-in/openid", "/account/password"])
@pytest.mark.parametrize("following", ELSEWHERE)
def test_no_page_keeps_an_address_elsewhere_for_later(ann: FlaskClient, path: str, following: str) -> None:
    stranger = ann.application.test_client()
    for client in (ann, stranger):
        answer = client.get(f"{path}?next={quote(following)}")
        assert answer.status_code < 500
        location = answer.headers.get("location", "/")
        assert re.match(r"/(?![/\\])", location), location
        # An address of ours may carry it on, to where it is looked at again.
        assert "evil.example" not in location.partition("?next=")[0]
        assert answer.status_code != 200 or "evil.example" not in answer.text


# Session fixation


def test_who_comes_in_gets_a_session_that_nobody_knew_before(app_client: FlaskClient, chat: Services) -> None:
    assert app_client.post("/", data={"username": "Mallory"}).status_code == 303
    planted = token_of(app_client)
    assert app_client.post("/", data={"username": "Ann"}).status_code == 303
    assert token_of(app_client) != planted
    found = chat.sessions.find(planted)
    assert found is None, "the session that was planted is somebody's still"
    claim(chat, named(chat, "Ann"))
    before = token_of(app_client)
    assert app_client.post("/sign-in", data={"username": "Ann", "password": PASSWORD}).status_code == 303
    assert token_of(app_client) != before


@pytest.mark.parametrize("where", ["/?token=planted", "/rooms/lobby?flask_chat=planted", "/?session=planted"])
def test_no_session_comes_in_an_address(app_client: FlaskClient, chat: Services, where: str) -> None:
    _, token = chat.db.write(lambda write: sessions.begin(write, "Ann"))
    answer = app_client.get(where.replace("planted", token))
    assert answer.status_code in (200, 303)
    assert "Ann" not in answer.headers.get("location", "")
    assert app_client.get("/api/rooms").status_code == 401


# Who is here


def test_a_wrong_password_is_answered_alike_whoever_is_named(
    app_client: FlaskClient, chat: Services, sign_in: SignIn
) -> None:
    for name in ("Ann", "Bob"):
        sign_in(name)
    claim(chat, named(chat, "Ann"))
    said = set()
    for name in ("Ann", "Bob", "Mallory", "ann", "Аnn"):
        page = app_client.post("/sign-in", data={"username": name, "password": "guessed again 17"})
        assert_harmless(page)  # type: ignore[arg-type]
        program = app_client.post("/api/sessions", json={"username": name, "password": "guessed again 17"})
        alert = re.search(r'role="alert"[^>]*>([^<]*)<', page.text)
        assert alert
        said.add((page.status_code, alert[1], program.status_code, str(program.json["detail"] if program.json else "")))
    assert len(said) == 1, said


def test_a_code_that_is_none_is_answered_as_a_wrong_password_is(app_client: FlaskClient, chat: Services) -> None:
    chat.db.write(lambda write: sessions.begin(write, "Ann"))
    code = claim(chat, named(chat, "Ann"))
    # Codes are taken in either case.
    wrong = code[:-1] + ("a" if code[-1] not in "aA" else "b")
    answers = {
        (answer.status_code, re.sub(r"Ann|Mallory", "", answer.text.partition("<main")[2]))
        for answer in (
            app_client.post("/sign-in", data={"username": name, "password": secret})
            for name in ("Ann", "Mallory")
            for secret in (wrong, "guessed again 17")
        )
    }
    assert len(answers) == 1
    assert app_client.post("/sign-in", data={"username": "Ann", "password": code}).status_code == 303


def test_a_link_that_is_over_says_no_more_than_one_that_never_was(
    app_client: FlaskClient, chat: Services, sign_in: SignIn
) -> None:
    sign_in("Ann")
    ann = named(chat, "Ann")
    room = chat.db.write(lambda write: rooms.create(write, ann, "Treasure", rooms.PRIVATE))
    over, revoked = (chat.db.write(lambda write: invitations.invite(write, ann, room.slug, 1)) for _ in range(2))
    assert app_client.post(f"/join/{over.token}", data={"username": "Bob"}).status_code == 303
    chat.db.write(lambda write: invitations.revoke(write, ann, revoked.invitation.id))
    stranger = app_client.application.test_client()
    told = set()
    for token in (over.token, revoked.token, "x" * 43, "none"):
        for answer in (stranger.get(f"/join/{token}"), stranger.post(f"/join/{token}", data={"username": "Mallory"})):
            assert answer.status_code == 404
            told.add(re.sub(r"nonce-[\w-]+|nonce=\"[\w-]+\"", "", answer.text))
    assert len(told) == 1
    assert "Treasure" not in told.pop()
    with chat.db.read() as connection:
        assert people.named(connection, "Mallory") is None, "who was not let in has a name"


@pytest.fixture
def app_client(sign_in: SignIn, request: pytest.FixtureRequest) -> FlaskClient:
    """A browser that nobody has used yet."""
    client: FlaskClient = request.getfixturevalue("app").test_client()
    return client
