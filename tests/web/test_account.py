"""My account: claiming a name, changing what protects it, and proving again that it is me."""

from __future__ import annotations

import html
import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.chat import people
from flask_chat.http.services import Services

from ..chat.proving import GOOD
from ..conftest import SignIn

PAGES = ["", "/password", "/codes", "/sessions", "/passkeys", "/devices/new", "/proof"]
OTHER = "another few good words"


def error(text: str) -> str:
    """What the page says is wrong."""
    found = re.search(r'<p class="error"[^>]*>([^<]+)</p>', text)
    assert found is not None, "the page says nothing"
    return html.unescape(found[1])


def claim(client: FlaskClient, password: str = GOOD, **more: str) -> None:
    answer = client.post("/account/password", data={"password": password, **more})
    assert answer.status_code == 303, error(answer.text)


def sign_in(app: Flask, name: str, secret: str) -> FlaskClient:
    client = app.test_client()
    answer = client.post("/sign-in", data={"username": name, "password": secret})
    assert answer.status_code == 303, error(answer.text)
    return client


def stale(chat: Services) -> None:
    """Let every proof have been shown long ago."""
    chat.db.write(lambda transaction: transaction.connection.exec_driver_sql("UPDATE session SET proved_at = 1"))


def codes(client: FlaskClient) -> list[str]:
    answer = client.post("/account/codes")
    assert answer.status_code == 200
    return re.findall(r"<code>([^<]+)</code>", answer.text)


@pytest.mark.parametrize("page", PAGES)
def test_a_stranger_is_asked_for_a_name_first(app: Flask, page: str) -> None:
    for answer in (app.test_client().get(f"/account{page}"), app.test_client().post("/account/codes")):
        assert answer.status_code == 303
        assert answer.headers["Location"].startswith("/")
        assert not answer.headers["Location"].startswith("/account")


@pytest.mark.parametrize("page", PAGES)
def test_every_page_of_it_is_kept_by_nobody_and_looking_changes_nothing(
    ann: FlaskClient, chat: Services, page: str
) -> None:
    def rows() -> list[int]:
        tables = ("event", "session", "password", "recovery_code", "passkey", "device_link")
        with chat.db.read() as connection:
            return [connection.exec_driver_sql(f"SELECT count(*) FROM {table}").scalar_one() for table in tables]

    before = rows()
    answer = ann.get(f"/account{page}")
    assert answer.status_code == 200
    assert "no-store" in answer.headers["cache-control"]
    assert rows() == before


def test_a_guest_who_sets_a_password_is_a_member_and_signs_in_elsewhere(app: Flask, ann: FlaskClient) -> None:
    assert "belongs to this browser alone" in ann.get("/account").text
    claim(ann)
    assert "Your name is claimed" in ann.get("/account").text
    assert sign_in(app, "Ann", GOOD).get("/account").status_code == 200
    with app.extensions["flask_chat"].db.read() as connection:
        assert people.find(connection, "Ann").role == people.MEMBER


@pytest.mark.parametrize("password", ["", "passw0rd", "Ann Ann Ann", "x" * 2000])
def test_a_password_that_cannot_be_taken_is_refused_with_the_reason(ann: FlaskClient, password: str) -> None:
    answer = ann.post("/account/password", data={"password": password})
    assert answer.status_code == 422
    assert error(answer.text)
    assert password == "" or password not in answer.text, "a password is never sent back"


def test_changing_a_password_takes_the_old_one(app: Flask, ann: FlaskClient, chat: Services) -> None:
    claim(ann)
    stale(chat)
    for old in ("", "wrong"):
        answer = ann.post("/account/password", data={"password": OTHER, "old": old})
        assert answer.status_code == 401
        assert 'name="old"' in answer.text
    claim(ann, OTHER, old=GOOD)
    sign_in(app, "Ann", OTHER)
    refused = app.test_client().post("/sign-in", data={"username": "Ann", "password": GOOD})
    assert refused.status_code == 401


def test_who_forgot_the_old_password_changes_it_after_signing_in_with_a_code(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    code = codes(ann)[0]
    elsewhere = sign_in(app, "Ann", code)
    assert 'name="old"' not in elsewhere.get("/account/password").text
    claim(elsewhere, OTHER)
    sign_in(app, "Ann", OTHER)


def test_changing_a_password_ends_the_other_sessions_if_asked(app: Flask, ann: FlaskClient, chat: Services) -> None:
    claim(ann)
    first, second = sign_in(app, "Ann", GOOD), sign_in(app, "Ann", GOOD)
    claim(ann, OTHER, old=GOOD)
    assert first.get("/account").status_code == 200
    claim(second, GOOD, others="yes")
    assert second.get("/account").status_code == 200
    for ended in (ann, first):
        assert ended.get("/account").status_code == 303
        assert ended.post("/", data={"username": "Ann"}).status_code == 422, "the name is not theirs to take again"


def test_recovery_codes_are_shown_once_and_each_signs_in_once(app: Flask, ann: FlaskClient) -> None:
    claim(ann)
    made = codes(ann)
    assert len(made) == 10
    assert made[0] not in ann.get("/account/codes").text
    sign_in(app, "Ann", made[0])
    assert app.test_client().post("/sign-in", data={"username": "Ann", "password": made[0]}).status_code == 401
    assert "9 of your codes" in ann.get("/account/codes").text


def test_new_codes_take_a_fresh_proof(app: Flask, ann: FlaskClient, chat: Services) -> None:
    claim(ann)
    old = codes(sign_in(app, "Ann", GOOD))
    stale(chat)
    asked = ann.post("/account/codes")
    assert asked.headers["Location"] == "/account/proof?next=/account/codes"
    sign_in(app, "Ann", old[0])
    wrong = ann.post("/account/proof", data={"password": "wrong", "next": "/account/codes"})
    assert (wrong.status_code, error(wrong.text)) == (
        401,
        "That name and that password or code do not belong together.",
    )
    assert ann.post("/account/codes").status_code == 303
    proved = ann.post("/account/proof", data={"password": GOOD, "next": "/account/codes"})
    assert proved.headers["Location"] == "/account/codes"
    assert len(codes(ann)) == 10


def test_another_persons_password_proves_nothing_about_me(ann: FlaskClient, bob: FlaskClient, chat: Services) -> None:
    claim(ann)
    claim(bob, OTHER)
    stale(chat)
    assert bob.post("/account/proof", data={"username": "Ann", "password": GOOD}).status_code == 401


@pytest.mark.parametrize("address", ["https://evil.test/", "//evil.test", "/\\evil.test", "/Ann/I%20resign"])
def test_nobody_is_led_elsewhere_after_a_proof(ann: FlaskClient, address: str) -> None:
    claim(ann)
    assert address not in html.unescape(ann.get("/account/proof", query_string={"next": address}).text)
    answer = ann.post("/account/proof", data={"password": GOOD, "next": address})
    assert answer.headers["Location"] == "/account"


def test_another_site_changes_nothing(ann: FlaskClient) -> None:
    for path in ("/account/password", "/account/codes", "/account/proof", "/account/devices/new", "/sign-in"):
        for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Sec-Fetch-Site": "same-site"}, {"Origin": "null"}):
            assert ann.post(path, data={"password": GOOD, "username": "Ann"}, headers=headers).status_code == 403


def test_guessing_a_present_password_is_limited_as_signing_in_is(app: Flask, ann: FlaskClient, chat: Services) -> None:
    claim(ann)
    stale(chat)
    chat.limits.on = True
    answers = [ann.post("/account/proof", data={"password": f"guess {number}"}) for number in range(11)]
    assert [answer.status_code for answer in answers] == [401] * 10 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_passwords_are_not_judged_and_hashed_without_end(ann: FlaskClient, chat: Services) -> None:
    chat.limits.on = True
    answers = [ann.post("/account/password", data={"password": "easy"}) for _ in range(21)]
    assert [answer.status_code for answer in answers] == [422] * 20 + [429]
    assert int(answers[-1].headers["Retry-After"]) >= 1


def test_who_has_not_claimed_their_name_is_asked_for_no_proof(sign_in: SignIn) -> None:
    assert len(codes(sign_in("Cleo"))) == 10
