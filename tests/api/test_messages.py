"""Messages for programs: the contract, to the letter."""

from __future__ import annotations

import asyncio
import json
from typing import Any

import pytest
from flask import Flask
from sqlalchemy import select, update

from flask_chat.chat.sessions import RENEW_AFTER, session
from flask_chat.db import StorageFull, StorageUnavailable

from ..http.gateway import Answer, Gateway, call, scope

KEYS = ["id", "room", "author", "text", "html", "created_at", "edited_at", "client_id"]
MESSAGES = "/api/rooms/lobby/messages"


def problem(answer: Answer) -> int:
    """The status of a problem document that is one."""
    assert answer.headers["content-type"] == "application/problem+json"
    document = answer.json()
    assert list(document) == ["type", "title", "status", "detail"]
    assert document["status"] == answer.status
    assert document["detail"].endswith((".", "}", "Bearer."))
    return answer.status


def test_a_message_is_posted_and_read_back(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    answer = gateway.post(MESSAGES, {"text": "hello", "client_id": "c1"}, ann)
    assert (answer.status, answer.headers["content-type"]) == (201, "application/json")
    assert list(answer.json()) == KEYS
    assert (answer.json()["author"], answer.json()["text"], answer.json()["client_id"]) == ("Ann", "hello", "c1")
    page = gateway.get(MESSAGES, ann)
    assert page.body == b'{"messages":[' + answer.body + b"]}"


def test_the_same_client_id_gets_the_same_message_again(gateway: Gateway) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    first = gateway.post(MESSAGES, {"text": "hello", "client_id": "c1"}, ann)
    again = gateway.post(MESSAGES, {"text": "hello", "client_id": "c1"}, ann)
    assert (again.status, again.body) == (200, first.body)
    assert problem(gateway.post(MESSAGES, {"text": "other", "client_id": "c1"}, ann)) == 409
    assert gateway.post(MESSAGES, {"text": "other", "client_id": "c1"}, bob).status == 201


def test_fifty_sends_at_once_are_one_message(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    body = json.dumps({"text": "hello", "client_id": "c1"}).encode()

    async def scene() -> list[Answer]:
        headers = {**ann, "content-type": "application/json"}
        return await asyncio.gather(*[call(gateway.door, scope("POST", MESSAGES, headers), body) for _ in range(50)])

    answers = gateway.run(scene())
    assert sorted(answer.status for answer in answers) == [200] * 49 + [201]
    assert len({answer.body for answer in answers}) == 1
    assert len(gateway.get(MESSAGES, ann).json()["messages"]) == 1


@pytest.mark.parametrize(
    "contents", [{"text": "hello"}, {"text": "hello", "client_id": None}, {"text": "hello", "x": 1}]
)
def test_a_program_that_never_retries_needs_no_client_id(gateway: Gateway, contents: dict[str, object]) -> None:
    ann = gateway.bearer("Ann")
    answer = gateway.post(MESSAGES, contents, ann)
    assert (answer.status, answer.json()["client_id"]) == (201, None)


@pytest.mark.parametrize(
    ("contents", "status"),
    [
        ({"text": ""}, 422),
        ({"text": " \n "}, 422),
        ({"text": "\0"}, 422),
        ({"text": 7}, 422),
        ({"text": None}, 422),
        ({"text": ["hello"]}, 422),
        ({"text": "x" * 10_001}, 413),
        ({"text": "x", "client_id": ""}, 422),
        ({"text": "x", "client_id": "a b"}, 422),
        ({"text": "x", "client_id": 7}, 422),
        ({}, 400),
        ({"client_id": "c1"}, 400),
        ([], 400),
        ("text", 400),
        (None, 400),
    ],
)
def test_what_is_no_message_is_refused_with_its_reason(gateway: Gateway, contents: object, status: int) -> None:
    ann = gateway.bearer("Ann")
    assert problem(gateway.post(MESSAGES, contents, ann)) == status
    assert gateway.get(MESSAGES, ann).json() == {"messages": []}


@pytest.mark.parametrize("body", [b"", b"{", b"\xff", b'{"text":"\xff"}', b'{"text":"\\ud800"}', b"[" * 100_000])
def test_what_is_no_json_is_refused(gateway: Gateway, body: bytes) -> None:
    headers = {**gateway.bearer("Ann"), "content-type": "application/json"}
    assert problem(gateway.request("POST", MESSAGES, headers, body)) == 400


@pytest.mark.parametrize("kind", ["", "text/plain", "application/x-www-form-urlencoded", "application/jsonx"])
def test_what_does_not_say_that_it_is_json_is_refused(gateway: Gateway, kind: str) -> None:
    headers = {**gateway.bearer("Ann"), "content-type": kind}
    assert problem(gateway.request("POST", MESSAGES, headers, b'{"text":"hello"}')) == 415


def test_json_may_say_its_charset(gateway: Gateway) -> None:
    headers = {**gateway.bearer("Ann"), "content-type": "Application/JSON; charset=utf-8"}
    assert gateway.request("POST", MESSAGES, headers, '{"text":"grüß"}').json()["text"] == "grüß"


def test_ten_thousand_characters_are_taken_however_they_are_escaped(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    for text in ("x" * 10_000, "👋" * 10_000):
        assert gateway.post(MESSAGES, {"text": text}, ann).json()["text"] == text
    assert problem(gateway.post(MESSAGES, {"text": "x" * 1_000_000}, ann)) == 413


def test_a_room_that_is_not_there_is_not_found(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    assert problem(gateway.post("/api/rooms/kitchen/messages", {"text": "hello"}, ann)) == 404
    assert problem(gateway.get("/api/rooms/kitchen/messages", ann)) == 404


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"cookie": "flask_chat=x"}])
def test_strangers_neither_read_nor_write(gateway: Gateway, headers: dict[str, str]) -> None:
    for answer in (gateway.get(MESSAGES, headers), gateway.post(MESSAGES, {"text": "hello"}, headers)):
        assert problem(answer) == 401
        assert answer.headers["www-authenticate"] == "Bearer"


def test_another_site_posts_nothing_with_my_cookie(gateway: Gateway) -> None:
    entered = gateway.request("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, "username=Ann")
    cookie = {"cookie": entered.headers["set-cookie"].partition(";")[0]}
    for elsewhere in (
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
        {"origin": "http://evil.test"},
    ):
        assert problem(gateway.post(MESSAGES, {"text": "hello"}, {**cookie, **elsewhere})) == 403
    assert gateway.post(MESSAGES, {"text": "mine"}, {**cookie, "sec-fetch-site": "same-origin"}).status == 201
    assert [each["text"] for each in gateway.get(MESSAGES, cookie).json()["messages"]] == ["mine"]


def test_an_origin_that_is_no_address_is_another_site(gateway: Gateway) -> None:
    assert problem(gateway.post(MESSAGES, {"text": "hello"}, {"origin": "http://["})) == 403


def test_pages_are_bounded_and_in_order(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    ids = [gateway.say(str(number), ann)["id"] for number in range(110)]

    def read(query: str) -> list[int]:
        return [each["id"] for each in gateway.get(f"{MESSAGES}?{query}", ann).json()["messages"]]

    assert read("") == ids[-50:]
    assert read("limit=100") == read("limit=1000") == ids[-100:]
    assert read("after=0&limit=3") == ids[:3]
    assert read(f"after={ids[4]}&limit=2") == ids[5:7]
    assert read(f"before={ids[4]}&limit=2") == ids[2:4]
    assert read(f"before={ids[0]}") == read(f"after={ids[-1]}") == []


@pytest.mark.parametrize(
    "query", ["before=x", "after=-1", "limit=0", "limit=x", "before=", "after=١", "limit=1e3", "after=" + "9" * 30]
)
def test_a_bound_that_is_no_number_is_refused(gateway: Gateway, query: str) -> None:
    address = f"{MESSAGES}?{query}".encode().decode("latin-1")
    assert problem(gateway.get(address, gateway.bearer("Ann"))) == 400


def test_who_posts_faster_than_the_limit_is_told_to_wait(gateway: Gateway) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    gateway.chat.limits.on = True
    statuses = []
    for _ in range(120):
        answer = gateway.post(MESSAGES, {"text": "hello"}, ann)
        statuses.append(answer.status)
    assert problem(answer) == 429
    assert int(answer.headers["retry-after"]) >= 1
    assert 60 <= statuses.count(201) < 110
    assert gateway.post(MESSAGES, {"text": "hello"}, bob).status == 201


@pytest.mark.parametrize(
    ("error", "status", "wait"), [(StorageFull("Full."), 507, None), (StorageUnavailable("Later."), 503, "5")]
)
def test_a_disk_that_does_not_take_it_is_told(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch, error: Exception, status: int, wait: str | None
) -> None:
    ann = gateway.bearer("Ann")

    def fail(*_: Any) -> asyncio.Future[Any]:
        future: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        future.set_exception(error)
        return future

    monkeypatch.setattr(type(gateway.chat.db), "submit_from_loop", fail)
    answer = gateway.post(MESSAGES, {"text": "hello"}, ann)
    assert (problem(answer), answer.headers.get("retry-after")) == (status, wait)


def test_a_fault_of_ours_is_500_and_says_nothing_of_itself(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: Any) -> None:
        raise LookupError("the inside")

    ann = gateway.bearer("Ann")
    monkeypatch.setattr(type(gateway.chat.db), "submit_from_loop", fail)
    answer = gateway.post(MESSAGES, {"text": "hello"}, ann)
    assert problem(answer) == 500
    assert b"the inside" not in answer.body


def test_a_session_that_posts_is_renewed_once_a_day(gateway: Gateway, app: Flask) -> None:
    ann = gateway.bearer("Ann")
    token = ann["authorization"].removeprefix("Bearer ")
    old = gateway.chat.db.write(
        lambda transaction: transaction.connection.execute(
            update(session).values(renewed_at=transaction.now - RENEW_AFTER - 1000).returning(session.c.renewed_at)
        ).scalar_one()
    )
    gateway.chat.sessions.forget(token)
    gateway.say("hello", ann)
    with gateway.chat.db.read() as connection:
        renewed = connection.execute(select(session.c.renewed_at)).scalar_one()
    assert renewed > old, "who posts every day would be signed out after a year, and lose their name"


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_method_that_is_not_there_is_405(gateway: Gateway, method: str) -> None:
    answer = gateway.request(method, MESSAGES, gateway.bearer("Ann"))
    assert problem(answer) == 405
    assert "GET" in answer.headers.get("allow", ""), "RFC 9110, 15.5.6: it must say which are"


@pytest.mark.parametrize("path", ["/api/", "/api/none", "/api/rooms/none", "/api/rooms/none/messages"])
def test_what_is_not_there_is_a_problem_document(gateway: Gateway, path: str) -> None:
    assert problem(gateway.get(path, gateway.bearer("Ann"))) == 404


def test_looking_at_the_head_is_looking(gateway: Gateway) -> None:
    answer = gateway.request("HEAD", MESSAGES, gateway.bearer("Ann"))
    assert (answer.status, answer.body) == (200, b"")
