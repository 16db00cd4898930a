"""A reader that takes next to nothing costs next to nothing, holds nobody up, and misses nothing in the end."""

from __future__ import annotations

import http.client
import json
import socket
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest

from ..checker import Checker
from ..figures import Tell
from ..servers import ChatServer, serving
from . import wire
from .clients import StreamReader, cursor, history, program, say, token_of, within

MOST = 256
"""KiB that the server may hold for one such reader."""

SLOW = 32

CONNECTIONS = 8

# Given up after a moment instead of a minute.
IMPATIENT = "import flask_chat.live.hub\nflask_chat.live.hub.PATIENCE = 1.0"


def memory(server: ChatServer) -> int:
    """The server's resident memory, in KiB."""
    status = Path(f"/proc/{server.pid}/status").read_text()
    return int(status.split("VmRSS:")[1].split()[0])


def held_by_the_system(server: ChatServer) -> int:
    """What the system holds of what the server has written and nobody has taken, in KiB."""
    queued = 0
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, _, _, queues, *_ = line.split()
        if int(local.partition(":")[2], 16) == server.port:
            queued += int(queues.partition(":")[0], 16)
    return queued // 1024


class SlowReader:
    """An event stream of which one byte is read now and then."""

    def __init__(self, server: ChatServer, token: str, cursor: str) -> None:
        self.cursor = cursor
        self.messages: list[dict[str, object]] = []
        self.sock = wire.connect(server, buffer=2048)
        headers = {
            "Authorization": f"Bearer {token}",
            "Accept": "text/event-stream",
            "Last-Event-ID": cursor,
        }
        self.sock.sendall(wire.head("GET", "/api/events", headers))
        self._got = bytearray()

    def sip(self) -> None:
        self._got += self.sock.recv(1)

    def drink(self) -> None:
        """Read on as fast as can be until the stream is level or was ended, and keep what came whole."""
        self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 20)
        self.sock.settimeout(2)
        try:
            while more := self.sock.recv(1 << 20):
                self._got += more
                if self._got.find(b'"text":"the last one"', -4000) >= 0:
                    break
        except (TimeoutError, ConnectionResetError):
            pass
        finally:
            self.sock.close()
        self._parse()

    def _parse(self) -> None:
        stream = bytearray()
        at = self._got.find(b"\r\n\r\n") + 4
        while (end := self._got.find(b"\r\n", at)) >= 0:
            size = int(self._got[at:end], 16)
            # The last chunk may have come in part: what of it is whole counts.
            stream += self._got[end + 2 : end + 2 + size]
            at = end + 2 + size + 2
        for block in bytes(stream).split(b"\n\n")[:-1]:
            lines = dict(line.split(b": ", 1) for line in block.split(b"\n") if b": " in line)
            if b"id" in lines:
                self.cursor = lines[b"id"].decode()
            if b"data" in lines:
                self.messages.append(json.loads(lines[b"data"])["message"])


@pytest.mark.parametrize(
    ("size", "number", "behind"),
    [
        pytest.param(400, 2400, False, id="many short messages"),
        pytest.param(9000, 480, False, id="few long ones", marks=pytest.mark.slow),
        pytest.param(9000, 240, True, id="few long ones, read from the beginning", marks=pytest.mark.slow),
    ],
)
def test_readers_that_take_a_byte_a_second_cost_little_delay_nobody_and_miss_nothing(
    server: ChatServer,
    closing_later: ExitStack,
    tell: Tell,
    size: int,
    number: int,
    behind: bool,
) -> None:
    checker = Checker()
    ann, bob = (closing_later.enter_context(program(server, name)) for name in ("Ann", "Bob"))
    start = cursor(ann)

    def flood(first: int) -> None:
        """Post by a few connections at once, so that it takes no longer than it must."""
        share = number // CONNECTIONS
        threads = [
            threading.Thread(target=_post, args=(server, checker, token_of(ann), first + at * share, share, size))
            for at in range(CONNECTIONS)
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    quick = StreamReader(server, token_of(bob), start)
    quick.start()
    quick.wait_open()
    # The same flood without slow readers first: what the server itself grows by is not theirs.
    flood(0)
    flood(number)
    last = history(bob)[-1]["id"]
    quick.wait_for(last)
    # Nor what it grows by when the log is read from the beginning at all.
    first = StreamReader(server, token_of(bob), start)
    first.start()
    first.wait_for(last)
    first.finish()
    before = memory(server)
    at = start if behind else cursor(ann)
    slow = [SlowReader(server, token_of(bob), at) for _ in range(SLOW)]
    for reader in slow:
        closing_later.callback(reader.sock.close)
        reader.sip()
    flood(2 * number)
    kept = history(bob)
    for reader in slow:
        reader.sip()
    quick.wait_for(kept[-1]["id"], seconds=5)
    grown = (memory(server) - before) / SLOW
    queued = held_by_the_system(server) / SLOW
    tell(
        f"{SLOW} readers of 1 byte/s, {number * size / 1e6:.1f} MB of text in {number} messages: "
        f"{grown:.0f} KiB each in the server, {queued:.0f} KiB each in the system"
    )

    sent = checker.sending("Ann", "last", "the last one")
    checker.answered(sent, say(ann, "the last one", "last").json())
    kept = history(bob)
    after = int(at.rpartition("-")[2])
    for index, reader in enumerate(slow):
        reader.drink()
        if not reader.messages or reader.messages[-1]["id"] != kept[-1]["id"]:
            # The server gave it up: it comes back with its cursor.
            again = StreamReader(server, token_of(bob), reader.cursor)
            again.start()
            again.wait_for(kept[-1]["id"])
            again.finish()
            reader.messages += again.messages
        checker.read(f"slow reader {index}", reader.messages, after=after)
    quick.finish()
    checker.read("the quick one", quick.messages)
    verdict = checker.verdict(kept)
    assert not verdict, verdict
    assert grown <= MOST


def _post(server: ChatServer, checker: Checker, token: str, first: int, count: int, size: int) -> None:
    """Post again and again on one connection. A library for requests would take longer than the server."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    headers = {"Authorization": f"Bearer {token}", "Content-Type": "application/json"}
    for each in range(first, first + count):
        text = f"{each} {'flood ' * (size // 6)}".strip()
        sent = checker.sending("Ann", f"c{each}", text)
        contents = json.dumps({"text": text, "client_id": f"c{each}"})
        connection.request("POST", "/api/rooms/lobby/messages", contents, headers)
        checker.answered(sent, json.loads(connection.getresponse().read()))
    connection.close()


def test_a_reader_that_takes_nothing_for_too_long_is_given_up_and_comes_back_with_its_cursor(
    tmp_path: Path, closing_later: ExitStack
) -> None:
    with serving(tmp_path / "data", IMPATIENT, FLASK_CHAT_LIMITS="off") as server, program(server, "Ann") as ann:
        reader = SlowReader(server, token_of(ann), cursor(ann))
        closing_later.callback(reader.sock.close)
        reader.sip()
        _post(server, Checker(), token_of(ann), 0, 400, 5000)
        within(10, lambda: _given_up(server, reader.sock), "a reader that takes nothing is given up")
        reader.drink()
        again = StreamReader(server, token_of(ann), reader.cursor)
        again.start()
        kept = history(ann)
        again.wait_for(kept[-1]["id"])
        again.finish()
        assert [message["id"] for message in (*reader.messages, *again.messages)] == [each["id"] for each in kept]


def _given_up(server: ChatServer, sock: socket.socket) -> bool:
    """Whether the server has let go of a connection, whatever the system still has to deliver on it."""
    here = sock.getsockname()[1]
    for line in Path("/proc/net/tcp").read_text().splitlines()[1:]:
        _, local, remote, state, *_ = line.split()
        if (int(local[9:], 16), int(remote[9:], 16)) == (server.port, here):
            return state != "01"
    return True
