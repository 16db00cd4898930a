"""The chat below a path of its host: everything that it says and asks for stays there."""

from __future__ import annotations

import html
import json
import re
from pathlib import Path
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy import update
from structlog.testing import capture_logs

from flask_chat import create_app
from flask_chat.chat.sessions import RENEW_AFTER, session
from flask_chat.config import Config
from flask_chat.http.services import Services

from .gateway import Answer, Gateway, Stream

FORM = {"content-type": "application/x-www-form-urlencoded"}
NAVIGATED = {"sec-fetch-site": "none", "sec-fetch-mode": "navigate", "sec-fetch-dest": "document"}


@pytest.fixture
def config(tmp_path: Path) -> Config:
    """A chat at /chat, so that its own /chat/<username> is at /chat/chat/<username>."""
    return Config(data=tmp_path / "data", limits=False, prefix="/chat")


@pytest.fixture
def ann(gateway: Gateway) -> dict[str, str]:
    """Ann's browser."""
    return {"cookie": submit(gateway, "/chat/", "username=Ann").headers["set-cookie"].partition(";")[0]}


@pytest.fixture
def bot(gateway: Gateway) -> dict[str, str]:
    """A program's header."""
    answer = gateway.post("/chat/api/sessions", {"username": "Dora"})
    assert answer.status == 201
    return {"authorization": f"Bearer {answer.json()['token']}"}


def submit(gateway: Gateway, address: str, body: str, headers: dict[str, str] | None = None) -> Answer:
    return gateway.request("POST", address, {**FORM, **(headers or {})}, body)


def say(gateway: Gateway, text: str, headers: dict[str, str], client_id: str | None = None) -> Answer:
    return gateway.post("/chat/api/rooms/lobby/messages", {"text": text, "client_id": client_id}, headers)


def said(gateway: Gateway, headers: dict[str, str]) -> list[str]:
    answer = gateway.get("/chat/api/rooms/lobby/messages", headers)
    return [message["text"] for message in answer.json()["messages"]]


def paths(page: str) -> set[str]:
    """Every path that a page names, where a browser goes or asks by it."""
    found = re.findall(r'\b(?:href|src|action|content|formaction|poster|srcset)="(/[^"]*)"', page)
    return {html.unescape(path) for path in found}


def test_the_chat_begins_at_its_prefix(gateway: Gateway) -> None:
    for address in ("/chat", "/chat/", "/ch%61t/", "/chat?next=", "/%63hat"):
        answer = gateway.get(address)
        assert answer.status == 200
        assert "Say your name" in answer.text
        assert 'action="/chat/"' in answer.text


BESIDE = [
    *("/rooms/lobby", "/chatter", "/chat2/rooms/lobby", "/Chat/", "/chat.", "//chat/", "/x/chat/", "/x/../chat/"),
    *("/api/events", "/api/rooms/lobby/messages", "/static/1/js/app.js", "/owner/x", "/Ann/hello", "*", ""),
]


def test_beside_it_there_is_nothing(gateway: Gateway, ann: dict[str, str]) -> None:
    for address in BESIDE:
        answer = gateway.get(address, {**ann, **NAVIGATED})
        assert answer.status == 404, address
        assert answer.headers["content-type"].startswith("text/plain")
        assert answer.text == "There is no such page. The chat is at /chat/\n"
        assert "set-cookie" not in answer.headers
        for method in ("POST", "DELETE", "HEAD", "OPTIONS"):
            assert gateway.request(method, address, ann).status == 404
    assert said(gateway, ann) == []


def test_the_hosts_first_page_leads_to_the_chat(gateway: Gateway) -> None:
    answer = gateway.get("/")
    assert (answer.status, answer.headers["location"]) == (307, "/chat/")


def test_who_watches_over_the_chat_may_ask_at_either_place(gateway: Gateway) -> None:
    assert gateway.get("/up").text == gateway.get("/chat/up").text == "ok\n"


def test_without_a_prefix_there_is_no_other_place(tmp_path: Path) -> None:
    app = create_app(Config(data=tmp_path / "plain", limits=False))
    plain = Gateway(app)
    assert plain.get("/chat").status == 404
    assert 'action="/"' in plain.get("/").text
    assert "Path=/;" in submit(plain, "/", "username=Ann").headers["set-cookie"]
    plain.close()
    app.extensions["flask_chat"].close()


def test_every_path_on_every_page_is_below_the_prefix(gateway: Gateway, chat: Services, ann: dict[str, str]) -> None:
    for number in range(60):
        say(gateway, f"message {number}", ann)
    owner = f"/chat/owner/{chat.owner_link.token()}"
    for visitor in ({}, ann):
        seen, waiting = set[str](), ["/chat/", owner]
        while waiting:
            address = waiting.pop()
            answer = gateway.get(address, visitor)
            assert answer.status in (200, 302, 303), address
            found = paths(answer.text) | ({answer.headers["location"]} if "location" in answer.headers else set())
            assert all(path.startswith("/chat/") for path in found), address
            # The timeline goes on for ever; a form's address is not one to look at.
            forms = set(re.findall(r'<form[^>]* action="([^"]+)"[^>]* method="post"', answer.text))
            fresh = {path for path in found - forms if not path.endswith("/timeline")} - seen
            seen |= fresh | forms
            waiting += fresh
        assert owner in seen, "the owner's form leads elsewhere"
    assert {"/chat/chat/Ann", "/chat/rooms/lobby"} <= seen
    assert any(path.startswith("/chat/rooms/lobby?before=") for path in seen)


def test_pages_that_tell_of_an_error_lead_back_into_the_chat(gateway: Gateway, ann: dict[str, str]) -> None:
    for address in ("/chat/none", "/chat/chat/Nobody", "/chat/rooms/none", "/chat/chat/"):
        answer = gateway.get(address, ann)
        assert answer.status == 404
        assert "/chat/" in paths(answer.text)
        assert all(path.startswith("/chat/") for path in paths(answer.text))
    assert gateway.get("/chat/api/none", ann).json()["status"] == 404
    refused = gateway.get("/chat/rooms/lobby/timeline")
    assert refused.status == 401
    assert "/chat/" in paths(refused.text)


def test_scripts_are_told_where_the_chat_begins(gateway: Gateway, ann: dict[str, str]) -> None:
    assert '<html lang="en" data-root="/chat">' in gateway.get("/chat/rooms/lobby", ann).text


def test_addresses_that_people_are_to_use_are_whole(gateway: Gateway, ann: dict[str, str]) -> None:
    assert "<code>http://chat.test/chat/</code>" in gateway.get("/chat/rooms/lobby", ann).text
    first = gateway.get("/chat/").text
    assert "http://chat.test/chat/rooms/lobby/messages" in first
    assert "<code>/chat/<var>your name</var>" in first


def test_the_installed_page_begins_at_the_prefix(gateway: Gateway, chat: Services) -> None:
    address = chat.assets.url("manifest.webmanifest")
    assert address.startswith("/chat/static/")
    manifest = gateway.get(address).json()
    for member in ("start_url", "scope"):
        up = manifest[member].count("../")
        assert manifest[member] == "../" * up
        assert address.rsplit("/", up + 1)[0] == "/chat"


def test_redirects_stay_below_the_prefix(gateway: Gateway, chat: Services, ann: dict[str, str]) -> None:
    def leads(answer: Answer) -> str:
        assert answer.status == 303
        return answer.headers["location"]

    assert leads(gateway.get("/chat", ann)) == "/chat/chat/Ann"
    assert leads(submit(gateway, "/chat", "username=Bob")) == "/chat/chat/Bob"
    assert leads(gateway.get("/chat/chat/ann", ann)) == "/chat/chat/Ann"
    assert leads(submit(gateway, "/chat/rooms/lobby/messages", "message=one", ann)) == "/chat/rooms/lobby"
    by_flask = {**ann, "content-type": FORM["content-type"] + "; charset=utf-8"}
    assert leads(gateway.request("POST", "/chat/rooms/lobby/messages", by_flask, "message=two")) == "/chat/rooms/lobby"
    assert leads(gateway.get("/chat/Ann/three", {**ann, **NAVIGATED})) == "/chat/rooms/lobby"
    assert said(gateway, ann) == ["one", "two", "three"]
    assert leads(gateway.request("POST", f"/chat/owner/{chat.owner_link.token()}", ann)) == "/chat/chat/Ann"
    assert leads(gateway.request("POST", "/chat/sign-out", ann)) == "/chat/"


def test_who_must_say_a_name_first_comes_back_to_where_they_were_going(gateway: Gateway) -> None:
    asked = gateway.get("/chat/rooms/lobby?before=7")
    assert asked.status == 303
    form = gateway.get(asked.headers["location"]).text
    hidden = re.search(r'name="next" value="([^"]+)"', form)
    assert hidden is not None
    body = f"username=Ann&next={quote(html.unescape(hidden[1]), safe='')}"
    assert submit(gateway, "/chat/", body).headers["location"] == "/chat/rooms/lobby?before=7"


def test_nobody_is_led_out_of_the_prefix(gateway: Gateway, ann: dict[str, str]) -> None:
    for address in ("//evil.test/", "https://evil.test/", "/../wiki", "/%2e%2e/wiki", "/Ann/spam"):
        answer = submit(gateway, "/chat/", f"username=Ann&next={quote(address, safe='')}", ann)
        assert answer.headers["location"] == "/chat/chat/Ann"


ADDRESSES = [
    ("hello%20there", "hello there"),
    ("a/b//c", "a/b//c"),
    ("/chat/Ann/x", "/chat/Ann/x"),
    ("a%2Fb%2F", "a/b/"),
    ("http://chat.test/chat/", "http://chat.test/chat/"),
    ("100%25?now=yes", "100%?now=yes"),
    ("%D0%9F%D1%80%D0%B8%D0%B2%D0%B5%D1%82", "Привет"),
    ("%252Fchat", "%2Fchat"),
]


def test_a_message_by_address_arrives_whole(gateway: Gateway, ann: dict[str, str]) -> None:
    for address, _ in ADDRESSES:
        assert gateway.get(f"/chat/Ann/{address}", {**ann, **NAVIGATED}).status == 303
    assert said(gateway, ann) == [words for _, words in ADDRESSES]


def test_a_link_on_another_page_of_the_host_only_fills_in_the_box(gateway: Gateway, ann: dict[str, str]) -> None:
    """Whoever writes a link on the wiki next door must not make its reader speak here."""
    clicked = {**ann, **NAVIGATED, "sec-fetch-site": "same-origin", "sec-fetch-user": "?1"}
    for where in ("/wiki/page", "/", "/chat", "/chatter/", "/wiki/chat/", "/wiki?/chat/"):
        answer = gateway.get("/chat/Ann/spam", {**clicked, "referer": f"http://chat.test{where}"})
        assert (answer.status, "spam</textarea>" in answer.text) == (200, True), where
    assert gateway.get("/chat/Ann/spam", {**ann, **NAVIGATED, "sec-fetch-site": "same-origin"}).status == 200
    assert said(gateway, ann) == []
    ours = {**clicked, "referer": "http://chat.test/chat/rooms/lobby"}
    assert gateway.get("/chat/Ann/mine", ours).status == 303


def test_the_cookie_is_for_the_prefix_alone(gateway: Gateway, chat: Services) -> None:
    first = submit(gateway, "/chat/", "username=Ann").headers["set-cookie"]
    assert "Path=/chat;" in first
    ann = {"cookie": first.partition(";")[0]}

    def age() -> None:
        chat.db.write(
            lambda transaction: transaction.connection.execute(
                update(session).values(renewed_at=transaction.now - RENEW_AFTER - 1000)
            )
        )
        chat.sessions._known.clear()

    age()
    by_a_script = say(gateway, "x", ann)
    age()
    by_the_form = submit(gateway, "/chat/rooms/lobby/messages", "message=x", ann)
    for again in (by_a_script, by_the_form):
        assert "Path=/chat;" in again.headers["set-cookie"]
        assert "HttpOnly" in again.headers["set-cookie"]
    assert "Path=/chat;" in gateway.request("POST", "/chat/sign-out", ann).headers["set-cookie"]


def test_a_chat_at_the_hosts_top_does_not_take_its_visitors(gateway: Gateway, ann: dict[str, str]) -> None:
    # A browser sends the cookie with the longer path first (RFC 6265, 5.4).
    both = {"cookie": f"{ann['cookie']}; flask_chat=eyJ0b2tlbiI6IngifQ.anBX.signed-by-the-other"}
    assert gateway.get("/chat/rooms/lobby", both).status == 200
    assert say(gateway, "hello", both).status == 201


def test_a_message_links_to_its_author_whichever_way_it_comes(
    app: Flask, gateway: Gateway, ann: dict[str, str], bot: dict[str, str]
) -> None:
    link = '<a class="author" href="/chat/chat/Dora">'
    at = gateway.get("/chat/api/events", bot).json()["cursor"]
    live = gateway.run(_opened(gateway, "/chat/api/events", {**bot, "accept": "text/event-stream"}))
    document = gateway.run(_opened(gateway, "/chat/rooms/lobby/timeline", bot))
    posted, again = say(gateway, "hello", bot, "c1"), say(gateway, "hello", bot, "c1")
    assert (posted.status, again.status) == (201, 200)
    gateway.run(live.until(lambda: b"hello" in live.body))
    gateway.run(document.until(lambda: b"hello" in document.body))
    polled = gateway.get(f"/chat/api/events?after={at}", bot).json()["events"]
    # One that has just started knows nothing by heart.
    fresh = Gateway(app)
    from_the_log = fresh.get(f"/chat/api/events?after={at}", bot).json()["events"]
    fresh.close()
    ways = {
        "posted": posted.json()["html"],
        "posted again": again.json()["html"],
        "listed": gateway.get("/chat/api/rooms/lobby/messages", bot).json()["messages"][0]["html"],
        "polled": polled[0]["message"]["html"],
        "read from the log": from_the_log[0]["message"]["html"],
        "live": live.events[0]["message"]["html"],
        "in the document": document.body.decode(),
        "on the page": gateway.get("/chat/rooms/lobby", ann).text,
        "on an earlier page": gateway.get("/chat/rooms/lobby?before=99", ann).text,
    }
    assert {way: html.count(link) for way, html in ways.items()} == dict.fromkeys(ways, 1)
    # The hint that it was posted gets lost: the hub reads the log for everybody.
    gateway.chat.db.listeners.clear()
    gateway.run(_noted(gateway, say(gateway, "missed", ann).json()["id"]))
    gateway.run(live.until(lambda: b"missed" in live.body))
    assert 'href="/chat/chat/Ann"' in live.events[1]["message"]["html"]
    for stream in (live, document):
        gateway.run(stream.hang_up())


async def _noted(gateway: Gateway, last: int) -> None:
    assert gateway.door.hub is not None
    gateway.door.hub.intake.note(last)


async def _opened(gateway: Gateway, address: str, headers: dict[str, str]) -> Stream:
    stream = gateway.stream(address, headers)
    await stream.until(lambda: stream.body != b"")
    return stream


def test_streams_are_written_to_without_a_detour(gateway: Gateway, bot: dict[str, str]) -> None:
    assert gateway.door.hub is not None
    for address in ("/chat/api/events", "/chat/rooms/lobby/timeline"):
        stream = gateway.run(_opened(gateway, address, {**bot, "accept": "text/event-stream"}))
        [connection] = gateway.door.hub.connections
        assert connection.send == stream.send
        gateway.run(stream.hang_up())


def test_the_log_names_the_same_routes_as_ever_and_no_path(gateway: Gateway, ann: dict[str, str]) -> None:
    with capture_logs() as lines:
        say(gateway, "x", ann)
        gateway.get("/chat/Ann/secret", ann)
        gateway.get("/secret", ann)
    requests = [(line["route"], line["status"]) for line in lines if line["event"] == "request"]
    assert requests[0] == ("/api/rooms/{room}/messages", 201)
    assert str(requests[1][0]).startswith("/<username>/")
    assert requests[2] == ("?", 404)
    assert "secret" not in json.dumps(lines, default=str)
