"""What a person's browser is to the chat, and no more of it: one open event stream, and posts on a kept connection."""

from __future__ import annotations

import asyncio
import json
import re
import time
from array import array
from typing import cast

_END = b"\n\n\r\n"
_NOBODY = re.compile(rb"(?!)")
_LENGTH = re.compile(rb"\r\ncontent-length: *(\d+)", re.IGNORECASE)

_FOLLOW = (
    b"GET /api/events HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\nAuthorization: Bearer %b\r\n\r\n"
)
_POST = (
    b"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    b"Authorization: Bearer %b\r\nContent-Length: %d\r\n\r\n%b"
)


class Refused(Exception):
    """The chat answered otherwise than it should; the message is the first line of its answer."""


class Ear:
    """What all readers of a crowd have heard: nanoseconds from each post's start to each receipt.

    Only posts count whose ``client_id`` begins with ``window``; the rest of it is the moment that the post was begun.
    """

    def __init__(self) -> None:
        self._pattern = _NOBODY
        self._expected = 0
        self.heard = array("q")
        self.all = asyncio.Event()

    def listen(self, window: str, expected: int) -> None:
        """Forget everything, and count what belongs to this window from now on; ``all`` is set once it is so much."""
        self._pattern = re.compile(rb'"client_id":"%b-(\d+)' % window.encode())
        self._expected = expected
        self.heard = array("q")
        self.all = asyncio.Event()

    def hear(self, data: bytes, now: int) -> None:
        """Take whole events, which came at this moment."""
        for begun in self._pattern.findall(data):
            self.heard.append(now - int(begun))
            if len(self.heard) == self._expected:
                self.all.set()


class Reader(asyncio.Protocol):
    """An open event stream. ``welcomed`` is done with its first bytes, or fails with why there are none."""

    __slots__ = ("_ear", "_rest", "_token", "transport", "welcomed")

    def __init__(self, ear: Ear, token: str, welcomed: asyncio.Future[None]) -> None:
        self._ear, self._token = ear, token
        self._rest = b""
        self.welcomed: asyncio.Future[None] | None = welcomed
        self.transport: asyncio.Transport

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Ask for the stream."""
        self.transport = cast(asyncio.Transport, transport)
        self.transport.write(_FOLLOW % self._token.encode())

    def data_received(self, data: bytes) -> None:
        """Note the moment, for every post that is in what came."""
        now = time.monotonic_ns()
        if self.welcomed is not None:
            self._welcome(data)
        if self._rest or not data.endswith(_END):
            # A piece of an event: it is looked at once the rest of it has come.
            whole, end, self._rest = (self._rest + data).rpartition(_END)
            data = whole + end
        self._ear.hear(data, now)

    def connection_lost(self, _error: Exception | None) -> None:
        """Say so to who still waits for the welcome."""
        if self.welcomed is not None and not self.welcomed.done():
            self.welcomed.set_exception(Refused("it hung up"))

    def _welcome(self, data: bytes) -> None:
        assert self.welcomed is not None
        if not self.welcomed.done():
            line = data.partition(b"\r\n")[0].decode("latin-1")
            if line.startswith("HTTP/1.1 200"):
                self.welcomed.set_result(None)
            else:
                self.welcomed.set_exception(Refused(line))
        self.welcomed = None


class Poster(asyncio.Protocol):
    """A connection that posts, one message at a time."""

    def __init__(self) -> None:
        self._came = b""
        self._answer: asyncio.Future[str] | None = None
        self.transport: asyncio.Transport

    async def post(self, token: str, text: str, window: str) -> None:
        """Post as ``token``'s person, beginning now. Raises :class:`Refused` unless the message is kept."""
        self._answer = asyncio.get_running_loop().create_future()
        contents = json.dumps({"text": text, "client_id": f"{window}-{time.monotonic_ns()}"}).encode()
        self.transport.write(_POST % (token.encode(), len(contents), contents))
        line = await self._answer
        if not line.startswith("HTTP/1.1 201"):
            raise Refused(line)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the way out."""
        self.transport = cast(asyncio.Transport, transport)

    def data_received(self, data: bytes) -> None:
        """Hand the answer over once it is whole."""
        self._came += data
        head, end, body = self._came.partition(b"\r\n\r\n")
        length = _LENGTH.search(head)
        if end and length and len(body) >= int(length[1]):
            self._came = b""
            self._done(head.partition(b"\r\n")[0].decode("latin-1"))

    def connection_lost(self, _error: Exception | None) -> None:
        """There will be no answer."""
        self._done("it hung up")

    def _done(self, line: str) -> None:
        if self._answer is not None and not self._answer.done():
            self._answer.set_result(line)
