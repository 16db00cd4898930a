"""Clients that leave in ways that no browser does must take nothing from the others."""

from __future__ import annotations

from pathlib import Path

from ..servers import ChatServer, serving
from .clients import StreamReader, cursor, program, say, token_of
from .wire import connect, head

STREAM = {"accept": "text/event-stream"}


def leave_with_a_request_in_line(server: ChatServer, token: str) -> None:
    """Open a stream with a second request behind it on the same connection, and hang up."""
    headers = {"authorization": f"Bearer {token}"}
    with connect(server) as sock:
        sock.sendall(head("GET", "/api/events", headers | STREAM) + head("GET", "/up", headers))
        assert sock.recv(4096).startswith(b"HTTP/1.1 200")


def test_streams_that_were_left_with_a_request_in_line_cost_nobody_a_message(server: ChatServer) -> None:
    with program(server, "Eve") as eve, program(server, "Ann") as ann:
        start = cursor(ann)
        readers = [StreamReader(server, token_of(ann), start) for _ in range(5)]
        for reader in readers:
            reader.start()
            reader.wait_open()
        for _ in range(10):
            leave_with_a_request_in_line(server, token_of(eve))
            said = say(ann, "one more").json()["id"]
        for reader in readers:
            reader.wait_for(said)
            reader.finish()
            assert [event["message"]["text"] for event in reader.events] == ["one more"] * 10


def test_streams_that_were_left_no_longer_count(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, program(server, "Eve") as eve:
        for _ in range(40):
            leave_with_a_request_in_line(server, token_of(eve))
            assert say(eve, "still here").status_code == 201
        assert eve.get("/api/events").status_code == 200
