"""What is written down: every request as one line, and nothing that people said or hold."""

from __future__ import annotations

import contextlib
import json
import os
import pty
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from structlog.testing import capture_logs

from .http.conftest import gateway
from .http.gateway import Gateway
from .servers import ROOT, serving

__all__ = ["gateway"]

PROGRAM = """
import structlog
from flask_chat import logs
logs.configure({level!r}, "here-1-f00")
log = structlog.get_logger("a test")
log.debug("delivered")
log.info("request", status=200, route="/rooms/<slug>")
log.warning("bus.gap", text="grüß")
def fail(message):
    raise LookupError("here")
try:
    fail("what Ann said")
except LookupError as error:
    log.error("request.failed", exc_info=error)
"""


def written(level: str) -> list[dict[str, Any]]:
    """The lines of a process that logs."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM.format(level=level)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout == b""
    return [json.loads(line) for line in done.stderr.splitlines()]


def test_each_line_is_json_with_its_time_and_level() -> None:
    request, gap, failed = written("requests")
    assert (request["event"], request["level"], request["status"]) == ("request", "info", 200)
    assert request["timestamp"].endswith("Z")
    assert request["node"] == "here-1-f00"
    assert gap["text"] == "grüß"
    assert "LookupError: here" in failed["exception"]
    assert "what Ann said" not in failed["exception"]


def test_without_requests_only_what_is_wrong_is_written() -> None:
    assert [line["event"] for line in written("warnings")] == ["bus.gap", "request.failed"]


def test_in_debug_every_step_is_written() -> None:
    assert [line["event"] for line in written("debug")] == ["delivered", "request", "bus.gap", "request.failed"]


def test_a_terminal_is_shown_no_more_than_a_file() -> None:
    screen, terminal = pty.openpty()
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM.format(level="requests")],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "TERM": "xterm", "COLUMNS": "200"},
            stderr=terminal,
            timeout=30,
        )
        os.close(terminal)
        shown = b""
        with contextlib.suppress(OSError):  # Linux says so when the other side has closed.
            while part := os.read(screen, 65536):
                shown += part
    finally:
        os.close(screen)
    assert done.returncode == 0
    assert b"LookupError" in shown
    assert b"what Ann said" not in shown, "the values of variables are shown with an error"


def test_a_request_is_logged_by_its_route_and_never_by_its_address(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    with capture_logs() as lines:
        gateway.say("a secret", ann)
        gateway.get("/Ann/a%20secret", ann)
        gateway.get("/Ann/a%20secret?secret", ann)
        gateway.get("/chat/secret", ann)
        gateway.get("/rooms/lobby?before=secret", ann)
        gateway.get("/secret", ann)
        gateway.get("/api/events?after=secret", ann)
        gateway.get(f"/owner/{gateway.chat.owner_link.token()}")
        gateway.get("/up")
    requests = [line for line in lines if line["event"] == "request"]
    assert len(requests) == 8, "who asks every second whether the chat is there fills no log"
    assert "secret" not in repr(lines)
    assert gateway.chat.owner_link.token() not in repr(lines)
    assert ann["authorization"].removeprefix("Bearer ") not in repr(lines)
    assert (requests[0]["method"], requests[0]["status"]) == ("POST", 201)
    assert requests[0]["route"] == "/api/rooms/{room}/messages"
    assert requests[1]["route"].startswith("/<username>/<")
    assert requests[0]["address"] == "192.0.2.7"
    assert requests[0]["ms"] >= 0


def test_a_fault_is_logged_with_its_cause_and_not_with_its_words(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = gateway.bearer("Ann")

    def fail(*_: object) -> None:
        raise LookupError("here")

    monkeypatch.setattr(type(gateway.chat.db), "submit_from_loop", fail)
    with capture_logs() as lines:
        gateway.post("/api/rooms/lobby/messages", {"text": "a secret"}, ann)
    [failed] = [line for line in lines if line["event"] == "request.failed"]
    assert isinstance(failed["exc_info"], LookupError)
    assert "a secret" not in repr(lines)


def test_a_server_writes_nothing_that_people_said_or_hold(tmp_path: Path) -> None:
    with serving(tmp_path / "data") as server, contextlib.closing(server.client("Ann")) as ann:
        token = ann.post("/api/sessions", json={"username": "Bob"}).json()["token"]
        ann.post("/rooms/lobby/messages", data={"message": "a secret"})
        ann.get("/Ann/a%20secret")
        ann.get("/rooms/lobby", headers={"Authorization": f"Bearer {token}"})
        ann.get("/a%20secret")
        cookie = ann.cookies["flask_chat"]
        server.stop()
        said = server.log.read_text()
    lines = [json.loads(line) for line in said.splitlines() if line.startswith("{")]
    assert [line["event"] for line in lines].count("request") >= 6
    for private in ("secret", token, cookie, max(cookie.split("."), key=len)):
        assert private not in said
