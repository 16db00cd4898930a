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
from flask_chat.protocol import Protocol

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
