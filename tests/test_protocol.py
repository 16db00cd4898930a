"""Clients that begin something and do not go on with it, on real sockets."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from flask_chat import protocol
from flask_chat.protocol import Cork, Protocol

GET = b"GET / HTTP/1.1\r\nHost: chat\r\n\r\n"


@contextlib.asynccontextmanager
async def serving(app: Any) -> AsyncIterator[int]:
    settings = uvicorn.Config(app, lifespan="off", log_config=None, ws="none")
    settings.load()
    state = ServerState()
    server = await asyncio.get_running_loop().create_server(
        lambda: Protocol(config=settings, server_state=state, app_state={}), "127.0.0.1", 0
    )
    async with server:
        yield server.sockets[0].getsockname()[1]


async def answer(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"2")]})
    await send({"type": "http.response.body", "body": b"ok"})


@pytest.mark.parametrize("said", [b"", b"GET / HT", GET + b"GET /"])
def test_who_does_not_finish_a_requests_head_is_hung_up_on(monkeypatch: pytest.MonkeyPatch, said: bytes) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.05)

    async def scene() -> None:
        async with serving(answer) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(said)
            with contextlib.suppress(ConnectionError):
                async with asyncio.timeout(5):
                    await reader.read()
            writer.close()

    asyncio.run(scene())


def test_who_finishes_the_head_in_time_may_wait_for_the_answer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(protocol, "HEAD_WITHIN", 0.05)

    async def slow(scope: Any, receive: Any, send: Any) -> None:
        await asyncio.sleep(0.2)
        await answer(scope, receive, send)

    async def scene() -> None:
        async with serving(slow) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET)
            async with asyncio.timeout(5):
                assert b"ok" in await reader.readuntil(b"ok")
            writer.close()

    asyncio.run(scene())


def test_a_stream_with_another_request_in_line_behind_it_learns_that_its_client_left() -> None:
    async def scene() -> None:
        left = asyncio.Event()
        open = asyncio.Event()

        async def stream(scope: Any, receive: Any, send: Any) -> None:
            await send({"type": "http.response.start", "status": 200, "headers": []})
            await send({"type": "http.response.body", "body": b"welcome", "more_body": True})
            open.set()
            while (await receive())["type"] != "http.disconnect":
                pass
            left.set()

        async with serving(stream) as port:
            _, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(GET + GET)
            async with asyncio.timeout(5):
                await open.wait()
                writer.close()
                await left.wait()

    asyncio.run(scene())


class Socket:
    """A transport that remembers what was written to it, each time."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = self.aborted = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def is_closing(self) -> bool:
        return self.closed or self.aborted

    def close(self) -> None:
        self.closed = True

    def abort(self) -> None:
        self.aborted = True


class Cycle:
    """A response that has begun."""

    def __init__(self) -> None:
        self.transport: Any = Socket()
        self.response_started = True


@contextlib.asynccontextmanager
async def corked() -> AsyncIterator[tuple[Cycle, Socket]]:
    cycle = Cycle()
    socket = cycle.transport
    Cork(cycle, asyncio.get_running_loop())  # type: ignore[arg-type]
    yield cycle, socket


def test_an_answers_head_and_body_are_one_write() -> None:
    async def scene() -> None:
        async with corked() as (cycle, socket):
            cycle.transport.write(b"head")
            cycle.transport.write(b"body")
            assert socket.written == [b"headbody"]
            assert cycle.transport is socket, "a stream goes on without it"
            await asyncio.sleep(0)
            assert socket.written == [b"headbody"]

    asyncio.run(scene())


def test_a_head_that_nothing_follows_goes_alone_at_once() -> None:
    async def scene() -> None:
        async with corked() as (cycle, socket):
            standing = cycle.transport
            standing.write(b"head")
            assert socket.written == []
            await asyncio.sleep(0)
            assert socket.written == [b"head"]
            cycle.transport.write(b"piece")
            standing.write(b"another")
            assert socket.written == [b"head", b"piece", b"another"]

    asyncio.run(scene())


def test_what_is_held_back_goes_before_the_socket_closes_and_not_after_it_is_dropped() -> None:
    async def scene() -> None:
        async with corked() as (cycle, socket):
            cycle.transport.write(b"head")
            cycle.transport.close()
            assert (socket.written, socket.closed) == ([b"head"], True)
        async with corked() as (cycle, socket):
            cycle.transport.write(b"head")
            cycle.transport.abort()
            await asyncio.sleep(0)
            assert (socket.written, socket.aborted) == ([], True)
        async with corked() as (cycle, socket):
            cycle.transport.write(b"head")
            socket.close()
            await asyncio.sleep(0)
            assert socket.written == [], "its client left meanwhile"

    asyncio.run(scene())


def test_who_waits_to_be_told_to_go_on_is_told() -> None:
    async def echo(scope: Any, receive: Any, send: Any) -> None:
        body = (await receive())["body"]
        await send({"type": "http.response.start", "status": 200, "headers": [(b"content-length", b"5")]})
        await send({"type": "http.response.body", "body": body})

    async def scene() -> None:
        async with serving(echo) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            writer.write(b"POST / HTTP/1.1\r\nHost: chat\r\nContent-Length: 5\r\nExpect: 100-continue\r\n\r\n")
            async with asyncio.timeout(5):
                assert b"100 Continue" in await reader.readuntil(b"\r\n\r\n")
                writer.write(b"hello")
                assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
                assert await reader.readexactly(5) == b"hello"
            writer.close()

    asyncio.run(scene())


def test_a_head_without_a_body_is_answered_and_the_next_request_too() -> None:
    async def scene() -> None:
        async with serving(answer) as port:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            for method in (b"HEAD", b"GET", b"HEAD"):
                writer.write(GET.replace(b"GET", method))
                async with asyncio.timeout(5):
                    assert b"200 OK" in await reader.readuntil(b"\r\n\r\n")
                    if method == b"GET":
                        assert await reader.readexactly(2) == b"ok"
            writer.write(GET.replace(b"\r\n\r\n", b"\r\nConnection: close\r\n\r\n"))
            async with asyncio.timeout(5):
                assert (await reader.read()).endswith(b"ok")
            writer.close()

    asyncio.run(scene())
