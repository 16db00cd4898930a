"""Readers that come back by themselves, and a sender that tries again, as the page's script does."""

import asyncio
import json
import random
import re
import time
from collections.abc import Sequence

FIRST, LONGEST = 0.5, 15.0
"""Seconds: the script's first pause after a failure, at most, and its longest (static/js/backoff.js)."""

SOON = 0.05
"""Seconds after which the sender tries again: it is impatient, so that it is not its pause that is measured."""

_EVENT = re.compile(rb"^id: (\w+-(\d+))\ndata: .+\n\n", re.MULTILINE)
_RETRY = re.compile(rb"^retry: (\d+)\n", re.MULTILINE)


class Failed(Exception):
    """Nobody answered as one wishes."""


class Reader:
    """Follows the log from a cursor on, at any of the ports that lets it in, and comes back when it is sent away.

    ``blackouts`` has, for each time that its stream ended, the seconds between its last event before that and the first
    after it. ``events`` counts them; ``faults`` has those that were not the next one.
    """

    def __init__(self, ports: Sequence[int], cookie: str, cursor: str) -> None:
        self.events = 0
        self.blackouts: list[float] = []
        self.faults: list[str] = []
        self.port = 0
        self.connected = asyncio.Event()
        self._ports, self._cookie = list(ports), cookie
        self._place, self._cursor = int(cursor.rpartition("-")[2]), cursor
        self._heard = 0.0
        self._ended = False
        self._failures = 0

    @property
    def place(self) -> int:
        """The id of the last event."""
        return self._place

    async def run(self) -> None:
        """Reads until cancelled."""
        while True:
            self.connected.clear()
            try:
                pause = await self._follow()
            except (OSError, Failed, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
                self._failures += 1
                pause = min(LONGEST, FIRST * 2 ** (self._failures - 1)) * random.uniform(0.5, 1)
            self._ended = self._heard > 0
            await asyncio.sleep(pause)

    async def _follow(self) -> float:
        """One stream to its end; returns the seconds after which the server wants to see us again."""
        reader, writer = await self._connect()
        try:
            writer.write(
                f"GET /api/events HTTP/1.1\r\nHost: 127.0.0.1:{self.port}\r\nAccept: text/event-stream\r\n"
                f"Cookie: {self._cookie}\r\nLast-Event-ID: {self._cursor}\r\n\r\n".encode()
            )
            head = await reader.readuntil(b"\r\n\r\n")
            if b" 200 " not in head.partition(b"\r\n")[0]:
                raise Failed
            self.connected.set()
            retry = 0.0
            while size := int(await reader.readuntil(b"\r\n"), 16):
                chunk = await reader.readexactly(size + 2)
                self._failures = 0
                self._take(chunk)
                for milliseconds in _RETRY.findall(chunk):
                    retry = int(milliseconds) / 1000
            return retry
        finally:
            writer.close()

    async def _connect(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        """To any port that takes us, as a proxy in front of all of them would have it."""
        for port in random.sample(self._ports, len(self._ports)):
            try:
                connection = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                continue
            self.port = port
            return connection
        raise Failed

    def _take(self, chunk: bytes) -> None:
        now = time.monotonic()
        for cursor, id in _EVENT.findall(chunk):
            if self._ended:
                self.blackouts.append(now - self._heard)
                self._ended = False
            if int(id) != self._place + 1:
                self.faults.append(f"{int(id)} after {self._place}")
            self._place, self._cursor = int(id), cursor.decode()
            self._heard = now
            self.events += 1


class Sender:
    """Posts so many times a second, one after another, each until it is answered: ``acknowledged`` are the texts."""

    def __init__(self, ports: Sequence[int], cookie: str, rate: float) -> None:
        self.acknowledged: list[str] = []
        self._ports, self._cookie, self._rate = list(ports), cookie, rate
        self._connection: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def run(self, enough: asyncio.Event) -> None:
        """Posts until it is enough."""
        number = 0
        due = time.monotonic()
        while not enough.is_set():
            await self._post(f"post-{number}")
            number += 1
            due = max(due + 1 / self._rate, time.monotonic())
            await asyncio.sleep(due - time.monotonic())
        self._hang_up()

    async def _post(self, text: str) -> None:
        body = json.dumps({"text": text, "client_id": text})
        while True:
            try:
                status = await asyncio.wait_for(self._ask(body), 5)
            except (OSError, TimeoutError, asyncio.IncompleteReadError):
                status = 0
            if status in (200, 201):
                self.acknowledged.append(text)
                return
            self._hang_up()
            await asyncio.sleep(SOON)

    async def _ask(self, body: str) -> int:
        if self._connection is None:
            self._ports.append(self._ports.pop(0))
            self._connection = await asyncio.open_connection("127.0.0.1", self._ports[0])
        reader, writer = self._connection
        writer.write(
            f"POST /api/rooms/lobby/messages HTTP/1.1\r\nHost: 127.0.0.1:{self._ports[0]}\r\n"
            f"Content-Type: application/json\r\nCookie: {self._cookie}\r\n"
            f"Content-Length: {len(body)}\r\n\r\n{body}".encode()
        )
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        length = re.search(r"^content-length: (\d+)", head, re.MULTILINE)
        await reader.readexactly(int(length[1]) if length else 0)
        if "\r\nconnection: close" in head:
            self._hang_up()
        return int(head.split()[1])

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection[1].close()
            self._connection = None
