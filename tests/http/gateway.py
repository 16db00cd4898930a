"""The front door without a network: requests go in as ASGI calls, on an event loop that runs when a test says so."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import unquote_to_bytes

from flask import Flask
from starlette.types import ASGIApp, Message

from flask_chat.asgi import FrontDoor
from flask_chat.http.services import Services

Result = TypeVar("Result")


@dataclass
class Answer:
    """What came back, headers by their lower-case names."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode()

    def json(self) -> Any:
        return json.loads(self.body)


@dataclass
class Stream:
    """An answer that goes on: what was sent so far, and a way to stop reading and to hang up."""

    status: int = 0
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    ended: bool = False
    reading: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)
    written: asyncio.Event = field(default_factory=asyncio.Event)
    request: list[Message] = field(default_factory=list)
    task: asyncio.Task[None] | None = None

    def __post_init__(self) -> None:
        self.reading.set()

    async def send(self, message: Message) -> None:
        """As uvicorn does it: wait while the buffer is full, then write; never write after the end."""
        await self.reading.wait()
        assert not self.ended, "something was sent after the end"
        if message["type"] == "http.response.start":
            assert not self.status, "the answer began twice"
            self.status = message["status"]
            self.headers = {name.decode(): value.decode("latin-1") for name, value in message["headers"]}
        else:
            self.body += message.get("body", b"")
            if not message.get("more_body", False):
                self.ended = True
                self.gone.set()
        self.written.set()

    async def receive(self) -> Message:
        if self.request:
            return self.request.pop(0)
        await self.gone.wait()
        return {"type": "http.disconnect"}

    async def until(self, true: Callable[[], bool], seconds: float = 5) -> None:
        """Read until something holds."""
        async with asyncio.timeout(seconds):
            while not true():
                self.written.clear()
                await self.written.wait()

    async def hang_up(self) -> None:
        self.gone.set()
        if self.task is not None:
            await self.task

    @property
    def events(self) -> list[dict[str, Any]]:
        """The events of a stream of server-sent events."""
        return [
            json.loads(line.removeprefix("data: "))
            for block in self.body.decode().split("\n\n")
            for line in block.split("\n")
            if line.startswith("data: ")
        ]


def scope(method: str, address: str, headers: dict[str, str] | None = None, **more: Any) -> dict[str, Any]:
    """An ASGI scope as uvicorn makes it."""
    path, _, query = address.partition("?")
    sent = {"host": "chat.test", **(headers or {})}
    return {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": method,
        "scheme": "http",
        "path": unquote_to_bytes(path).decode("utf-8", "replace"),
        "raw_path": path.encode(),
        "query_string": query.encode(),
        "root_path": "",
        "headers": [(name.lower().encode(), value.encode("latin-1")) for name, value in sent.items()],
        "client": ("192.0.2.7", 50000),
        "server": ("chat.test", 80),
        **more,
    }


async def call(application: ASGIApp, scope: dict[str, Any], body: bytes = b"") -> Answer:
    """One request and its whole answer."""
    stream = Stream(request=[{"type": "http.request", "body": body, "more_body": False}])
    await application(scope, stream.receive, stream.send)
    assert stream.ended, "the answer has no end"
    return Answer(stream.status, stream.headers, stream.body)


class Gateway:
    """A front door that is open; ``limits`` and all else is the application's."""

    def __init__(self, app: Flask) -> None:
        self.chat: Services = app.extensions["flask_chat"]
        self.door = FrontDoor(app)
        self._runner = asyncio.Runner()
        self._orders: asyncio.Queue[Message]
        self._told: asyncio.Queue[Message]
        self.run(self._open())

    def run(self, work: Coroutine[Any, Any, Result]) -> Result:
        """Run the event loop until ``work`` is done."""
        return self._runner.run(work)

    def request(
        self, method: str, address: str, headers: dict[str, str] | None = None, body: bytes | str = b""
    ) -> Answer:
        data = body.encode() if isinstance(body, str) else body
        return self.run(call(self.door, scope(method, address, headers), data))

    def get(self, address: str, headers: dict[str, str] | None = None) -> Answer:
        return self.request("GET", address, headers)

    def post(self, address: str, contents: object, headers: dict[str, str] | None = None) -> Answer:
        """Post JSON."""
        return self.request(
            "POST", address, {"content-type": "application/json", **(headers or {})}, json.dumps(contents)
        )

    def stream(self, address: str, headers: dict[str, str] | None = None) -> Stream:
        """Open a stream; only while the loop runs."""
        stream = Stream(request=[{"type": "http.request", "body": b"", "more_body": False}])
        stream.task = asyncio.ensure_future(
            _finished(self.door(scope("GET", address, headers), stream.receive, stream.send))
        )
        return stream

    def bearer(self, username: str) -> dict[str, str]:
        """A new program's header, under a name that is free."""
        answer = self.post("/api/sessions", {"username": username})
        assert answer.status == 201, answer.text
        return {"authorization": f"Bearer {answer.json()['token']}"}

    def say(self, text: str, headers: dict[str, str], client_id: str | None = None) -> dict[str, Any]:
        answer = self.post("/api/rooms/lobby/messages", {"text": text, "client_id": client_id}, headers)
        assert answer.status == 201, answer.text
        message: dict[str, Any] = answer.json()
        return message

    def close(self) -> None:
        self.run(self._close())
        self._runner.close()

    async def _open(self) -> None:
        self._orders, self._told = asyncio.Queue(), asyncio.Queue()
        self._orders.put_nowait({"type": "lifespan.startup"})
        self._life = asyncio.ensure_future(
            _finished(self.door({"type": "lifespan", "asgi": {}}, self._orders.get, self._told.put))
        )
        assert (await self._told.get())["type"] == "lifespan.startup.complete"

    async def _close(self) -> None:
        self._orders.put_nowait({"type": "lifespan.shutdown"})
        await self._life


async def _finished(work: Any) -> None:
    await work
