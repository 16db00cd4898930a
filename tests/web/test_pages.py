"""Rooms, people and errors as pages."""

from __future__ import annotations

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from flask_chat import config
from flask_chat.http.services import Services

from ..http.gateway import Gateway


def say(client: FlaskClient, text: str) -> None:
    assert client.post("/rooms/lobby/messages", data={"message": text}).status_code == 303


def articles(text: str) -> list[str]:
    return re.findall(r'<div class="body" dir="auto">(.*?)</div>', text, re.DOTALL)


def test_a_room_shows_its_latest_messages_and_where_it_stands(
    ann: FlaskClient, bob: FlaskClient, chat: Services
) -> None:
    say(ann, "hello")
    say(bob, "<b>hi</b>")
    page = bob.get("/rooms/lobby").text
    assert articles(page) == ["hello", "&lt;b&gt;hi&lt;/b&gt;"]
    assert f'data-cursor="{chat.epochs.cursor(4)}"' in page
    assert 'data-latest="true"' in page
    assert 'role="log"' in page


def test_everybody_gets_the_same_html(ann: FlaskClient, bob: FlaskClient) -> None:
    say(ann, "hello")
    shown = [re.findall("<article.*?</article>", each.get("/rooms/lobby").text, re.DOTALL) for each in (ann, bob)]
    assert shown[0] == shown[1] != []


def test_older_messages_are_pages_of_their_own(ann: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(config, "PAGE", 3)
    for number in range(8):
        say(ann, str(number))
    seen: list[str] = []
    address: str | None = "/rooms/lobby"
    while address:
        page = ann.get(address).text
        seen = articles(page) + seen
        found = re.search(r'href="(/rooms/lobby\?before=\d+)"', page)
        address = found[1] if found else None
        if address:
            assert 'data-latest="false"' in ann.get(address).text
    assert seen == [str(number) for number in range(8)]


@pytest.mark.parametrize("before", ["", "x", "-1", "1.5", "١", "9" * 19, "0x1"])
def test_a_page_before_what_is_no_number_is_not_found(ann: FlaskClient, before: str) -> None:
    assert ann.get("/rooms/lobby", query_string={"before": before}).status_code == 404


def test_a_page_before_any_number_is_a_page(ann: FlaskClient) -> None:
    say(ann, "hello")
    for before in ("0", "1", "9" * 18):
        assert ann.get(f"/rooms/lobby?before={before}").status_code == 200


def test_words_that_wait_in_the_box_are_words_and_whole(ann: FlaskClient) -> None:
    page = ann.get("/Ann/%3C%2Ftextarea%3E%3Cscript%3E").text
    assert "&lt;/textarea&gt;&lt;script&gt;</textarea>" in page
    page = ann.get("/Ann/%0Ahello").text
    assert re.search(r"<textarea[^>]*>\n\nhello</textarea>", page), "HTML drops the first line break of a textarea"


def test_my_own_page_welcomes_me_and_anothers_is_for_the_two_of_us(ann: FlaskClient, bob: FlaskClient) -> None:
    say(bob, "hello")
    mine, theirs = ann.get("/chat/Ann"), ann.get("/chat/Bob")
    assert "Welcome, " in mine.text
    assert 'id="composer"' in mine.text
    assert "Welcome, " not in ann.get("/rooms/lobby").text
    assert "You have not talked yet." in theirs.text
    assert 'action="/conversations"' in theirs.text
    assert "hello" not in theirs.text


def test_my_name_in_another_case_leads_to_my_page(ann: FlaskClient) -> None:
    assert ann.get("/chat/ann").headers["Location"] == "/chat/Ann"


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/chat/Nobody", 404),
        ("GET", "/rooms/kitchen", 404),
        ("GET", "/none", 404),
        ("GET", "/owner/x", 404),
        ("GET", "/static/x/none.js", 404),
        ("POST", "/chat/Ann", 405),
        ("PUT", "/", 405),
        ("DELETE", "/rooms/lobby", 405),
        ("POST", "/Ann/hello", 405),
    ],
)
def test_what_is_not_there_is_a_page_in_plain_words(ann: FlaskClient, method: str, path: str, status: int) -> None:
    answer = ann.open(path, method=method)
    assert answer.status_code == status
    assert answer.mimetype == "text/html"
    assert f'<p class="code">{status}</p>' in answer.text
    assert "Back to the chat" in answer.text
    if status == 405:
        assert "Allow" in answer.headers, "RFC 9110, 15.5.6: it must say which are"


def test_a_stranger_is_asked_first_and_told_of_errors_too(app: Flask) -> None:
    client = app.test_client()
    assert client.get("/rooms/lobby").headers["Location"] == "/?next=/rooms/lobby"
    assert client.get("/none").status_code == 404


def test_a_fault_of_ours_says_nothing_of_itself(app: Flask, ann: FlaskClient, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise LookupError("the inside")

    monkeypatch.setitem(app.view_functions, "rooms.show", fail)
    answer = ann.get("/rooms/lobby")
    assert answer.status_code == 500
    assert "the inside" not in answer.text
    assert "Something went wrong here." in answer.text


@pytest.mark.parametrize("path", ["/", "/rooms/lobby", "/chat/Ann", "/chat/Bob", "/none"])
def test_the_head_of_a_page_is_the_page_without_its_body(ann: FlaskClient, bob: FlaskClient, path: str) -> None:
    head, got = ann.head(path), ann.get(path)
    assert head.data == b""
    assert head.status_code == got.status_code
    assert head.headers["Content-Type"] == got.headers["Content-Type"]


def test_a_disk_that_does_not_last_is_said_on_every_first_page(app: Flask, ann: FlaskClient) -> None:
    from dataclasses import replace

    for throwaway in (False, True):
        app.extensions["flask_chat"] = replace(app.extensions["flask_chat"], throwaway=throwaway)
        assert ("will not last" in ann.get("/rooms/lobby").text) is throwaway
    assert "will not last" in app.test_client().get("/").text


def test_the_chats_name_is_on_its_pages_and_escaped(app: Flask, ann: FlaskClient) -> None:
    from dataclasses import replace

    chat = app.extensions["flask_chat"]
    app.extensions["flask_chat"] = replace(chat, config=replace(chat.config, name="Kitchen & <Hall>"))
    for page in (ann.get("/rooms/lobby"), app.test_client().get("/")):
        assert "Kitchen &amp; &lt;Hall&gt;" in page.text
        assert "<Hall>" not in page.text


def test_the_chat_says_that_it_is_up(gateway: Gateway) -> None:
    for method in ("GET", "HEAD"):
        assert gateway.request(method, "/up").status == 200
    assert gateway.get("/up").body == b"ok\n"


def test_an_error_has_a_heading_in_sentence_case(ann: FlaskClient) -> None:
    assert "<h1>Not found</h1>" in ann.get("/rooms/nowhere").text
