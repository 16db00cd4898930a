"""Taking charge: by the private link, once."""

from __future__ import annotations

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat.chat import people
from flask_chat.chat.people import Person
from flask_chat.http.services import Services


@pytest.fixture
def link(chat: Services) -> str:
    return f"/owner/{chat.owner_link.token()}"


def owner(chat: Services) -> Person | None:
    with chat.db.read() as connection:
        for name in ("Ann", "Bob", "Cleo"):
            person = people.named(connection, name)
            if person is not None and person.owner:
                return person
    return None


def test_looking_at_the_link_changes_nothing(app: Flask, chat: Services, ann: FlaskClient, link: str) -> None:
    for client in (ann, app.test_client()):
        for _ in range(2):
            assert client.get(link).status_code == client.head(link).status_code == 200
    assert owner(chat) is None
    assert "as <bdi>Ann</bdi>" in ann.get(link).text


def test_who_uses_the_link_is_the_owner_and_it_is_used_up(
    chat: Services, ann: FlaskClient, bob: FlaskClient, link: str
) -> None:
    answer = ann.post(link)
    assert (answer.status_code, answer.headers["Location"]) == (303, "/chat/Ann")
    found = owner(chat)
    assert found is not None
    assert found.username == "Ann"
    for client in (ann, bob):
        assert client.get(link).status_code == client.post(link).status_code == 404
    assert "Owner of this chat" in bob.get("/people/Ann").text


def test_who_has_no_name_yet_says_it_with_the_link(app: Flask, chat: Services, link: str) -> None:
    client = app.test_client()
    assert client.post(link, data={"username": "Cleo"}).headers["Location"] == "/chat/Cleo"
    found = owner(chat)
    assert found is not None
    assert found.username == "Cleo"
    assert client.get("/").headers["Location"] == "/chat/Cleo"


@pytest.mark.parametrize("name", ["", "lobby", "Ann", "x" * 40])
def test_a_name_that_is_refused_leaves_the_link_good(
    app: Flask, chat: Services, ann: FlaskClient, link: str, name: str
) -> None:
    answer = app.test_client().post(link, data={"username": name})
    assert answer.status_code in (413, 422)
    assert 'class="error"' in answer.text
    assert owner(chat) is None
    assert ann.post(link).status_code == 303


@pytest.mark.parametrize("token", ["x", "%00", "%FF", "é"])
def test_another_link_leads_nowhere(chat: Services, ann: FlaskClient, token: str) -> None:
    chat.owner_link.token()
    assert ann.get(f"/owner/{token}").status_code == ann.post(f"/owner/{token}").status_code == 404
    assert owner(chat) is None


def test_two_who_use_it_at_once_are_one_owner(chat: Services, bob: FlaskClient, link: str) -> None:
    cleo = chat.db.write(lambda transaction: people.add(transaction, "Cleo"))
    # Another request is past its look at the link, and quicker.
    chat.db.write(lambda transaction: people.appoint_owner(transaction, cleo))
    answer = bob.post(link)
    assert answer.status_code == 403
    assert "has an owner already" in answer.text
    assert owner(chat) is not None


def test_another_site_appoints_nobody(chat: Services, ann: FlaskClient, link: str) -> None:
    assert ann.post(link, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403
    assert owner(chat) is None
