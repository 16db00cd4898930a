"""Every request has an id: in its answer, in each line that is written about it, on every process that knows of it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import logging
import re
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import structlog
from starlette.types import Receive, Scope, Send
from structlog.testing import capture_logs

from flask_chat import logs
from flask_chat.bus.redis import _ENCODER, _HINTS, Hint, RedisBus
from flask_chat.db import Database, StorageUnavailable, Transaction
from flask_chat.events import Event
from flask_chat.http import asgi, request_ids
from flask_chat.server import Proxies

from ..engines import Postgres, Redis
from ..live.readers import turns
from ..servers import ChatServer
from ..setups import two
from .gateway import Answer, Gateway, call, scope

MADE = re.compile(r"[0-9a-f]{8}-[0-9a-f]+")


def id_of(answer: Answer) -> str:
    return answer.headers["x-request-id"]


def test_every_answer_carries_an_id_of_its_own(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    form = {**ann, "content-type": "application/x-www-form-urlencoded"}
    answers = [
        gateway.get("/up"),
        gateway.get("/up?full"),
        gateway.get("/metrics"),
        gateway.get("/"),
        gateway.get("/rooms/lobby", ann),
        gateway.get("/no/such/page"),
        gateway.get("/static/x/css/base.css"),
        gateway.get("/static/x/none"),
        gateway.post("/api/rooms/lobby/messages", {"text": "hello"}, ann),
        gateway.post("/api/rooms/lobby/messages", {}, ann),
        gateway.request("POST", "/rooms/lobby/messages", form, "message=hello"),
        gateway.request("POST", "/rooms/lobby/messages", form, "message="),
        gateway.get("/api/events", ann),
        gateway.get("/api/events?after=0", ann),
        gateway.get("/api/events?after=x", ann),
        gateway.get("/api/events"),
        gateway.get("/rooms/lobby/timeline"),
    ]
    ids = [id_of(answer) for answer in answers]
    assert all(MADE.fullmatch(id) for id in ids)
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("address", ["/api/events", "/rooms/lobby/timeline"])
def test_a_stream_carries_its_id_too(gateway: Gateway, address: str) -> None:
    ann = gateway.bearer("Ann")

    async def follow() -> dict[str, str]:
        streams = [gateway.stream(address, {**ann, "accept": "text/event-stream"}) for _ in range(2)]
        for stream in streams:
            await stream.until(lambda stream=stream: stream.body != b"")  # type: ignore[misc]
            await stream.hang_up()
        assert streams[0].headers["x-request-id"] != streams[1].headers["x-request-id"]
        return streams[0].headers

    assert MADE.fullmatch(gateway.run(follow())["x-request-id"])


async def _echo(scope: Scope, receive: Receive, send: Send) -> None:
    await asgi.respond(send, 200, [], scope.get(request_ids.KEY, "none").encode())


def told(peer: str, *sent: tuple[bytes, bytes], trusted: str = "127.0.0.1,10.0.0.0/8") -> str:
    """The id that the chat takes from a request's headers; "none" if it makes one itself."""
    request = scope("GET", "/", client=(peer, 50000))
    request["headers"] += sent
    return asyncio.run(call(Proxies(_echo, trusted), request)).text  # type: ignore[arg-type]


def test_a_proxy_that_is_trusted_may_choose_the_id_and_nobody_else() -> None:
    sent = (b"x-request-id", b"abc-DEF_123")
    assert told("127.0.0.1", sent) == told("10.1.2.3", sent) == "abc-DEF_123"
    assert told("192.0.2.7", sent) == told("11.0.0.1", sent) == told("", sent) == "none"
    assert told("192.0.2.7", sent, trusted="*") == "abc-DEF_123"
    # It is the proxy itself that counts, not the one for whom it asks.
    assert told("10.1.2.3", sent, (b"x-forwarded-for", b"192.0.2.7")) == "abc-DEF_123"
    assert told("192.0.2.7", sent, (b"x-forwarded-for", b"127.0.0.1")) == "none"


@pytest.mark.parametrize("id", [b"", b"a b", b"a" * 65, b"a\n", b'a"', b"\xc3\xa9", b"../a", b"a,b", b"$(id)"])
def test_an_id_that_is_none_is_not_taken_from_anybody(id: bytes) -> None:
    assert told("127.0.0.1", (b"x-request-id", id)) == "none"


@pytest.fixture
def everything_is_logged() -> Iterator[None]:
    before = structlog.get_config()["wrapper_class"]
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.DEBUG))
    yield
    structlog.configure(wrapper_class=before)


@pytest.mark.usefixtures("everything_is_logged")
def test_a_request_is_logged_with_its_id_whichever_thread_it_is_that_logs(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = gateway.bearer("Ann")
    with capture_logs(processors=[logs.mark("here-1-f00")]) as lines:
        monkeypatch.setattr(gateway.chat.timelines, "latest", None)
        broken = gateway.get("/rooms/lobby", ann)
        posted = gateway.post("/api/rooms/lobby/messages", {"text": "hello"}, ann)
    assert broken.status == 500
    seen = [(line["event"], line["request_id"]) for line in lines if "request_id" in line]
    assert ("request.failed", id_of(broken)) in seen
    assert ("request", id_of(broken)) in seen
    assert ("committed", id_of(posted)) in seen
    assert ("request", id_of(posted)) in seen
    assert all(line["node"] == "here-1-f00" for line in lines)


def test_what_fails_in_the_writer_names_all_whose_work_it_was(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    database: Database = gateway.chat.db
    ann = gateway.bearer("Ann")
    held, begun = threading.Event(), threading.Event()

    def hold(transaction: Transaction, items: list[None]) -> list[None]:
        begun.set()
        assert held.wait(10)
        return items

    def fail(*_: Any) -> None:
        raise OSError("away")

    def explain(error: Exception) -> tuple[Exception, dict[str, object]]:
        return StorageUnavailable("away"), {}

    async def post() -> list[Answer]:
        first = database.submit_from_loop(hold, None)
        # Not in one commit with what is to fail.
        while not begun.is_set():
            await turns(1)
        request = {"text": "hello"}
        both = [
            asyncio.ensure_future(
                call(
                    gateway.door,
                    scope("POST", "/api/rooms/lobby/messages", {**ann, "content-type": "application/json"}),
                    json.dumps(request).encode(),
                )
            )
            for _ in range(2)
        ]
        while database._jobs.qsize() < 2:
            await turns(1)
        monkeypatch.setattr("flask_chat.db.database._commit", fail)
        monkeypatch.setattr(database.backend, "explain", explain)
        held.set()
        await first
        return list(await asyncio.gather(*both))

    with capture_logs(processors=[logs.mark("here")]) as lines:
        answers = gateway.run(post())
    assert [answer.status for answer in answers] == [503, 503]
    [line] = [line for line in lines if line["event"] == "storage.failed"]
    assert sorted(line["request_ids"]) == sorted(map(id_of, answers))


def test_a_hint_tells_other_nodes_by_which_requests_it_came_about(redis: Redis) -> None:
    here, there = (RedisBus(redis.url, "test:request-ids", node) for node in ("here", "there"))
    heard: list[tuple[int, tuple[str, ...]]] = []
    there.subscribe(lambda events: heard.append((events[0].id, logs.request_ids.get())))
    try:
        assert here.listening.wait(10)
        assert there.listening.wait(10)
        before = logs.request_ids.set(("a-1", "a-2"))
        here.publish([Event(1, "message.posted", 1, None, 1, b"{}")])
        logs.request_ids.reset(before)
        here.publish([Event(2, "message.posted", 1, None, 2, b"{}")])
        until = time.monotonic() + 10
        while len(heard) < 2:
            assert time.monotonic() < until
            time.sleep(0.002)
    finally:
        here.close()
        there.close()
    assert heard == [(1, ("a-1", "a-2")), (2, ())]


def test_a_hint_of_a_node_that_knows_no_ids_is_understood() -> None:
    event = (1, "message.posted", 1, None, 1, b"{}", "", "")
    before = _ENCODER.encode(["there", "epoch", [event]])
    assert _HINTS.decode(before) == Hint("there", "epoch", [event], ())


def test_one_search_over_the_logs_of_all_nodes_finds_where_a_message_came_in_and_where_it_went(
    tmp_path: Path, postgres: Postgres, redis: Redis
) -> None:
    with two(tmp_path, postgres, redis.url, FLASK_CHAT_LOG="debug") as set_up:
        a, b = set_up.nodes
        with contextlib.closing(a.client("Ann")) as ann:
            sent = {"X-Request-ID": "a-request-of-Anns"}
            posted = ann.post("/rooms/lobby/messages", data={"message": "a secret"}, headers=sent)
            assert posted.headers["x-request-id"] == "a-request-of-Anns"
        until = time.monotonic() + 10
        while "delivered" not in found(b):
            assert time.monotonic() < until, b.log.read_text()
            time.sleep(0.02)
        assert sorted(found(a)) == ["committed", "delivered", "request"]
        assert found(b) == ["delivered"]
        assert "a secret" not in a.log.read_text() + b.log.read_text()


def found(server: ChatServer) -> list[str]:
    """What a node's log says about that request."""
    lines = [json.loads(line) for line in server.log.read_text().splitlines() if "a-request-of-Anns" in line]
    assert len({line["node"] for line in lines}) <= 1
    return [line["event"] for line in lines]
