"""My data, as it comes through the front door."""

from __future__ import annotations

import io
import json
import zipfile
from typing import Any

import pytest
from flask.testing import FlaskClient

from flask_chat import config
from flask_chat.chat import takeout

from ..http.gateway import Gateway


def unpacked(body: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(body)) as archive:
        assert archive.testzip() is None
        return {name: json.loads(archive.read(name)) for name in archive.namelist()}


def test_i_get_all_that_is_mine_and_nothing_else(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(takeout, "PAGE", 2)
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    for number in range(5):
        gateway.say(f"mine {number} ü", ann)
        gateway.say(f"theirs {number}", bob)
    answer = gateway.request("POST", "/account/data", ann)
    assert (answer.status, answer.headers["content-type"]) == (200, "application/zip")
    assert answer.headers["content-disposition"].startswith('attachment; filename="flask-chat-')
    assert "no-store" in answer.headers["cache-control"]
    found = unpacked(answer.body)
    assert set(found) == {"profile.json", "rooms.json", "sessions.json", "blocked.json", "messages.json"}
    assert found["profile.json"]["username"] == "Ann"
    assert [room["slug"] for room in found["rooms.json"]] == ["lobby"]
    assert len(found["sessions.json"]) == 1
    assert [said["text"] for said in found["messages.json"]] == [f"mine {number} ü" for number in range(5)]
    token = ann["authorization"].removeprefix("Bearer ")
    assert token not in json.dumps(found)


def test_who_has_written_nothing_gets_an_archive_too(gateway: Gateway) -> None:
    found = unpacked(gateway.request("POST", "/account/data", gateway.bearer("Ann")).body)
    assert found["messages.json"] == []


def test_a_stranger_gets_nothing_and_another_site_neither(gateway: Gateway, ann: FlaskClient) -> None:
    assert gateway.request("POST", "/account/data").status == 303
    cookie = ann.get_cookie("flask_chat")
    assert cookie is not None
    headers = {"cookie": f"flask_chat={cookie.value}"}
    assert gateway.request("POST", "/account/data", headers).headers["content-type"] == "application/zip"
    assert gateway.request("POST", "/account/data", {**headers, "sec-fetch-site": "cross-site"}).status == 403


def test_the_page_says_what_is_in_it(ann: FlaskClient) -> None:
    assert "every message that you have written" in ann.get("/account/data").text


def test_what_is_sent_with_the_question_is_bounded_and_refused_on_a_page(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    answer = gateway.request("POST", "/account/data", ann, "x" * (config.MAX_BODY + 1))
    assert (answer.status, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert gateway.request("POST", "/account/data", ann).status == 200
