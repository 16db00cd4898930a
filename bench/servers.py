"""The servers under test: ours and its peers, started on a core of their own and watched through /proc."""

import contextlib
import http.client
import itertools
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

from bench import machine, workshop

START_WITHIN = 30.0  # seconds, and so is the next
STOP_WITHIN = 10.0


@dataclass(frozen=True)
class Kind:
    """A server one can start: what it is called, and the command for a port and a folder of its own.

    ``members`` says that one has to sign in to read and to post.
    """

    name: str
    command: Callable[[int, Path], list[str | Path]]
    transport: str = "sse"
    members: bool = False


def peer(script: str) -> list[str | Path]:
    return [workshop.peers_python(), "-P", workshop.BENCH / "peers" / script]


OURS = Kind(
    "Flask Chat",
    lambda port, data: [
        *(sys.executable, "-m", "flask_chat", "serve"),
        *("--host", "127.0.0.1", "--port", str(port), "--data", data),
    ],
    members=True,
)
SOCKETIO = Kind("Flask-SocketIO", lambda port, _: [*peer("socketio_chat.py"), str(port)], transport="socketio")
NAIVE = Kind(
    "Flask + SQLAlchemy", lambda port, data: [*peer("naive_flask.py"), str(port), data / "naive.db"], members=True
)
FLOOR = Kind("bare uvloop", lambda port, _: [*peer("floor.py"), str(port)])


@dataclass
class Server:
    """A running server. Its processor time and memory are those of the process and all its children.

    ``settings`` are environment variables of its own; ``core`` is the one it runs on, None for the servers' core.
    """

    kind: Kind
    data: Path
    settings: dict[str, str] = field(default_factory=dict)
    core: int | None = None
    port: int = 0
    seconds_to_start: float = 0.0
    numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    process: subprocess.Popen[bytes] = field(init=False)

    def start(self) -> None:
        """Starts it on its core and waits until GET /up answers 200. Raises RuntimeError when it does not."""
        self.data.mkdir(parents=True, exist_ok=True)
        self.port = self.port or free_port()
        core = machine.cores()[0] if self.core is None else self.core
        log = workshop.WORK / "logs" / f"{self.kind.name}.log"
        with log.open("ab") as out, machine.pinned(core):
            began = time.monotonic()
            self.process = subprocess.Popen(
                self.kind.command(self.port, self.data),
                cwd=workshop.ROOT,
                env={**environment(), **self.settings},
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > began + START_WITHIN:
                self.kill()
                said = log.read_text(errors="replace")[-2000:]
                raise RuntimeError(f"{self.kind.name} did not start:\n{said}")
            time.sleep(0.005)
        self.seconds_to_start = time.monotonic() - began

    def is_up(self) -> bool:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
        try:
            connection.request("GET", "/up")
            return connection.getresponse().status == 200
        except (OSError, http.client.HTTPException):
            return False
        finally:
            connection.close()

    def stop(self) -> None:
        """Asks it to end, and ends it when it does not within ten seconds."""
        self.process.send_signal(signal.SIGTERM)
        try:
            self.process.wait(STOP_WITHIN)
        except subprocess.TimeoutExpired:
            self.kill()

    def kill(self) -> None:
        """Ends it without a warning, as `kill -9` does."""
        self.process.kill()
        self.process.wait()

    def restart(self) -> None:
        """Stops it and starts it again on the same port."""
        self.stop()
        self.start()

    def cpu_seconds(self) -> float:
        return sum(cpu_seconds(pid) for pid in family(self.process.pid))

    def resident_bytes(self) -> int:
        return sum(resident_bytes(pid) for pid in family(self.process.pid))


@contextlib.contextmanager
def running(
    kind: Kind, data: Path, settings: dict[str, str] | None = None, core: int | None = None
) -> Iterator[Server]:
    """A started server, stopped at the end."""
    server = Server(kind, data, settings or {}, core)
    server.start()
    try:
        yield server
    finally:
        server.stop()


def environment() -> dict[str, str]:
    """Ours, without what would change the server's settings."""
    settings = ("FLASK_", "HOST", "IP", "PORT", "SECRET", "DATABASE_URL", "REDIS_URL", "WEB_", "PYTHON")
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(settings)}
    return {**inherited, "FLASK_CHAT_LIMITS": "off", "PYTHONPATH": str(workshop.ROOT / "src")}


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def family(pid: int) -> list[int]:
    """A process and all its living descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdecimal():
            with contextlib.suppress(OSError):
                children.setdefault(int(stat(int(entry.name))[1]), []).append(int(entry.name))
    found = [pid]
    for member in found:
        found += children.get(member, [])
    return found


def stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat behind the name; [1] is the parent."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()


def cpu_seconds(pid: int) -> float:
    """User and system time of a process, to the nanosecond: /proc/PID/stat counts in hundredths of a second."""
    clock_of_process = (~pid << 3) | 2  # clock_getcpuclockid(3)
    return time.clock_gettime(clock_of_process)


def resident_bytes(pid: int) -> int:
    for line in Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines():
        if line.startswith("Rss:"):
            return int(line.split()[1]) * 1024
    raise RuntimeError(f"/proc/{pid}/smaps_rollup has no Rss")
