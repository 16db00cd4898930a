"""Something happens in the very moment in which a stream is opened."""

from __future__ import annotations

import socket
import time
from pathlib import Path

import pytest

from ..servers import ChatServer, serving
from . import wire
from .clients import program, token_of, within
from .hooks import Gate


@pytest.mark.parametrize("kind", ["stream", "document"])
def test_a_stream_that_is_opened_while_its_session_ends_is_ended_too(tmp_path: Path, kind: str) -> None:
    gate = Gate(tmp_path)
    with (
        serving(tmp_path / "data", gate.before) as server,
        program(server, "Ann") as ann,
        _opening(server, token_of(ann), kind) as sock,
    ):
        within(5, gate.reached.exists, "the stream is being opened")
        assert ann.delete("/api/sessions/current").status_code == 204
        gate.open()
        sock.settimeout(5)
        _read_to_the_end(sock)


@pytest.mark.parametrize("kind", ["stream", "document"])
def test_a_stream_that_is_opened_while_the_server_stops_is_ended_like_the_others(tmp_path: Path, kind: str) -> None:
    gate = Gate(tmp_path)
    with serving(tmp_path / "data", gate.before) as server, program(server, "Ann") as ann:
        with _opening(server, token_of(ann), kind) as sock:
            within(5, gate.reached.exists, "the stream is being opened")
            assert server.process is not None
            server.process.terminate()
            within(5, lambda: not _listens(server), "the server has begun to stop")
            gate.open()
            began = time.monotonic()
            said = _read_to_the_end(sock)
        took = time.monotonic() - began
        assert server.stop() == 0
    assert said.endswith(b"0\r\n\r\n") or said.startswith(b"HTTP/1.1 503"), "it was cut instead of ended"
    assert took < 1.0, f"the server waited {took:.2f} s for a stream that waited for the server"


def _opening(server: ChatServer, token: str, kind: str) -> socket.socket:
    sock = wire.connect(server)
    path = "/rooms/lobby/timeline" if kind == "document" else "/api/events"
    sock.sendall(wire.head("GET", path, {"Authorization": f"Bearer {token}", "Accept": "text/event-stream"}))
    return sock


def _read_to_the_end(sock: socket.socket) -> bytes:
    """All that comes until the answer is whole or cut; times out for one that goes on and on."""
    said = b""
    while more := sock.recv(65536):
        said += more
        if said.startswith((b"HTTP/1.1 4", b"HTTP/1.1 5")) or said.endswith(b"\r\n0\r\n\r\n"):
            break
    return said


def _listens(server: ChatServer) -> bool:
    try:
        wire.connect(server).close()
    except ConnectionRefusedError:
        return False
    return True
