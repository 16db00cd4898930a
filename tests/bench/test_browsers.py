"""The bench's readers and sender, on a small server that goes away and comes back as it is told."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager, suppress

import pytest

from bench import browsers
from bench.browsers import Reader, Sender

PATIENCE = 5.0


class Place:
    """A server of event streams and posts. ``events`` are written to whoever comes, from its cursor on."""

    def __init__(self) -> None:
        self.events: list[int] = []
        self.refuse = 0
        self.asked: list[str] = []
        self.posted: list[str] = []
        self._streams: list[asyncio.StreamWriter] = []
        self._open: list[asyncio.StreamWriter] = []
        self._server: asyncio.Server | None = None
        self.port = 0

    async def open(self) -> None:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def close(self, farewell: bytes | None = b"retry: 10\n\n") -> None:
        """Take leave of every reader, or break off without a word."""
        assert self._server is not None
        self._server.close()
        for stream in self._streams:
            if farewell is not None:
                stream.write(chunk(farewell) + chunk(b""))
        for connection in self._open:
            connection.close()
        self._streams.clear()
        self._open.clear()
        await self._server.wait_closed()

    def say(self, *ids: int) -> None:
        self.events += ids
        for stream in self._streams:
            stream.write(chunk(b"".join(map(event, ids))))

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.append(writer)
        with suppress(asyncio.IncompleteReadError, ConnectionError):
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode()
                if head.startswith("GET"):
                    await self._follow(head, writer)
                else:
                    length = int(head.lower().partition("content-length: ")[2].partition("\r\n")[0])
                    self._take(json.loads(await reader.readexactly(length)), writer)

    async def _follow(self, head: str, writer: asyncio.StreamWriter) -> None:
        cursor = head.partition("Last-Event-ID: ")[2].partition("\r\n")[0]
        self.asked.append(cursor)
        missed = [id for id in self.events if id > int(cursor.rpartition("-")[2])]
        writer.write(
            b"HTTP/1.1 200 OK\r\ntransfer-encoding: chunked\r\n\r\n" + chunk(b": welcome\nretry: 20\nid: e-0\n\n")
        )
        if missed:
            writer.write(chunk(b"".join(map(event, missed))))
        self._streams.append(writer)

    def _take(self, body: dict[str, str], writer: asyncio.StreamWriter) -> None:
        if self.refuse:
            self.refuse -= 1
            writer.write(b"HTTP/1.1 503 Service Unavailable\r\ncontent-length: 2\r\nconnection: close\r\n\r\n{}")
            writer.close()
            return
        self.posted.append(body["client_id"])
        writer.write(b"HTTP/1.1 201 Created\r\ncontent-length: 2\r\n\r\n{}")


def event(id: int) -> bytes:
    return b'id: e-%d\ndata: {"id":%d}\n\n' % (id, id)


def chunk(body: bytes) -> bytes:
    return b"%x\r\n%b\r\n" % (len(body), body)


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(browsers, "FIRST", 0.02)
    monkeypatch.setattr(browsers, "SOON", 0.01)


def play(scene: Callable[[Place, Reader], Awaitable[None]]) -> Reader:
    """A reader at a place of its own, in a scene."""

    async def perform() -> Reader:
        async with reading() as (place, reader):
            await scene(place, reader)
            return reader

    return asyncio.run(perform())


@asynccontextmanager
async def reading() -> AsyncIterator[tuple[Place, Reader]]:
    place = Place()
    await place.open()
    reader = Reader([place.port], "bob=1", "e-0")
    task = asyncio.create_task(reader.run())
    try:
        yield place, reader
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await place.close()


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (what it waits for is not told)
            await asyncio.sleep(0.005)


@pytest.mark.parametrize("farewell", [b"retry: 10\n\n", None], ids=["asked to come back", "cut off"])
def test_a_reader_comes_back_with_its_cursor_and_knows_how_long_it_heard_nothing(farewell: bytes | None) -> None:
    async def scene(place: Place, reader: Reader) -> None:
        await until(lambda: bool(place.asked))
        place.say(1, 2)
        await until(lambda: reader.events == 2)
        await place.close(farewell)
        await asyncio.sleep(0.1)
        place.events.append(3)
        await place.open()
        await until(lambda: reader.events == 3)
        assert place.asked == ["e-0", "e-2"]

    reader = play(scene)
    assert reader.faults == []
    (blackout,) = reader.blackouts
    assert 0.1 <= blackout < PATIENCE


def test_a_reader_that_hears_one_event_after_another_has_no_blackout() -> None:
    async def scene(place: Place, reader: Reader) -> None:
        await until(lambda: bool(place.asked))
        place.say(1)
        place.say(2)
        await until(lambda: reader.events == 2)

    reader = play(scene)
    assert (reader.place, reader.blackouts, reader.faults) == (2, [], [])


def test_an_event_too_many_or_too_few_is_not_passed_over() -> None:
    async def scene(place: Place, reader: Reader) -> None:
        await until(lambda: bool(place.asked))
        place.say(1, 1, 3)
        await until(lambda: reader.events == 3)

    assert play(scene).faults == ["1 after 1", "3 after 1"]


def test_a_sender_tries_each_post_until_it_is_acknowledged() -> None:
    async def perform() -> tuple[Place, Sender]:
        place = Place()
        await place.open()
        sender, enough = Sender([place.port], "ann=1", rate=200), asyncio.Event()
        task = asyncio.create_task(sender.run(enough))
        await until(lambda: len(place.posted) >= 2)
        place.refuse = 3
        await until(lambda: len(place.posted) >= 5)
        enough.set()
        await task
        await place.close()
        return place, sender

    place, sender = asyncio.run(perform())
    assert sender.acknowledged == place.posted == [f"post-{number}" for number in range(len(place.posted))]
