"""The chat that is measured: `flask-chat serve` as people run it, on engines to throw away, with people in it."""

from __future__ import annotations

import http.client
import os
import select
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass

from .. import opening, schema
from ..chat import people, rooms, sessions
from ..config import Config, ConfigError
from ..db import Database

STARTS_WITHIN = 60.0
"""Seconds that the server has to begin serving."""

ENDS_WITHIN = 12.0
"""Seconds that it has to end."""

_NOT_FOR_IT = ("FLASK_CHAT_PREFIX", "FLASK_CHAT_WORKER", "FLASK_RUN_FROM_CLI", "PROMETHEUS_MULTIPROC_DIR")


def populate(config: Config, count: int) -> tuple[list[str], str]:
    """Make the schema on empty engines and sign ``count`` people in; returns their tokens and the engine's version."""
    database = Database(opening.backend(config))
    try:
        schema.upgrade(database.engine)
        database.start()
        database.write(rooms.make_lobby)
        names = [people.check_name(f"Person {number}") for number in range(1, count + 1)]
        tokens = database.write(lambda transaction: [sessions.begin(transaction, name)[1] for name in names])
        return tokens, database.backend.version
    finally:
        database.close()


@dataclass(frozen=True)
class Server:
    """A chat that serves on a port of 127.0.0.1."""

    port: int
    process: subprocess.Popen[bytes]

    def alive(self) -> bool:
        """Whether it has not ended by itself."""
        return self.process.poll() is None


@contextmanager
def serving(config: Config) -> Iterator[Server]:
    """A server of ``config.workers`` processes, ended in the end. Raises :class:`ConfigError` if it does not start."""
    port = _free_port()
    said = config.data / "capacity.log"
    command = [sys.executable, *(["-P"] if sys.flags.safe_path else []), "-m", "flask_chat", "serve"]
    command += ["--host", "127.0.0.1", "--port", str(port), "--data", str(config.data)]
    with said.open("wb") as log:
        process = subprocess.Popen(
            command,
            env=_environment(config),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            # In a group of its own: Ctrl-C on a terminal is for us, and we end what we started.
            process_group=0,
        )
    try:
        if not _serves(process, port):
            why = said.read_text(errors="replace").strip().rpartition("\n")[2][-300:]
            raise ConfigError(f"The throw-away chat did not start: {why or 'it said nothing'}")
        yield Server(port, process)
    finally:
        _end(process)


def _environment(config: Config) -> dict[str, str]:
    """The operator's settings, with ours in the place of those that name the running chat."""
    environment = {name: value for name, value in os.environ.items() if name not in _NOT_FOR_IT}
    environment |= {"FLASK_CHAT_LIMITS": "off", "WEB_CONCURRENCY": str(config.workers)}
    environment["DATABASE_URL"] = config.database_url or ""
    return environment


def _serves(process: subprocess.Popen[bytes], port: int) -> bool:
    """Wait until it prints where it is, which it does once all of its processes serve, and answers there."""
    until = time.monotonic() + STARTS_WITHIN
    assert process.stdout is not None
    while process.poll() is None and time.monotonic() < until:
        if select.select([process.stdout], [], [], 0.05)[0] and _up(port):
            return process.poll() is None
    return False


def _up(port: int) -> bool:
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=5)) as connection:
        try:
            connection.request("GET", "/up")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False


def _end(process: subprocess.Popen[bytes]) -> None:
    with process:  # It waits, and closes the pipe.
        process.send_signal(signal.SIGTERM)
        with suppress(subprocess.TimeoutExpired):
            process.wait(ENDS_WITHIN)
        process.kill()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
