"""The short way to a reader's socket: byte for byte what the server's own way writes, and only where that is sure."""

from __future__ import annotations

import asyncio
import logging
import time
from typing import Any, cast

import pytest
from starlette.types import Send
from uvicorn.protocols.http.flow_control import FlowControl
from uvicorn.protocols.http.httptools_impl import RequestResponseCycle

from flask_chat.chat.people import Person
from flask_chat.chat.sessions import Session
from flask_chat.live import wire
from flask_chat.live.connection import Connection

from .readers import LOBBY, Log, LogHub, Reader, a_hub, frames, person, turns


class Transport:
    """A socket that keeps what is written to it."""

    def __init__(self) -> None:
        self.written = b""

    def write(self, data: bytes) -> None:
        self.written += data

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...

    def close(self) -> None: ...


def response(transport: Transport, method: str = "GET") -> RequestResponseCycle:
    """A response of the server that the chat runs on."""
    socket = cast(asyncio.Transport, transport)
    nobody = logging.getLogger("a test")
    return RequestResponseCycle(
        scope={"type": "http", "method": method, "http_version": "1.1"},  # type: ignore[typeddict-item]
        transport=socket,
        flow=FlowControl(socket),
        logger=nobody,
        access_logger=nobody,
        access_log=False,
        default_headers=[],
        message_event=asyncio.Event(),
        expect_100_continue=False,
        keep_alive=True,
        on_response=lambda: None,
    )


async def begin(cycle: RequestResponseCycle, headers: list[tuple[bytes, bytes]]) -> Send:
    send = cast(Send, cycle.send)
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    return send


@pytest.mark.parametrize("body", [b"x", b"id: a-1\ndata: {}\n\n", b"x" * 70_000])
def test_the_short_way_writes_what_the_servers_own_way_writes(body: bytes) -> None:
    async def scene() -> None:
        long, short = Transport(), Transport()
        for transport, directly in ((long, False), (short, True)):
            send = await begin(response(transport), [])
            found = wire.wire(send)
            assert found is not None
            if directly:
                found.write(wire.chunk(body))
            else:
                await send({"type": "http.response.body", "body": body, "more_body": True})
            await send({"type": "http.response.body", "body": b"", "more_body": False})
        assert short.written == long.written
        assert short.written.endswith(body + b"\r\n0\r\n\r\n")

    asyncio.run(scene())


def test_there_is_no_short_way_where_it_is_not_sure() -> None:
    async def plain(message: Any) -> None: ...

    async def scene() -> None:
        assert wire.wire(plain) is None, "another server"
        assert wire.wire(cast(Send, response(Transport()).send)) is None, "not begun"
        assert wire.wire(await begin(response(Transport()), [(b"content-length", b"3")])) is None, "not in chunks"
        assert wire.wire(await begin(response(Transport(), "HEAD"), [])) is None, "nothing to write"

    asyncio.run(scene())


def test_a_reader_on_the_short_way_gets_the_log_once_whether_it_pauses_or_not() -> None:
    async def scene() -> None:
        log = Log()
        async with a_hub(log) as hub, asyncio.timeout(10):
            transport, connection, cycle = await joined(hub)
            for step in range(30):
                if step == 10:
                    cycle.flow.pause_writing()
                if step == 20:
                    cycle.flow.resume_writing()
                hub.receive(log.append(LOBBY))
                await turns(step % 3)
            await turns()
            expected = b"".join(b"id: cursor-%d\n" % id for id in range(1, 31))
            lines = [line for line in transport.written.splitlines(keepends=True) if line.startswith(b"id: cursor-")]
            assert b"".join(lines) == expected
            before = transport.written
            cycle.disconnected = True
            hub.receive(log.append(LOBBY))
            await turns()
            assert transport.written == before, "nothing is written to who has gone"
            hub.leave(connection)

    asyncio.run(scene())


def test_who_takes_what_it_is_given_has_caught_up_after_a_few_reads_and_who_does_not_gets_little_at_once() -> None:
    async def scene() -> None:
        log = Log()
        log.append(*[LOBBY] * 2_000)
        async with a_hub(log) as hub, asyncio.timeout(10):
            transport, _, _ = await joined(hub)
            assert (transport.written.count(b"\ndata: "), log.reads) == (2_000, 3)
            log.reads = 0
            slow = Reader(hub, cursor=0)
            await turns()
            assert (len(slow.got), log.reads) == (2_000, 84)

    asyncio.run(scene())


async def joined(hub: LogHub) -> tuple[Transport, Connection, RequestResponseCycle]:
    transport = Transport()
    cycle = response(transport)
    send = await begin(cycle, [])
    session = Session(1, Person(1, "Ann", "member", 0), int(time.time() * 1000))
    connection = Connection(send, session, person(1, LOBBY), frames(), 0)
    connection.task = None
    hub.join(connection)
    await hub.catch_up(connection)
    assert connection.live
    return transport, connection, cycle
