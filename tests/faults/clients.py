"""Programs that talk and listen as a good client does: they retry with the same client id and resume by cursor.

Where a chat has several nodes, one that loses a node goes to the next.
"""

from __future__ import annotations

import http.client
import json
import random
import socket
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from typing import Any
from urllib.parse import quote

import httpx

from ..checker import Checker
from ..servers import ChatServer

PAUSE = 0.1
"""Seconds before a client that could not reach the server tries again."""

AGAIN = frozenset({429, 502, 503, 507})

Servers = ChatServer | Sequence[ChatServer]
"""One server, or the nodes of one chat."""


def program(server: ChatServer, username: str) -> httpx.Client:
    """A program that is signed in under a name with a token of its own."""
    with httpx.Client(base_url=server.url, timeout=20) as stranger:
        answer = stranger.post("/api/sessions", json={"username": username})
    assert answer.status_code == 201, answer.text
    return with_token(server, answer.json()["token"])


def with_token(server: ChatServer, token: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, timeout=20, headers={"authorization": f"Bearer {token}"})


def token_of(client: httpx.Client) -> str:
    return client.headers["authorization"].removeprefix("Bearer ")


def say(client: httpx.Client, text: str, client_id: str | None = None, room: str = "lobby") -> httpx.Response:
    contents = {"text": text} if client_id is None else {"text": text, "client_id": client_id}
    return client.post(f"/api/rooms/{room}/messages", json=contents)


def history(client: httpx.Client) -> list[dict[str, Any]]:
    """Everything that was said in the lobby, page by page."""
    found: list[dict[str, Any]] = []
    while True:
        after = found[-1]["id"] if found else 0
        page = client.get("/api/rooms/lobby/messages", params={"after": after, "limit": 100}).json()["messages"]
        if not page:
            return found
        found += page


def cursor(client: httpx.Client) -> str:
    """The present cursor."""
    answer = client.get("/api/events")
    assert answer.status_code == 200, answer.text
    return str(answer.json()["cursor"])


class Poster(threading.Thread):
    """Says one thing after another until it is stopped; each is tried until it is answered.

    ``pace`` is the longest pause between two, in seconds.
    """

    def __init__(
        self, servers: Servers, username: str, checker: Checker, most: int = 1_000_000, *, pace: float = 0
    ) -> None:
        super().__init__(name=f"poster {username}", daemon=True)
        self.username = username
        self.answered = self.retries = self.unavailable = 0
        self.wrong: list[str] = []
        first, *others = _nodes(servers)
        self._clients = [program(first, username)]
        self._clients += [with_token(other, token_of(self._clients[0])) for other in others]
        self._checker, self._most, self._pace = checker, most, pace
        self._stopped = threading.Event()

    def run(self) -> None:
        for number in range(self._most):
            if self._stopped.wait(random.uniform(0, self._pace)) if self._pace else self._stopped.is_set():
                break
            self._send(f"{self.username}-{number}", f"{self.username} says {number}{'!' * random.randint(0, 200)}")
        for client in self._clients:
            client.close()

    def _send(self, client_id: str, text: str) -> None:
        sent = self._checker.sending(self.username, client_id, text)
        # One that is stopped still sees through what it is at: otherwise nobody would know whether it was kept.
        while True:
            try:
                answer = say(self._clients[0], text, client_id)
            except httpx.TransportError:
                self._lose()
                continue
            if answer.status_code in (200, 201):
                self._checker.answered(sent, answer.json())
                self.answered += 1
                return
            if answer.status_code not in AGAIN:
                self.wrong.append(f"{answer.status_code} {answer.text[:200]}")
                return
            if answer.status_code in (429, 503) and not answer.headers.get("retry-after", "").isdigit():
                self.wrong.append(f"{answer.status_code} without a time to come back: {answer.text[:200]}")
            self.unavailable += answer.status_code == 503
            self._lose()

    def _lose(self) -> None:
        """Go to the next node, after a moment."""
        self.retries += 1
        self._clients.append(self._clients.pop(0))
        threading.Event().wait(PAUSE)

    def finish(self, seconds: float = 30) -> None:
        """Stop after the message that is under way."""
        self._stopped.set()
        self.join(seconds)
        assert not self.is_alive(), f"{self.name} got no answer"
        assert not self.wrong, self.wrong


class Reader(threading.Thread, ABC):
    """Follows the log from a cursor, whatever happens to the server."""

    kind = ""

    def __init__(self, servers: Servers, token: str, cursor: str) -> None:
        super().__init__(name=f"{self.kind} reader", daemon=True)
        self.cursor = cursor
        self.messages: list[dict[str, Any]] = []
        self.arrived: list[float] = []
        self.events: list[dict[str, Any]] = []
        self.opened = 0
        self.refused: list[str] = []
        self._token, self._ports = token, [server.port for server in _nodes(servers)]
        self._stopped = threading.Event()
        self._changed = threading.Condition()
        self._connection: http.client.HTTPConnection | None = None
        self._response: http.client.HTTPResponse | None = None

    def run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._follow()
            except (OSError, http.client.HTTPException):
                self._lose()
                self._stopped.wait(PAUSE)
        self._close()

    def lateness(self, checker: Checker, author: str | None = None) -> list[float]:
        """Seconds between the answer that acknowledged each message, of one author or of all, and its arrival here."""
        answered = checker.answers
        return [
            at - answered[message["id"]]
            for message, at in zip(self.messages, self.arrived, strict=True)
            if message["id"] in answered and author in (None, message["author"])
        ]

    def wait_until(self, condition: Callable[[], bool], seconds: float = 30) -> None:
        """Wait until something is true that this reader can tell."""
        with self._changed:
            assert self._changed.wait_for(condition, seconds), f"{self.name} waited in vain; saw {self.events[-3:]}"

    def wait_for(self, id: int, seconds: float = 30) -> None:
        """Wait until it has seen an event of this id or a later one."""
        self.wait_until(lambda: bool(self.events) and self.events[-1]["id"] >= id, seconds)

    def wait_open(self, times: int = 1, seconds: float = 30) -> None:
        """Wait until it was answered so many times: a long poll only is when there is something to say."""
        self.wait_until(lambda: self.opened >= times, seconds)

    def finish(self) -> None:
        self._stopped.set()
        until = time.monotonic() + 30
        while self.is_alive() and time.monotonic() < until:
            # Again, for it may have been between two connections.
            self._hang_up()
            self.join(0.02)
        assert not self.is_alive()
        assert not self.refused, self.refused

    @abstractmethod
    def _follow(self) -> None:
        """Ask once, and note what is answered, until the answer ends."""

    def _ask(self, path: str, **headers: str) -> http.client.HTTPResponse:
        self._close()
        self._connection = http.client.HTTPConnection("127.0.0.1", self._ports[0], timeout=40)
        self._connection.request("GET", path, headers={"Authorization": f"Bearer {self._token}", **headers})
        response = self._response = self._connection.getresponse()
        if response.status == 503:
            raise http.client.HTTPException("restarting")
        if response.status != 200:
            self.refused.append(f"{response.status} {response.read()[:200]!r}")
            self._stopped.set()
            raise http.client.HTTPException("refused")
        self._note(opened=True)
        return response

    def _lose(self) -> None:
        """Go to the next node."""
        self._ports.append(self._ports.pop(0))

    def _note(self, cursor: str = "", events: list[dict[str, Any]] | None = None, opened: bool = False) -> None:
        said = [event["message"] for event in events or [] if event["type"] == "message.posted"]
        with self._changed:
            self.cursor = cursor or self.cursor
            self.events += events or []
            self.messages += said
            self.arrived += [time.monotonic()] * len(said)
            self.opened += opened
            self._changed.notify_all()

    def _close(self) -> None:
        if self._response is not None:
            self._response.close()
        if self._connection is not None:
            self._connection.close()

    def _hang_up(self) -> None:
        connection = self._connection
        if connection is not None and connection.sock is not None:
            try:
                connection.sock.shutdown(socket.SHUT_RDWR)
            except OSError:
                return


class StreamReader(Reader):
    """Follows by server-sent events, as the HTML standard tells a browser to."""

    kind = "stream"

    def __init__(self, servers: Servers, token: str, cursor: str) -> None:
        super().__init__(servers, token, cursor)
        self.ended_cleanly = 0
        self.retry: list[int] = []

    def _follow(self) -> None:
        response = self._ask("/api/events", **{"Accept": "text/event-stream", "Last-Event-ID": self.cursor})
        id, data = "", ""
        while True:
            line = response.readline()
            if not line:
                # Chunked: the end of the body is said, and is not merely the end of the connection.
                self.ended_cleanly += response.isclosed()
                self._lose()
                return
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                id = value
            elif name == "data":
                data += value
            elif name == "retry":
                self.retry.append(int(value))
            elif not name:
                self._note(id, [json.loads(data)] if data else None)
                id, data = "", ""


class PollReader(Reader):
    """Follows by long polling."""

    kind = "poll"

    def _follow(self) -> None:
        answer = json.loads(self._ask(f"/api/events?after={quote(self.cursor)}&wait=20").read())
        self._note(answer["cursor"], answer["events"])


class PageReader(Reader):
    """Follows by asking for what came after the last message, again and again."""

    kind = "page"

    def _follow(self) -> None:
        after = self.messages[-1]["id"] if self.messages else 0
        found = json.loads(self._ask(f"/api/rooms/lobby/messages?after={after}&limit=100").read())["messages"]
        self._note(events=[{"id": each["id"], "type": "message.posted", "message": each} for each in found])
        if not found:
            self._stopped.wait(PAUSE)


def _nodes(servers: Servers) -> Sequence[ChatServer]:
    return [servers] if isinstance(servers, ChatServer) else servers


def within(seconds: float, condition: Callable[[], bool], what: str) -> float:
    """Wait for something outside this process that tells nobody when it is so; returns how long it took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds} s: {what}"
        threading.Event().wait(0.02)
    return time.monotonic() - began
