"""Error pages: in plain words, and there even while the database is not."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator

import pytest
from flask.testing import FlaskClient

from flask_chat.db import Database, StorageUnavailable
from flask_chat.http.services import Services

from ..conftest import SignIn
from ..http.gateway import Gateway
from .test_messages import draft, enter, post, said

AWAY = "The chat's database does not answer just now."


class Cable:
    """Between the chat and its database."""

    def __init__(self, chat: Services, monkeypatch: pytest.MonkeyPatch) -> None:
        self._chat, self._patch = chat, monkeypatch

    def pull(self) -> None:
        """Nothing can be read, and nothing is remembered."""

        def refuse(_: Database) -> None:
            raise StorageUnavailable(AWAY)

        self._patch.setattr(Database, "read", refuse)
        self._chat.sessions._known.clear()
        self._chat.settings.clear()

    def put_back(self) -> None:
        self._patch.undo()


@pytest.fixture
def cable(chat: Services) -> Iterator[Cable]:
    with pytest.MonkeyPatch.context() as patch:
        yield Cable(chat, patch)


@pytest.mark.parametrize("path", ["/", "/rooms/lobby", "/rooms/a%20b%25?q=a%26b", "/people/Zo%C3%AB"])
def test_without_its_database_a_page_says_so_and_offers_to_try_again(ann: FlaskClient, cable: Cable, path: str) -> None:
    cable.pull()
    answer = ann.get(path)
    assert answer.status_code == 503
    assert AWAY in html.unescape(answer.text)
    assert int(answer.headers["Retry-After"]) >= 1
    assert f'href="{html.escape(path)}">Try again</a>' in answer.text


def test_to_try_again_leads_to_no_other_host(gateway: Gateway, cable: Cable) -> None:
    headers = enter(gateway, "Ann")
    cable.pull()
    answer = gateway.get("//evil.test/hello", headers)
    assert answer.status == 503
    assert 'href="/evil.test/hello">Try again</a>' in answer.text


def test_what_somebody_wrote_is_on_the_page_that_says_it_was_not_sent(
    gateway: Gateway, chat: Services, cable: Cable
) -> None:
    headers = enter(gateway, "Ann")
    cable.pull()
    refused = post(gateway, headers, "<b>hello</b> & goodbye\n")
    assert (refused.status, draft(refused)) == (503, "<b>hello</b> & goodbye\n")
    assert 'action="/rooms/lobby/messages"' in refused.text
    client_id = re.search(r'name="client_id" value="([^"]+)"', refused.text)
    assert client_id is not None
    cable.put_back()
    for _ in range(2):
        assert post(gateway, headers, draft(refused), f"&client_id={client_id[1]}").status == 303
    assert said(chat) == ["<b>hello</b> & goodbye"]


def test_other_words_for_a_message_are_on_it_too(ann: FlaskClient, cable: Cable) -> None:
    ann.post("/rooms/lobby/messages", data={"message": "hello"})
    address = "/rooms/lobby/messages/2/edit"
    assert draft(ann.get(address)) == "hello"
    cable.pull()
    refused = ann.post(address, data={"message": "hello, Bob"})
    assert (refused.status_code, draft(refused)) == (503, "hello, Bob")
    assert f'action="{address}"' in refused.text


def test_to_try_again_an_address_that_sends_sends_nothing_by_itself(
    gateway: Gateway, chat: Services, cable: Cable
) -> None:
    headers = enter(gateway, "Ann")
    elsewhere = {"sec-fetch-site": "cross-site", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}
    cable.pull()
    refused = gateway.get("/Ann/a%20lie", {**headers, **elsewhere})
    assert refused.status == 503
    assert re.search(r'<a[^>]* rel="noreferrer"[^>]*>Try again', refused.text)
    cable.put_back()
    again = {**elsewhere, "sec-fetch-site": "same-origin", "sec-fetch-user": "?1"}
    answer = gateway.get("/Ann/a%20lie", {**headers, **again})
    assert (answer.status, draft(answer), said(chat)) == (200, "a lie", [])


def test_to_whom_it_was_said_is_on_it_too(sign_in: SignIn, chat: Services, cable: Cable) -> None:
    ann, _ = sign_in("Ann"), sign_in("Bob")
    cable.pull()
    refused = ann.post("/conversations", data={"with": "Bob", "message": "psst", "client_id": ""})
    assert (refused.status_code, draft(refused)) == (503, "psst")
    form = dict(re.findall(r'name="([a-z_]+)" value="([^"]+)"', refused.text))
    assert form["with"] == "Bob"
    cable.put_back()
    for _ in range(2):
        assert ann.post("/conversations", data={**form, "message": draft(refused)}).status_code == 303
    assert said(chat) == ["psst"]


def test_a_form_that_cannot_be_read_is_no_error_of_ours(ann: FlaskClient, cable: Cable) -> None:
    cable.pull()
    parts = "".join(f'--x\r\ncontent-disposition: form-data; name="{at}"\r\n\r\n\r\n' for at in range(1500))
    answer = ann.post("/rooms/lobby/messages", data=f"{parts}--x--", content_type="multipart/form-data; boundary=x")
    assert answer.status_code == 503


def test_the_page_does_not_ask_the_database_again(
    ann: FlaskClient, chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[Database] = []

    def refuse(database: Database) -> None:
        asked.append(database)
        raise StorageUnavailable(AWAY)

    monkeypatch.setattr(Database, "read", refuse)
    chat.sessions._known.clear()
    assert ann.get("/rooms/lobby").status_code == 503
    assert len(asked) == 1


def test_no_other_form_is_repeated(ann: FlaskClient, cable: Cable) -> None:
    cable.pull()
    answer = ann.post("/sign-in", data={"username": "Ann", "password": "correct horse"})
    assert answer.status_code == 503
    assert "correct horse" not in answer.text
    assert "<form" not in answer.text
