"""Requests that no well-behaved library would send, byte by byte."""

from __future__ import annotations

import socket
from dataclasses import dataclass

from ..servers import ChatServer


@dataclass(frozen=True)
class Answer:
    """What came back. ``body`` is as it was sent, chunks and all."""

    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def text(self) -> str:
        return self.body.decode("utf-8", "replace")


def connect(server: ChatServer, *, buffer: int | None = None, timeout: float = 20) -> socket.socket:
    """A connection; ``buffer`` is how many bytes the system may hold for a reader that does not read."""
    sock = socket.socket()
    if buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
    sock.settimeout(timeout)
    try:
        sock.connect(("127.0.0.1", server.port))
    except OSError:
        sock.close()
        raise
    return sock


def head(method: str, target: str, headers: dict[str, str] | None = None) -> bytes:
    """The head of a request."""
    lines = [f"{method} {target} HTTP/1.1", *(f"{name}: {value}" for name, value in (headers or {}).items())]
    if not any(name.lower() == "host" for name in headers or {}):
        lines.append("Host: chat.test")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("utf-8", "surrogateescape")


def ask(server: ChatServer, method: str, target: str, headers: dict[str, str] | None = None) -> Answer:
    """Send one request without a body, exactly as it is written, and read the answer to its end."""
    with connect(server) as sock:
        sock.sendall(head(method, target, {"Connection": "close", **(headers or {})}))
        return read_answer(sock)


def read_answer(sock: socket.socket) -> Answer:
    """Read one answer: up to its Content-Length, or until the other side has no more to say."""
    got = b""
    while b"\r\n\r\n" not in got:
        more = sock.recv(65536)
        if not more:
            raise AssertionError(f"the connection ended after {got!r}")
        got += more
    top, _, body = got.partition(b"\r\n\r\n")
    first, *lines = top.decode("latin-1").split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    length = int(headers["content-length"]) if "content-length" in headers else None
    while length is None or len(body) < length:
        more = sock.recv(65536)
        if not more:
            break
        body += more
    return Answer(int(first.split()[1]), headers, body)
