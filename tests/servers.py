"""Servers of the tests' own: real processes on free loopback ports, started and ended by their id."""

from __future__ import annotations

import contextlib
import http.client
import os
import random
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx

from .nursery import Forked

ROOT = Path(__file__).parents[1]


class ChatServer:
    """``flask-chat serve`` as people run it, on a data folder that outlives it.

    ``before`` is Python that runs in its process first: the way to set its clock or to fill its disk. Without it the
    process is forked from one that has imported the chat already.
    """

    def __init__(self, data: Path, before: str = "", **environment: str) -> None:
        self.data = data
        self.before = before
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        self.log = data.parent / f"{data.name}.log"
        self._environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("FLASK_CHAT_")},
            "PYTHONPATH": str(ROOT / "src"),
            "PYTHONUNBUFFERED": "1",
            **environment,
        }
        # One that starts processes of its own hands down how it was started.
        self._cold = bool(before) or "WEB_CONCURRENCY" in environment
        self.process: subprocess.Popen[bytes] | Forked | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def launch(self) -> None:
        """Start the process without waiting for it."""
        arguments = ["serve", "--host", "127.0.0.1", "--port", str(self.port), "--data", str(self.data)]
        if not self._cold:
            self.process = Forked(arguments, self._environment, self.log)
            return
        with self.log.open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, *self._program(), *arguments],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                stdin=subprocess.DEVNULL,
            )

    def _program(self) -> tuple[str, ...]:
        if not self.before:
            return "-m", "flask_chat"
        return "-c", f"{self.before}\nfrom flask_chat.cli import main\nmain()"

    def start(self, seconds: float = 20) -> None:
        """Start the process and wait until it serves."""
        self.launch()
        self.wait_until_up(seconds)

    def wait_until_up(self, seconds: float = 20) -> None:
        assert self.process is not None
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            if self.process.poll() is not None:
                raise AssertionError(f"The server ended:\n{self.log.read_text()[-4000:]}")
            with contextlib.suppress(OSError, http.client.HTTPException):
                if self._answers():
                    return
            time.sleep(0.02)
        raise AssertionError(f"The server does not answer:\n{self.log.read_text()[-4000:]}")

    def _answers(self) -> bool:
        with contextlib.closing(http.client.HTTPConnection("127.0.0.1", self.port, timeout=2)) as connection:
            connection.request("GET", "/up")
            return connection.getresponse().status == 200

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 10) -> int:
        """End the process and wait for it; returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        return self.process.wait(seconds)

    def kill(self) -> None:
        """End it as a power cut would."""
        self.stop(signal.SIGKILL)

    def restart(self) -> None:
        self.stop()
        self.start()

    def client(self, username: str | None = None) -> httpx.Client:
        """A browser's worth of cookies, signed in if a name is given."""
        client = httpx.Client(base_url=self.url, timeout=20)
        if username is not None:
            answer = client.post("/", data={"username": username})
            assert answer.status_code == 303, answer.text
        return client


@contextlib.contextmanager
def serving(data: Path, before: str = "", **environment: str) -> Iterator[ChatServer]:
    """A server that is up, and is ended whatever happens."""
    server = ChatServer(data, before, **environment)
    try:
        server.start()
        yield server
    finally:
        if server.process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                server.stop()
            if server.process.poll() is None:
                server.kill()


def free_port() -> int:
    """A port that nobody uses now, nor soon: systems give higher ones to those who do not ask for any."""
    chance = random.SystemRandom()
    while True:
        port = chance.randrange(20_000, 32_000)
        with socket.socket() as probe, contextlib.suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return port
