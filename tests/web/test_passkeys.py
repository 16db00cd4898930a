"""Passkeys: only an answer to this browser's challenge, at this address, by a key that is known, proves anything."""

from __future__ import annotations

from typing import Any

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.chat import passkeys
from flask_chat.http.services import Services

from ..authenticator import PRESENT, Authenticator
from ..chat.proving import GOOD
from .test_account import claim, error, stale


def options(client: FlaskClient, path: str = "/sign-in/challenge") -> dict[str, Any]:
    answer = client.post(path)
    assert answer.status_code == 200
    found: dict[str, Any] = answer.get_json()
    return found


def add(client: FlaskClient, device: Authenticator, **how: str) -> int:
    answer = device.create(options(client, "/account/passkeys/challenge"), **how)
    return client.post("/account/passkeys", data={"answer": answer}).status_code


def sign_in(client: FlaskClient, device: Authenticator, **how: str) -> int:
    return client.post("/sign-in", data={"answer": device.get(options(client), **how)}).status_code


@pytest.fixture
def phone(ann: FlaskClient) -> Authenticator:
    """Ann's phone, with a passkey of hers."""
    phone = Authenticator()
    assert add(ann, phone) == 303
    return phone


def test_a_passkey_claims_the_name_and_signs_in_without_a_name_being_typed(
    app: Flask, ann: FlaskClient, phone: Authenticator
) -> None:
    assert "Your name is claimed" in ann.get("/account").text
    elsewhere = app.test_client()
    assert sign_in(elsewhere, phone) == 303
    assert "/chat/Ann" in elsewhere.get("/").headers["Location"]
    assert sign_in(elsewhere, phone) == 303, "and again, with another challenge"


def test_what_a_device_is_asked_for(ann: FlaskClient) -> None:
    asked = options(ann, "/account/passkeys/challenge")
    assert asked["rp"]["id"] == "localhost"
    assert asked["user"]["name"] == "Ann"
    assert asked["authenticatorSelection"]["residentKey"] == "required"
    assert asked["authenticatorSelection"]["userVerification"] == "required"
    assert asked["attestation"] == "none"
    assert options(ann)["userVerification"] == "required"
    assert options(ann)["challenge"] != options(ann)["challenge"]


def test_the_host_is_named_without_its_port_and_the_origin_with_it(app: Flask) -> None:
    ann = app.test_client()
    ann.post("/", base_url="http://chat.test:8080", data={"username": "Ann"})
    asked = ann.post("/account/passkeys/challenge", base_url="http://chat.test:8080").get_json()
    assert asked["rp"]["id"] == "chat.test"
    answer = Authenticator("chat.test").create(asked, "http://chat.test:8080")
    kept = ann.post("/account/passkeys", base_url="http://chat.test:8080", data={"answer": answer})
    assert kept.status_code == 303


def test_an_answer_counts_once_even_with_the_cookie_from_before(app: Flask, phone: Authenticator) -> None:
    victim = app.test_client()
    asked = options(victim)
    cookie = victim.get_cookie("flask_chat")
    assert cookie is not None
    answer = phone.get(asked)
    assert victim.post("/sign-in", data={"answer": answer}).status_code == 303
    thief = app.test_client()
    thief.set_cookie("flask_chat", cookie.value)
    assert thief.post("/sign-in", data={"answer": answer}).status_code == 401


def test_a_challenge_is_gone_after_one_attempt(app: Flask, phone: Authenticator) -> None:
    client = app.test_client()
    answer = phone.get(options(client))
    assert client.post("/sign-in", data={"answer": answer.replace('"id"', '"ID"')}).status_code == 401
    assert client.post("/sign-in", data={"answer": answer}).status_code == 422


def test_an_answer_to_another_browsers_challenge_proves_nothing(app: Flask, phone: Authenticator) -> None:
    answer = phone.get(options(app.test_client()))
    thief = app.test_client()
    assert thief.post("/sign-in", data={"answer": answer}).status_code == 422
    options(thief)
    assert thief.post("/sign-in", data={"answer": answer}).status_code == 401


def test_a_challenge_for_making_a_passkey_is_none_for_signing_in(ann: FlaskClient, phone: Authenticator) -> None:
    answer = phone.get(options(ann, "/account/passkeys/challenge"))
    assert ann.post("/sign-in", data={"answer": answer}).status_code == 422


def test_a_challenge_ends_after_some_minutes(app: Flask, phone: Authenticator, monkeypatch: pytest.MonkeyPatch) -> None:
    client = app.test_client()
    answer = phone.get(options(client))
    monkeypatch.setattr(passkeys, "LIFETIME", -1)
    refused = client.post("/sign-in", data={"answer": answer})
    assert (refused.status_code, error(refused.text)) == (401, "That took too long. Try again.")


def test_an_answer_that_another_site_has_got_proves_nothing_here(
    app: Flask, ann: FlaskClient, phone: Authenticator
) -> None:
    assert sign_in(app.test_client(), phone, origin="https://evil.test") == 401
    assert sign_in(app.test_client(), phone, origin="http://localhost:8080") == 401
    assert add(ann, Authenticator(), origin="https://evil.test") == 422
    other = Authenticator("evil.test")
    assert add(ann, other) == 422


def test_a_passkey_that_nobody_knows_or_that_was_not_unlocked_proves_nothing(
    app: Flask, ann: FlaskClient, phone: Authenticator
) -> None:
    assert sign_in(app.test_client(), Authenticator()) == 401
    other = Authenticator()
    other.id = phone.id
    assert sign_in(app.test_client(), other) == 401, "the id of one, the key of another"
    phone.flags = PRESENT
    assert sign_in(app.test_client(), phone) == 401
    locked = Authenticator()
    locked.flags = PRESENT
    assert add(ann, locked) == 422


def test_a_copy_of_a_security_key_is_found_out_by_its_count(app: Flask, ann: FlaskClient) -> None:
    key = Authenticator(counts=True)
    assert add(ann, key) == 303
    assert sign_in(app.test_client(), key) == 303
    key.uses -= 1
    assert sign_in(app.test_client(), key) == 401


def test_a_passkey_is_one_persons(bob: FlaskClient, phone: Authenticator) -> None:
    assert add(bob, phone) == 409


@pytest.mark.parametrize(
    "answer", ["{", "[]", "null", "{}", '{"id": 7}', '{"id": "é"}', '{"id": "AAAA"}', "[" * 50_000]
)
def test_a_hostile_answer_is_refused_and_not_an_error(app: Flask, ann: FlaskClient, answer: str) -> None:
    options(ann, "/account/passkeys/challenge")
    assert ann.post("/account/passkeys", data={"answer": answer}).status_code == 422
    client = app.test_client()
    options(client)
    assert client.post("/sign-in", data={"answer": answer}).status_code in (401, 422)


def test_another_passkey_takes_a_proof_and_a_passkey_is_one(
    ann: FlaskClient, phone: Authenticator, chat: Services
) -> None:
    stale(chat)
    assert ann.get("/account/passkeys").headers["Location"] == "/account/proof?next=/account/passkeys"
    assert ann.post("/account/passkeys/challenge").status_code == 403
    assert ann.post("/account/passkeys/1/removal").headers["Location"].startswith("/account/proof")
    proved = ann.post("/account/proof", data={"answer": phone.get(options(ann)), "next": "/account/passkeys"})
    assert proved.headers["Location"] == "/account/passkeys"
    assert add(ann, Authenticator()) == 303


def test_another_persons_passkey_proves_nothing_about_me(
    bob: FlaskClient, phone: Authenticator, chat: Services
) -> None:
    claim(bob)
    stale(chat)
    answer = bob.post("/account/proof", data={"answer": phone.get(options(bob))})
    assert answer.status_code == 401
    assert bob.get("/account/passkeys").status_code == 303


def test_a_passkey_that_is_removed_signs_nobody_in(app: Flask, ann: FlaskClient, phone: Authenticator) -> None:
    refused = ann.post("/account/passkeys/1/removal")
    assert (refused.status_code, "only way" in error(refused.text)) == (409, True)
    assert sign_in(app.test_client(), phone) == 303
    claim(ann, GOOD)
    assert ann.post("/account/passkeys/1/removal").status_code == 303
    assert sign_in(app.test_client(), phone) == 401


def test_nobody_removes_anothers_passkey(bob: FlaskClient, app: Flask, phone: Authenticator) -> None:
    assert bob.post("/account/passkeys/1/removal").status_code == 404
    assert sign_in(app.test_client(), phone) == 303


def test_who_is_not_signed_in_is_given_no_challenge_for_a_passkey(app: Flask) -> None:
    assert app.test_client().post("/account/passkeys/challenge").status_code == 401
