"""``GET /api/events``: one log, followed by a stream or by asking again and again."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from flask_chat import config, events
from flask_chat.chat import messages, sessions
from flask_chat.chat.feed import Audience
from flask_chat.chat.sessions import Session
from flask_chat.live import stream

from ..http.gateway import Answer, Gateway, Stream, call, scope

SSE = {"accept": "text/event-stream"}


def cursor(gateway: Gateway, headers: dict[str, str]) -> str:
    answer = gateway.get("/api/events", headers)
    assert answer.status == 200
    assert answer.json()["events"] == []
    return str(answer.json()["cursor"])


def open_stream(gateway: Gateway, headers: dict[str, str], address: str = "/api/events") -> Stream:
    async def opened() -> Stream:
        stream = gateway.stream(address, {**SSE, **headers})
        await stream.until(lambda: stream.body != b"" or stream.ended)
        return stream

    return gateway.run(opened())


def texts(events: list[dict[str, Any]]) -> list[str]:
    return [each["message"]["text"] for each in events if each["type"] == "message.posted"]


def test_without_a_cursor_a_poll_gets_no_events_and_the_present_one_at_once(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    gateway.say("before", ann)
    assert re.fullmatch(r"[a-z0-9]{8}-2", cursor(gateway, ann))


def test_a_poll_gets_what_came_after_its_cursor_and_the_next_one(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    first = cursor(gateway, ann)
    said = [gateway.say(text, ann) for text in ("one", "two")]
    answer = gateway.get(f"/api/events?after={first}", ann)
    assert answer.headers["content-type"] == "application/json"
    assert "no-store" in answer.headers["cache-control"]
    assert [each["message"] for each in answer.json()["events"]] == said
    assert all(list(each) == ["id", "type", "room", "message"] for each in answer.json()["events"])
    again = gateway.get(f"/api/events?after={answer.json()['cursor']}", ann)
    assert again.json() == {"events": [], "cursor": answer.json()["cursor"]}


def test_a_poll_waits_until_there_is_something(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    after = cursor(gateway, ann)

    async def scene() -> Answer:
        polling = asyncio.ensure_future(call(gateway.door, scope("GET", f"/api/events?after={after}&wait=20", ann)))
        for _ in range(50):
            await asyncio.sleep(0)
        assert not polling.done()
        body = b'{"text":"hello"}'
        posted = await call(
            gateway.door,
            scope("POST", "/api/rooms/lobby/messages", {**ann, "content-type": "application/json"}),
            body,
        )
        assert posted.status == 201
        return await asyncio.wait_for(polling, 5)

    assert texts(gateway.run(scene()).json()["events"]) == ["hello"]


def test_a_poll_whose_time_is_up_gets_its_cursor_back(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    after = cursor(gateway, ann)
    for wait in ("0", "0.01", "00.01"):
        assert gateway.get(f"/api/events?after={after}&wait={wait}", ann).json() == {"events": [], "cursor": after}


@pytest.mark.parametrize("wait", ["nan", "-1", "soon", "1,5", "٣s"])
def test_a_time_that_is_no_number_of_seconds_is_refused(gateway: Gateway, wait: str) -> None:
    answer = gateway.get(f"/api/events?after=0&wait={wait}".encode().decode("latin-1"), gateway.bearer("Ann"))
    assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


@pytest.mark.parametrize("wait", ["inf", "1e999", "86400"])
def test_nobody_is_held_longer_than_routers_allow(gateway: Gateway, monkeypatch: pytest.MonkeyPatch, wait: str) -> None:
    monkeypatch.setattr(config, "MAX_WAIT", 0.01)
    ann = gateway.bearer("Ann")
    assert gateway.get(f"/api/events?after={cursor(gateway, ann)}&wait={wait}", ann).status == 200


def test_a_poll_that_hangs_up_is_not_waited_for(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    after = cursor(gateway, ann)

    async def scene() -> None:
        stream = gateway.stream(f"/api/events?after={after}&wait=25", ann)
        for _ in range(50):
            await asyncio.sleep(0)
        assert stream.task is not None
        stream.gone.set()
        await asyncio.wait_for(stream.task, 2)

    gateway.run(scene())


def test_many_polls_one_after_another_miss_nothing(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    at, got = "0", list[str]()
    for waiting in [gateway.chat.db.submit(*posting(gateway, ann, str(number))) for number in range(450)]:
        waiting.result(10)
    for _ in range(10):
        answer = gateway.get(f"/api/events?after={at}", ann).json()
        at, got = answer["cursor"], got + texts(answer["events"])
    assert got == [str(number) for number in range(450)]


def posting(gateway: Gateway, headers: dict[str, str], text: str) -> Any:
    session = gateway.chat.sessions.find(headers["authorization"].removeprefix("Bearer "))
    assert session is not None
    return messages.post_together, messages.draft(session.person, "lobby", text)


@pytest.mark.parametrize("after", ["nonsense", "1", "-1", "abcdefgh", "%00", "%FF"])
def test_what_was_never_a_cursor_is_refused(gateway: Gateway, after: str) -> None:
    ann = gateway.bearer("Ann")
    for headers in (ann, {**ann, **SSE}):
        answer = gateway.get(f"/api/events?after={after}", headers)
        assert (answer.status, answer.headers["content-type"]) == (400, "application/problem+json")


def test_a_cursor_of_another_history_is_told_to_resync(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    gateway.say("here", ann)
    now = cursor(gateway, ann)
    answer = gateway.get("/api/events?after=otherlog-7&wait=20", ann).json()
    assert answer == {"events": [{"id": 2, "type": "resync", "room": None}], "cursor": now}
    ahead = now.replace("-2", "-900")
    assert gateway.get(f"/api/events?after={ahead}", ann).json()["events"][0]["type"] == "resync"

    stream = open_stream(gateway, ann, "/api/events?after=otherlog-7")
    gateway.say("next", ann)
    gateway.run(stream.until(lambda: len(stream.events) == 2))
    assert stream.events[0] == {"id": 2, "type": "resync", "room": None}
    assert f"id: {now}\ndata: " in stream.body.decode()
    assert texts(stream.events) == ["next"]
    gateway.run(stream.hang_up())


def test_a_stream_begins_with_where_it_stands_and_goes_on_with_what_happens(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    gateway.say("before", ann)
    stream = open_stream(gateway, ann)
    assert stream.status == 200
    assert stream.headers["content-type"] == "text/event-stream; charset=utf-8"
    assert stream.headers["x-accel-buffering"] == "no"
    assert stream.headers["cache-control"] == "no-store"
    assert re.fullmatch(rb": welcome\nretry: \d+\nid: [a-z0-9]{8}-2\n\n", stream.body)
    said = gateway.say("hello", ann)
    gateway.run(stream.until(lambda: len(stream.events) == 1))
    assert stream.events == [{"id": said["id"], "type": "message.posted", "room": "lobby", "message": said}]
    assert "event:" not in stream.body.decode()
    gateway.run(stream.hang_up())


def test_a_stream_goes_on_from_its_last_event_id(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    here = cursor(gateway, ann)
    gateway.say("missed", ann)
    for headers, address in (
        ({"last-event-id": here}, "/api/events"),
        ({}, f"/api/events?after={here}"),
        ({"last-event-id": here}, "/api/events?after=0"),
    ):
        stream = open_stream(gateway, {**ann, **headers}, address)
        gateway.run(stream.until(lambda: len(stream.events) == 1))  # noqa: B023
        assert texts(stream.events) == ["missed"]
        gateway.run(stream.hang_up())


def test_a_page_that_is_a_moment_ahead_of_the_hub_is_not_sent_to_reload(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    hub = gateway.door.hub
    assert hub is not None
    gateway.say("one", ann)
    now = cursor(gateway, ann)
    hub.intake._order.jump(hub.position - 1)  # The hub has not heard of it yet; the page has read it from the log.
    assert gateway.get(f"/api/events?after={now}", ann).json() == {"events": [], "cursor": now}


@pytest.mark.parametrize("headers", [{}, {"authorization": "Bearer x"}, {"authorization": "Basic QW5uOng="}])
def test_strangers_follow_nothing(gateway: Gateway, headers: dict[str, str]) -> None:
    for accept in ({}, SSE):
        answer = gateway.get("/api/events", {**headers, **accept})
        assert (answer.status, answer.headers["content-type"]) == (401, "application/problem+json")
        assert answer.headers["www-authenticate"] == "Bearer"


def test_another_site_follows_nothing_with_my_cookie(gateway: Gateway) -> None:
    entered = gateway.request("POST", "/", {"content-type": "application/x-www-form-urlencoded"}, "username=Ann")
    cookie = {"cookie": entered.headers["set-cookie"].partition(";")[0]}
    for headers, status in (
        ({}, 200),
        ({"sec-fetch-site": "same-origin"}, 200),
        ({"origin": "http://chat.test"}, 200),
        ({"sec-fetch-site": "cross-site"}, 403),
        ({"sec-fetch-site": "same-site"}, 403),
        ({"origin": "http://evil.test"}, 403),
    ):
        assert gateway.get("/api/events", {**cookie, **headers}).status == status, headers
    elsewhere = {**cookie, **SSE, "sec-fetch-site": "cross-site"}
    assert gateway.get("/api/events", elsewhere).status == 403


def revoke(gateway: Gateway, headers: dict[str, str]) -> None:
    session = gateway.chat.sessions.find(headers["authorization"].removeprefix("Bearer "))
    assert session is not None
    gateway.chat.db.write(lambda transaction: sessions.revoke(transaction, session.id))


def test_a_session_that_ends_ends_its_stream_and_its_poll(gateway: Gateway) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    here = cursor(gateway, ann)
    stream = open_stream(gateway, ann)

    async def scene() -> Stream:
        poll = gateway.stream(f"/api/events?after={here}&wait=25", ann)
        for _ in range(50):
            await asyncio.sleep(0)
        await asyncio.to_thread(revoke, gateway, ann)
        await stream.until(lambda: stream.ended)
        await poll.until(lambda: poll.ended)
        return poll

    poll = gateway.run(scene())
    gateway.say("a secret", bob)
    assert "a secret" not in stream.body.decode() + poll.body.decode()
    assert gateway.get("/api/events", ann).status == 401


def test_a_session_that_ends_while_its_stream_is_opened_follows_nothing(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    real = stream.Readers.audience

    async def slowly(readers: stream.Readers, session: Session) -> Audience:
        found = await real(readers, session)
        await asyncio.to_thread(revoke, gateway, ann)
        for _ in range(50):
            await asyncio.sleep(0)
        return found

    monkeypatch.setattr(stream.Readers, "audience", slowly)
    opened = open_stream(gateway, ann)
    gateway.say("a secret", bob)

    async def rest() -> None:
        for _ in range(50):
            await asyncio.sleep(0)

    gateway.run(rest())
    secret = b"a secret" in opened.body
    gateway.run(opened.hang_up())
    assert not secret


def test_a_browser_opens_so_many_streams_and_no_more(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    monkeypatch.setattr(stream, "MOST_OPEN", 2)
    gateway.chat.limits.on = True
    open_streams = [open_stream(gateway, ann) for _ in range(2)]
    refused = gateway.get("/api/events", {**ann, **SSE})
    assert (refused.status, refused.headers["retry-after"]) == (429, "10")
    other = open_stream(gateway, bob)
    assert other.status == 200
    gateway.run(open_streams[0].hang_up())
    again = open_stream(gateway, ann)
    assert again.status == 200
    for each in (open_streams[1], other, again):
        gateway.run(each.hang_up())


def test_when_the_chat_stops_streams_end_and_polls_are_answered(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    here = cursor(gateway, ann)
    stream = open_stream(gateway, ann)

    async def scene() -> Stream:
        poll = gateway.stream(f"/api/events?after={here}&wait=25", ann)
        for _ in range(50):
            await asyncio.sleep(0)
        await gateway.door.close()
        await stream.until(lambda: stream.ended)
        await poll.until(lambda: poll.ended)
        return poll

    poll = gateway.run(scene())
    assert re.search(rb"retry: \d+\n\n\Z", stream.body)
    assert poll.status == 200
    assert b'"events":[]' in poll.body
    late = gateway.get("/api/events", ann)
    assert (late.status, late.headers["retry-after"]) == (503, "1")


def test_what_was_lost_on_the_way_is_read_from_the_log(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    stream = open_stream(gateway, ann)
    publish = gateway.chat.db.listeners.pop()
    gateway.say("lost on the bus", ann)
    gateway.chat.db.listeners.append(publish)
    gateway.say("heard", ann)
    gateway.run(stream.until(lambda: len(stream.events) == 2))
    assert texts(stream.events) == ["lost on the bus", "heard"]
    gateway.run(stream.hang_up())


def test_events_of_a_stream_are_those_of_a_poll(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    stream = open_stream(gateway, ann, "/api/events?after=0")
    for text in ("one", "two\nlines", "<three>"):
        gateway.say(text, ann)
    gateway.run(stream.until(lambda: len(stream.events) == 4))
    assert gateway.get("/api/events?after=0", ann).json()["events"] == stream.events
    assert {each["type"] for each in stream.events} <= events.TYPES
    gateway.run(stream.hang_up())
