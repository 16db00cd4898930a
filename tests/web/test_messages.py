"""Saying something by the form and by an address."""

from __future__ import annotations

import asyncio
import html
import re
from typing import Any
from urllib.parse import quote

import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select, update
from werkzeug.test import TestResponse

from flask_chat.chat import messages
from flask_chat.chat.sessions import RENEW_AFTER, session
from flask_chat.db import StorageFull, StorageUnavailable, Transaction, database
from flask_chat.http.services import Services

from ..http.gateway import Answer, Gateway, Stream, call, scope

FORM = {"content-type": "application/x-www-form-urlencoded"}
NAVIGATED = {
    "Sec-Fetch-Site": "none",
    "Sec-Fetch-Mode": "navigate",
    "Sec-Fetch-Dest": "document",
    "Sec-Fetch-User": "?1",
}


def said(chat: Services) -> list[str]:
    """Everything that was said."""
    with chat.db.read() as connection:
        return list(connection.execute(select(messages.message.c.text).order_by(messages.message.c.id)).scalars())


def draft(answer: TestResponse | Answer) -> str:
    return waiting(answer.text)


def waiting(page: str) -> str:
    """What waits in the text box."""
    box = re.search(r"<textarea[^>]*>\n?(.*?)</textarea>", page, re.DOTALL)
    assert box is not None
    return html.unescape(box[1])


def enter(gateway: Gateway, name: str) -> dict[str, str]:
    answer = gateway.request("POST", "/", FORM, f"username={quote(name)}")
    return {"cookie": answer.headers["set-cookie"].partition(";")[0]}


def post(gateway: Gateway, headers: dict[str, str], message: str, more: str = "") -> Answer:
    return gateway.request("POST", "/rooms/lobby/messages", {**FORM, **headers}, f"message={quote(message)}{more}")


def test_the_form_posts_and_leads_back_to_the_room(ann: FlaskClient, chat: Services) -> None:
    answer = ann.post("/rooms/lobby/messages", data={"message": "hello\r\nBob"})
    assert (answer.status_code, answer.headers["Location"]) == (303, "/rooms/lobby")
    assert said(chat) == ["hello\nBob"]


def test_the_gateway_does_the_same_without_a_thread(gateway: Gateway, chat: Services) -> None:
    answer = post(gateway, enter(gateway, "Ann"), "grüß & 100%\r\nBob + ?")
    assert (answer.status, answer.headers["location"]) == (303, "/rooms/lobby")
    assert "no-store" in answer.headers["cache-control"]
    assert said(chat) == ["grüß & 100%\nBob + ?"]


def test_the_same_form_twice_is_one_message(gateway: Gateway, chat: Services) -> None:
    ann = enter(gateway, "Ann")
    for _ in range(2):
        assert post(gateway, ann, "hello", "&client_id=c1").status == 303
    refused = post(gateway, ann, "other", "&client_id=c1")
    assert refused.status == 409
    assert draft(refused) == "other"
    assert said(chat) == ["hello"]


@pytest.mark.parametrize(("message", "status"), [("", 422), (" \n ", 422), ("\u200b", 422), ("x" * 10_001, 413)])
def test_words_that_are_refused_stay_in_the_box(
    ann: FlaskClient, gateway: Gateway, chat: Services, message: str, status: int
) -> None:
    by_flask = ann.post("/rooms/lobby/messages", data={"message": message})
    by_the_gateway = post(gateway, enter(gateway, "Bob"), message)
    assert by_flask.status_code == by_the_gateway.status == status
    for shown in (by_flask.text, by_the_gateway.text):
        assert waiting(shown) == message
        assert re.search(r'<p class="error" id="error" role="alert">[^<]+</p>', shown)
    assert said(chat) == []


def test_ten_thousand_characters_of_any_kind_fit_into_a_form(gateway: Gateway, chat: Services) -> None:
    assert post(gateway, enter(gateway, "Ann"), "👋" * 10_000).status == 303
    assert said(chat) == ["👋" * 10_000]


@pytest.mark.parametrize("length", [{"content-length": "1000008"}, {}], ids=["with its length", "in chunks"])
def test_a_megabyte_is_refused_in_plain_words(gateway: Gateway, chat: Services, length: dict[str, str]) -> None:
    headers = {**FORM, **enter(gateway, "Ann"), **length}
    body = b"message=" + b"x" * 1_000_000

    async def scene() -> Answer:
        return await asyncio.wait_for(call(gateway.door, scope("POST", "/rooms/lobby/messages", headers), body), 3)

    answer = gateway.run(scene())
    assert (answer.status, answer.headers["content-type"]) == (413, "text/html; charset=utf-8")
    assert "more than this chat takes" in answer.text
    assert said(chat) == []


def test_the_rest_of_a_body_that_is_too_long_is_not_taken_for_a_message(gateway: Gateway, chat: Services) -> None:
    headers = {**FORM, **enter(gateway, "Ann")}

    async def scene() -> None:
        stream = Stream(
            request=[
                {"type": "http.request", "body": b"x" * 300_000, "more_body": True},
                {"type": "http.request", "body": b"message=tail", "more_body": False},
            ]
        )
        await asyncio.wait_for(
            gateway.door(scope("POST", "/rooms/lobby/messages", headers), stream.receive, stream.send), 3
        )
        assert stream.status == 413

    gateway.run(scene())
    assert said(chat) == []


def test_a_form_of_many_fields_or_of_no_text_is_no_fault_of_ours(gateway: Gateway, chat: Services) -> None:
    ann = enter(gateway, "Ann")
    statuses = [
        gateway.request("POST", "/rooms/lobby/messages", {**FORM, **ann}, body).status
        for body in (b"", b"&" * 1000, b"message=%FF%FE", b"message=\xff", b"x=1&" * 500, b"message=a&message=b", b"\0")
    ]
    assert all(status in (303, 413, 422) for status in statuses), statuses


def test_a_form_of_parts_is_taken_too(ann: FlaskClient, chat: Services) -> None:
    answer = ann.post("/rooms/lobby/messages", data={"message": "hello"}, content_type="multipart/form-data")
    assert answer.status_code == 303
    assert said(chat) == ["hello"]


def test_a_room_that_is_not_there_is_a_page_that_says_so(gateway: Gateway, chat: Services) -> None:
    answer = gateway.request("POST", "/rooms/kitchen/messages", {**FORM, **enter(gateway, "Ann")}, "message=hello")
    assert (answer.status, answer.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert said(chat) == []


def test_another_site_posts_nothing(gateway: Gateway, chat: Services) -> None:
    ann = enter(gateway, "Ann")
    for elsewhere in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}, {"origin": "null"}):
        assert post(gateway, {**ann, **elsewhere}, "hello").status == 403
    assert said(chat) == []


def test_who_posts_faster_than_the_limit_keeps_their_words(gateway: Gateway, chat: Services) -> None:
    ann = enter(gateway, "Ann")
    gateway.chat.limits.on = True
    for _ in range(100):
        answer = post(gateway, ann, "hello")
        if answer.status != 303:
            break
    assert answer.status == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert draft(answer) == "hello"
    assert len(said(chat)) >= 60


@pytest.mark.parametrize(("error", "status"), [(StorageFull("Full."), 507), (StorageUnavailable("Later."), 503)])
def test_words_that_the_disk_does_not_take_stay_in_the_box(
    ann: FlaskClient, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(messages, "post", fail)
    answer = ann.post("/rooms/lobby/messages", data={"message": "hello"})
    assert (answer.status_code, draft(answer)) == (status, "hello")
    assert ("Retry-After" in answer.headers) == (status == 503)


def age(chat: Services) -> int:
    """Let every session have been renewed more than a day ago; returns when."""

    def change(transaction: Transaction) -> int:
        old = transaction.now - RENEW_AFTER - 1000
        transaction.connection.execute(update(session).values(renewed_at=old))
        return old

    return chat.db.write(change)


def test_a_session_that_posts_is_renewed_once_a_day_in_the_browser_too(gateway: Gateway, chat: Services) -> None:
    ann = enter(gateway, "Ann")
    assert "set-cookie" not in post(gateway, ann, "young").headers
    old = age(chat)
    gateway.chat.sessions._known.clear()
    assert "set-cookie" not in gateway.get("/rooms/lobby", ann).headers, "looking renews nothing"
    answer = post(gateway, ann, "old")
    assert answer.status == 303
    assert "Expires=" in answer.headers["set-cookie"]
    with chat.db.read() as connection:
        assert connection.execute(select(session.c.renewed_at)).scalar_one() > old
    assert "set-cookie" not in post(gateway, ann, "young again").headers
    assert said(chat) == ["young", "old", "young again"]


ADDRESSES = [
    ("hello", "hello"),
    ("hello%20there", "hello there"),
    ("a/b//c", "a/b//c"),
    ("/me%20waves", "/me waves"),
    ("a%2Fb", "a/b"),
    ("100%25", "100%"),
    ("100%%20sure", "100% sure"),
    ("really%3F", "really?"),
    ("what?now=yes&no", "what?now=yes&no"),
    ("what?a%20b", "what?a b"),
    ("%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82", "Привет"),
    ("%F0%9F%91%8B", "👋"),
    ("one%0Atwo", "one\ntwo"),
    ("<b>&amp;", "<b>&amp;"),
    ("lobby", "lobby"),
    ("../x", "../x"),
]


@pytest.mark.parametrize(("address", "words"), ADDRESSES)
def test_a_message_by_address_arrives_whole(gateway: Gateway, chat: Services, address: str, words: str) -> None:
    ann = enter(gateway, "Ann")
    shown = gateway.get(f"/Ann/{address}", ann)
    assert shown.status == 200
    assert draft(shown) == words
    assert said(chat) == []
    sent = gateway.get(f"/Ann/{address}", {**ann, **NAVIGATED})
    assert (sent.status, sent.headers["location"]) == (303, "/rooms/lobby"), "so that a reload sends nothing twice"
    assert said(chat) == [words]


@pytest.mark.parametrize("name", ["Ann", "ann", "ANN", "%EF%BC%A1nn"])
def test_a_name_in_an_address_may_be_written_in_any_case(ann: FlaskClient, chat: Services, name: str) -> None:
    assert ann.get(f"/{name}/hello", headers=NAVIGATED).status_code == 303
    assert said(chat) == ["hello"]


UNSURE = [
    {},
    {"Sec-Fetch-Site": "cross-site"},
    {"Sec-Fetch-Site": "same-site"},
    {"Sec-Fetch-Mode": "no-cors"},
    {"Sec-Fetch-Mode": "cors"},
    {"Sec-Fetch-Dest": "iframe"},
    {"Sec-Fetch-Dest": "image"},
    {"Sec-Purpose": "prefetch"},
    {"Sec-Purpose": "prefetch;prerender"},
    {"Purpose": "prefetch"},
]


@pytest.mark.parametrize("headers", UNSURE)
def test_what_is_not_surely_a_persons_own_navigation_sends_nothing(
    ann: FlaskClient, chat: Services, headers: dict[str, str]
) -> None:
    answer = ann.get("/Ann/hello", headers={**NAVIGATED, **headers} if headers else {})
    assert (answer.status_code, draft(answer)) == (200, "hello")
    assert said(chat) == []


def test_a_head_request_and_another_name_send_nothing(ann: FlaskClient, bob: FlaskClient, chat: Services) -> None:
    assert ann.head("/Ann/hello", headers=NAVIGATED).status_code == 200
    assert draft(ann.get("/Bob/hello", headers=NAVIGATED)) == "hello"
    assert draft(ann.get("/Nobody/hello", headers=NAVIGATED)) == "hello"
    assert draft(ann.get("/Аnn/hello", headers=NAVIGATED)) == "hello", "a name that only looks like mine"
    assert said(chat) == []


@pytest.mark.parametrize("first", ["static", "api", "rooms", "chat", "owner", "up", "admin", "robots.txt"])
def test_the_chats_own_paths_are_nobodys_name(ann: FlaskClient, chat: Services, first: str) -> None:
    assert ann.get(f"/{first}/none/such", headers=NAVIGATED).status_code == 404
    assert said(chat) == []


def test_a_crawler_that_follows_every_link_changes_nothing(app: Flask, ann: FlaskClient, chat: Services) -> None:
    ann.post("/rooms/lobby/messages", data={"message": "hello http://localhost/Ann/again"})
    chat.db.write(lambda _: None)
    before = "\n".join(dump(chat))
    for client in (ann, app.test_client()):
        seen, waiting = set[str](), ["/"]
        while waiting:
            path = waiting.pop()
            answer = client.get(path)
            links = [*re.findall(r'(?:href|src|action)="(/[^"]*)"', answer.text), answer.headers.get("Location", "")]
            fresh = {html.unescape(link) for link in links if link.startswith("/")} - seen
            seen |= fresh
            waiting += [link for link in fresh if not link.startswith("/static")]
        assert len(seen) > 3
    assert "\n".join(dump(chat)) == before


def dump(chat: Services) -> list[str]:
    import sqlite3

    connection = sqlite3.connect(chat.config.data / "chat.db")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def kept_but_not_answered(chat: Services, monkeypatch: pytest.MonkeyPatch, times: int = 1) -> None:
    """The next commits are kept, and nobody is told so: as when the database is lost in that very moment."""
    left = [times]
    real = database._commit

    def commit(*arguments: Any) -> Any:
        done = real(*arguments)
        if left[0]:
            left[0] -= 1
            raise StorageUnavailable("The chat could not keep that just now.")
        return done

    monkeypatch.setattr(database, "_commit", commit)


@pytest.mark.parametrize("more", ["", "&client_id=", "&client_id=mine"])
def test_a_form_whose_commit_was_not_answered_is_kept_once(
    gateway: Gateway, chat: Services, monkeypatch: pytest.MonkeyPatch, more: str
) -> None:
    headers = enter(gateway, "Ann")
    kept_but_not_answered(chat, monkeypatch)
    assert post(gateway, headers, "hello", more).status == 303
    assert said(chat) == ["hello"]


def test_a_form_that_was_refused_so_can_be_sent_again_from_its_page(
    gateway: Gateway, chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = enter(gateway, "Ann")
    kept_but_not_answered(chat, monkeypatch, times=2)
    refused = post(gateway, headers, "hello")
    assert (refused.status, draft(refused)) == (503, "hello")
    client_id = re.search(r'name="client_id" value="([^"]+)"', refused.text)
    assert client_id is not None
    assert post(gateway, headers, "hello", f"&client_id={client_id[1]}").status == 303
    assert said(chat) == ["hello"]


def test_a_name_whose_sign_in_was_kept_but_not_answered_is_not_lost(
    app: Flask, chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser, other = app.test_client(), app.test_client()
    kept_but_not_answered(chat, monkeypatch)
    assert browser.post("/", data={"username": "Ann"}).status_code == 503
    assert other.post("/", data={"username": "Ann"}).status_code == 422
    assert browser.post("/", data={"username": "Ann"}).status_code == 303
