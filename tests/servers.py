"""Servers of the tests' own: real processes on free loopback ports, started and ended by their id."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import httpx

ROOT = Path(__file__).parents[1]


class ChatServer:
    """``flask-chat serve`` as people run it, on a data folder that outlives it.

    ``before`` is Python that runs in its process first: the way to set its clock or to fill its disk.
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
        self._output: IO[Any] | None = None
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    def launch(self) -> None:
        """Start the process without waiting for it."""
        self._output = self.log.open("ab")
        self.process = subprocess.Popen(
            [
                *(sys.executable, *self._program(), "serve"),
                *("--host", "127.0.0.1", "--port", str(self.port), "--data", str(self.data)),
            ],
            env=self._environment,
            stdout=self._output,
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
            with contextlib.suppress(httpx.TransportError):
                if httpx.get(self.url + "/up", timeout=2).status_code == 200:
                    return
            time.sleep(0.02)
        raise AssertionError(f"The server does not answer:\n{self.log.read_text()[-4000:]}")

    def stop(self, how: signal.Signals = signal.SIGTERM, seconds: float = 10) -> int:
        """End the process and wait for it; returns its exit code."""
        assert self.process is not None
        if self.process.poll() is None:
            self.process.send_signal(how)
        code = self.process.wait(seconds)
        if self._output is not None:
            self._output.close()
            self._output = None
        return code

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
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
