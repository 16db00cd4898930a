"""The room as a document that goes on and on: live without JavaScript."""

from __future__ import annotations

import pytest
from sqlalchemy import Connection

from flask_chat import events
from flask_chat.chat import messages
from flask_chat.http.services import Services

from ..http.gateway import Gateway, Stream


def open_document(gateway: Gateway, headers: dict[str, str], room: str = "lobby") -> Stream:
    async def opened() -> Stream:
        stream = gateway.stream(f"/rooms/{room}/timeline", headers)
        await stream.until(lambda: stream.body != b"")
        return stream

    return gateway.run(opened())


def test_it_shows_what_was_said_and_then_what_is_said(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    gateway.say("before", ann)
    document = open_document(gateway, ann)
    assert document.status == 200
    assert document.headers["content-type"] == "text/html; charset=utf-8"
    assert document.body.startswith(b"<!doctype html>")
    assert b'<base target="_top">' in document.body
    assert document.body.count(b"<article") == 1
    gateway.say("after", ann)
    gateway.run(document.until(lambda: document.body.count(b"<article") == 2))
    assert document.body.count(b'class="day"') == 1, "the day was said before"
    assert document.body.index(b">before<") < document.body.index(b">after<")
    gateway.run(document.hang_up())


def test_an_empty_room_gets_its_day_with_its_first_message(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    document = open_document(gateway, ann)
    assert b"<article" not in document.body
    assert b"Nothing was said here before." in document.body
    gateway.say("first", ann)
    gateway.run(document.until(lambda: b"<article" in document.body))
    later = open_document(gateway, ann)
    assert b"Nothing was said" not in later.body
    gateway.run(later.hang_up())
    assert document.body.count(b'class="day"') == 1
    gateway.run(document.hang_up())


def test_it_runs_no_script_and_only_our_own_page_may_frame_it(gateway: Gateway) -> None:
    document = open_document(gateway, gateway.bearer("Ann"))
    policy = document.headers["content-security-policy"]
    assert "script-src 'none'" in policy
    assert "frame-ancestors 'self'" in policy
    assert "no-store" in document.headers["cache-control"]
    assert b"<script" not in document.body
    gateway.run(document.hang_up())


def test_it_is_for_who_is_signed_in_and_for_rooms_that_are_there(gateway: Gateway) -> None:
    assert gateway.get("/rooms/lobby/timeline").status == 401
    assert gateway.get("/rooms/kitchen/timeline", gateway.bearer("Ann")).status == 404


def test_a_message_that_arrives_while_it_is_opened_is_shown_once(
    gateway: Gateway, chat: Services, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = gateway.bearer("Ann")
    session = chat.sessions.find(ann["authorization"].removeprefix("Bearer "))
    assert session is not None
    meanwhile = messages.draft(session.person, "lobby", "meanwhile")
    gateway.say("before", ann)
    real = events.last_id

    def last_id(connection: Connection) -> int:
        monkeypatch.setattr(events, "last_id", real)
        last = real(connection)
        messages.post(chat.db, meanwhile).result()
        return last

    monkeypatch.setattr(events, "last_id", last_id)
    document = open_document(gateway, ann)
    gateway.say("after", ann)
    gateway.run(document.until(lambda: b">after<" in document.body))
    assert [document.body.count(word) for word in (b">before<", b">meanwhile<", b">after<")] == [1, 1, 1]
    gateway.run(document.hang_up())


def test_when_the_chat_stops_the_frame_is_loaded_anew(gateway: Gateway) -> None:
    document = open_document(gateway, gateway.bearer("Ann"))
    head = document.body.partition(b"</head>")[0]
    assert b'<meta http-equiv="refresh"' in head, "counted from the moment when the document has ended"
    gateway.run(gateway.door.close())
    gateway.run(document.until(lambda: document.ended))
