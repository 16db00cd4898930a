"""Several processes: started once the first could, kept, renewed one after another, ended together, never left over.

The processes here are small programs that do as a test says, and report what happens to them.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import json
import os
import pty
import signal
import socket
import subprocess
import sys
import termios
import time
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from structlog.testing import capture_logs
from structlog.typing import EventDict

from flask_chat import cli, supervisor
from flask_chat.config import Config
from flask_chat.supervisor import Supervisor

from .engines import Redis
from .servers import ROOT, ChatServer, serving

PROGRAM = """
import os, signal, socket, sys, time
number, line = os.environ["FLASK_CHAT_WORKER"].split()
line = socket.socket(fileno=int(line))
reports = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
reports.connect(sys.argv[1])

def report(what):
    reports.send(f"{number} {what} {os.getpid()}".encode())

def end(*_):
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    report("ends")
    os._exit(0)

signal.signal(signal.SIGTERM, end)
report("starts")
exec(open(sys.argv[2]).read())
line.sendall(b"ready\\n")
while said := line.recv(5):
    report("is told to " + said.decode().strip())
report("is alone")
"""

PARENT = """
import asyncio, json, os, sys
from flask_chat.supervisor import Supervisor
sys.exit(asyncio.run(Supervisor(json.loads(sys.argv[1]), os.environ, 2).run()))
"""

Report = tuple[str, int]
"""What happened, such as "2 starts", and the id of the process."""


class Stage:
    """Where the processes play, and report."""

    def __init__(self, folder: Path) -> None:
        self._reports = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        self._reports.bind(str(folder / "reports"))
        self._reports.settimeout(20)
        self._script = folder / "script.py"
        self._script.touch()
        program = folder / "program.py"
        program.write_text(PROGRAM)
        self.command = [sys.executable, "-E", "-S", str(program), str(folder / "reports"), str(self._script)]

    def instead(self, script: str) -> None:
        """What processes that start from now on do before they serve."""
        self._script.write_text(script)

    def next(self) -> Report:
        number, *what, pid = self._reports.recv(100).decode().split()
        return " ".join([number, *what]), int(pid)

    async def heard(self, count: int) -> list[Report]:
        """The next so many reports."""
        return [await asyncio.to_thread(self.next) for _ in range(count)]

    def nothing_more(self) -> bool:
        self._reports.setblocking(False)
        with contextlib.suppress(BlockingIOError):
            raise AssertionError(self._reports.recv(100).decode())
        return True

    def close(self) -> None:
        self._reports.close()


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    stage = Stage(tmp_path)
    yield stage
    stage.close()


Story = Callable[["asyncio.Task[int]"], Awaitable[None]]


def play(stage: Stage, story: Story, count: int = 2, ended: Callable[[int], None] = lambda pid: None) -> int:
    """The exit code of a supervisor to which ``story`` happens, in this process."""

    async def both() -> int:
        running = asyncio.create_task(Supervisor(stage.command, os.environ, count, ended=ended).run())
        try:
            await story(running)
        except BaseException:
            running.cancel()
            await asyncio.wait([running])
            raise
        return await asyncio.wait_for(running, 20)

    return asyncio.run(both())


def tell(number: signal.Signals) -> None:
    os.kill(os.getpid(), number)


def wait_for(logs: list[EventDict], event: str) -> None:
    """Wait until something is in the log."""
    wait_until(lambda: any(line["event"] == event for line in logs))


async def all_serve(stage: Stage, count: int = 2) -> dict[str, int]:
    """Wait until all serve and one was told to say so; the id of each by its number."""
    heard = await stage.heard(count + 1)
    assert heard[0][0] == "1 starts", "the first one alone makes what is missing"
    assert heard[-1] == ("1 is told to show", heard[0][1])
    assert {what for what, _ in heard[:-1]} == {f"{number} starts" for number in range(1, count + 1)}
    return {what[0]: pid for what, pid in heard[:-1]}


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_all_are_started_one_says_so_and_all_end_together(stage: Stage, how: signal.Signals) -> None:
    gone: list[int] = []

    async def story(_: asyncio.Task[int]) -> None:
        pids = await all_serve(stage, 3)
        tell(how)
        assert {(what, pid) for what, pid in await stage.heard(3)} == {
            (f"{number} ends", pid) for number, pid in pids.items()
        }
        pids_of_all.extend(pids.values())

    pids_of_all: list[int] = []
    assert play(stage, story, 3, gone.append) == 0
    assert sorted(gone) == sorted(pids_of_all), "each is forgotten"


@pytest.mark.parametrize(("script", "code"), [("sys.exit(2)", 2), ("os.kill(os.getpid(), 9)", 1)])
def test_what_stops_the_first_stops_the_start_before_there_is_a_second(stage: Stage, script: str, code: int) -> None:
    stage.instead(script)

    async def story(_: asyncio.Task[int]) -> None:
        [(what, _pid)] = await stage.heard(1)
        assert what == "1 starts"

    with capture_logs() as logs:
        assert play(stage, story) == code
    assert stage.nothing_more()
    assert bool(logs) is (code != cli.FAILED), "a refusal says enough itself"


def test_what_stops_another_at_the_start_stops_all(stage: Stage) -> None:
    stage.instead("if number == '2': sys.exit(2)")

    async def story(_: asyncio.Task[int]) -> None:
        assert [what for what, _ in await stage.heard(3)] == ["1 starts", "2 starts", "1 ends"]

    assert play(stage, story) == 2


def test_a_stop_while_it_starts_is_an_end_as_it_was_meant(stage: Stage) -> None:
    stage.instead("time.sleep(60)")

    async def story(_: asyncio.Task[int]) -> None:
        await stage.heard(1)
        tell(signal.SIGTERM)
        assert [what for what, _ in await stage.heard(1)] == ["1 ends"]

    assert play(stage, story) == 0


def test_one_that_dies_is_started_again_and_the_others_notice_nothing(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(supervisor, "YOUNG", -1)  # It has proved itself at once.

    async def story(_: asyncio.Task[int]) -> None:
        pids = await all_serve(stage)
        os.kill(pids["2"], signal.SIGKILL)
        [(what, pid)] = await stage.heard(1)
        assert what == "2 starts"
        assert pid != pids["2"]
        tell(signal.SIGTERM)
        assert {pid for _, pid in await stage.heard(2)} == {pids["1"], pid}

    with capture_logs() as logs:
        assert play(stage, story) == 0
    assert [line for line in logs if line["event"] == "worker.died"] == [
        {"event": "worker.died", "worker": 2, "code": -9, "again_in": 0.0, "log_level": "warning"}
    ]


def test_one_that_keeps_dying_is_started_ever_more_rarely(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []
    sleep = asyncio.sleep

    async def short(seconds: float) -> None:
        pauses.append(seconds)
        await sleep(0)

    async def story(_: asyncio.Task[int]) -> None:
        pids = await all_serve(stage)
        stage.instead("sys.exit(1)")
        monkeypatch.setattr(asyncio, "sleep", short)
        os.kill(pids["2"], signal.SIGKILL)
        await stage.heard(7)
        stage.instead("")
        await asyncio.to_thread(wait_for, logs, "worker.back")
        tell(signal.SIGTERM)

    with capture_logs() as logs:
        assert play(stage, story) == 0
    assert pauses[:7] == [1, 2, 4, 8, 16, 30, 30]


def test_all_are_renewed_one_after_another_each_serving_before_the_old_one_goes(stage: Stage) -> None:
    async def story(_: asyncio.Task[int]) -> None:
        old = await all_serve(stage, 3)
        tell(signal.SIGHUP)
        heard = await stage.heard(6)
        assert [what for what, _ in heard] == [
            *("1 starts", "1 ends"),
            *("2 starts", "2 ends"),
            *("3 starts", "3 ends"),
        ]
        assert [pid for what, pid in heard if what.endswith("ends")] == [old[number] for number in "123"]
        new = {pid for what, pid in heard if what.endswith("starts")}
        tell(signal.SIGTERM)
        assert {pid for _, pid in await stage.heard(3)} == new

    with capture_logs() as logs:
        assert play(stage, story, 3) == 0
    assert not [line for line in logs if line["event"] == "worker.died"]


def test_new_ones_that_cannot_serve_leave_the_old_ones_where_they_are(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story(_: asyncio.Task[int]) -> None:
        old = await all_serve(stage)
        stage.instead("sys.exit(2)")
        tell(signal.SIGHUP)
        assert [what for what, _ in await stage.heard(1)] == ["1 starts"]
        await asyncio.to_thread(wait_for, logs, "workers.not_renewed")
        stage.instead("time.sleep(60)")
        monkeypatch.setattr(supervisor, "READY_WITHIN", 0.5)
        tell(signal.SIGHUP)
        assert [what for what, _ in await stage.heard(2)] == ["1 starts", "1 ends"]
        tell(signal.SIGTERM)
        assert {pid for _, pid in await stage.heard(2)} == set(old.values())

    with capture_logs() as logs:
        assert play(stage, story) == 0
    assert len([line for line in logs if line["event"] == "workers.not_renewed"]) == 2


def test_one_that_does_not_end_is_killed(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(supervisor, "ENDED_WITHIN", 0.3)
    stage.instead("signal.signal(signal.SIGTERM, lambda *_: report('does not want to'))")

    async def story(_: asyncio.Task[int]) -> None:
        await all_serve(stage)
        tell(signal.SIGTERM)
        assert {what for what, _ in await stage.heard(2)} == {"1 does not want to", "2 does not want to"}

    assert play(stage, story) == 0


def test_asking_twice_ends_all_at_once(stage: Stage) -> None:
    stage.instead("signal.signal(signal.SIGTERM, lambda *_: report('takes its time'))")

    async def story(running: asyncio.Task[int]) -> None:
        await all_serve(stage)
        tell(signal.SIGINT)
        await stage.heard(2)
        tell(signal.SIGINT)
        assert await asyncio.wait_for(running, supervisor.ENDED_WITHIN / 2) == 0

    assert play(stage, story) == 0


@contextlib.contextmanager
def parent(stage: Stage, **options: object) -> Iterator[subprocess.Popen[bytes]]:
    """A supervisor in a process of its own."""
    process: subprocess.Popen[bytes] = subprocess.Popen(  # type: ignore[call-overload]
        [sys.executable, "-c", PARENT, json.dumps(stage.command)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdin=subprocess.DEVNULL,
        **options,
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def test_when_the_parent_is_killed_each_learns_of_it(stage: Stage) -> None:
    with parent(stage) as process:
        pids = asyncio.run(all_serve(stage))
        process.kill()
        assert {stage.next(), stage.next()} == {(f"{number} is alone", pid) for number, pid in pids.items()}


def test_a_terminal_that_goes_ends_all_though_its_signal_means_renewal_elsewhere(stage: Stage) -> None:
    ours, theirs = pty.openpty()
    with parent(
        stage, start_new_session=True, stdout=theirs, stderr=theirs, preexec_fn=lambda: take(theirs)
    ) as process:
        os.close(theirs)
        asyncio.run(all_serve(stage))
        os.close(ours)
        assert {stage.next()[0], stage.next()[0]} == {"1 ends", "2 ends"}
        assert process.wait(10) == 0


def take(terminal: int) -> None:
    """Make this session's terminal of it."""
    fcntl.ioctl(terminal, termios.TIOCSCTTY, 0)


def test_each_is_an_ordinary_serving_process_on_the_port_that_is_reserved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[list[str], dict[str, str], int]] = []

    class Noting:
        def __init__(self, command: list[str], environment: dict[str, str], count: int, *, ended: object) -> None:
            assert Path(environment["PROMETHEUS_MULTIPROC_DIR"]).is_dir()
            assert callable(ended)
            gauge = Path(environment["PROMETHEUS_MULTIPROC_DIR"], "gauge_livesum_17.db")
            gauge.touch()
            ended(17)
            assert not gauge.exists(), "who has ended has no connections"
            seen.append((command, environment, count))

        async def run(self) -> int:
            return 3

    monkeypatch.setattr(supervisor, "Supervisor", Noting)
    config = Config(data=tmp_path, host="127.0.0.1", port=0, workers=4)
    with socket.create_server(("127.0.0.1", 0)) as reserved:
        assert supervisor.run(config, reserved) == 3
        port = reserved.getsockname()[1]
    [(command, environment, count)] = seen
    assert command[0] == sys.executable
    assert command[command.index("-m") :] == [
        *("-m", "flask_chat", "serve", "--host", "127.0.0.1", "--port", str(port), "--data", str(tmp_path))
    ]
    assert (count, environment["WEB_CONCURRENCY"]) == (4, "4")
    assert not Path(environment["PROMETHEUS_MULTIPROC_DIR"]).exists(), "nothing is left behind"


@pytest.mark.parametrize(
    ("database", "redis", "missing"),
    [
        (None, None, {"DATABASE_URL", "REDIS_URL"}),
        ("postgresql:///chat", None, {"REDIS_URL"}),
        (None, "redis:///", {"DATABASE_URL"}),
        ("postgresql:///chat", "redis:///", set()),
    ],
)
def test_several_processes_need_postgresql_and_redis_and_it_is_said_why(
    tmp_path: Path, database: str | None, redis: str | None, missing: set[str]
) -> None:
    said = supervisor.obstacle(replace(Config(data=tmp_path), database_url=database, redis_url=redis))
    assert {name for name in ("DATABASE_URL", "REDIS_URL") if said and f"set {name}" in said} == missing
    assert bool(said) is bool(missing)
    assert "\n" not in (said or "")


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux spreads connections over processes that share a port")
def test_a_chat_of_two_processes_outlives_each_of_them_and_leaves_nothing_behind(
    tmp_path: Path, database_url: str, redis: Redis
) -> None:
    settings = {"DATABASE_URL": database_url, "REDIS_URL": redis.url, "FLASK_CHAT_LIMITS": "off"}
    settings["TMPDIR"] = str(tmp_path)
    with serving(tmp_path / "data", WEB_CONCURRENCY="2", **settings) as server:
        ann = server.client("Ann")
        try:
            talk = Talk(server, dict(ann.cookies))
            first = pids(server, "workers.ready")
            wait_until(lambda: "Ctrl-C stops it." in server.log.read_text())
            assert server.log.read_text().count("On this computer") == 1, "one of them prints the banner"

            os.kill(first[1], signal.SIGKILL)
            talk.on()
            second = pids(server, "worker.back")
            assert set(first) & set(second) == {first[0]}

            os.kill(server.pid, signal.SIGHUP)
            talk.on()
            third = pids(server, "workers.renewed")
            assert not set(second) & set(third)
            talk.on()
            talk.is_whole()

            server.kill()
            for pid in third:
                wait_until(lambda pid=pid: not Path(f"/proc/{pid}").exists())  # type: ignore[misc]
            assert [path.name for path in tmp_path.iterdir()] == ["data.log"]
            log = server.log.read_text()
            assert log.count("parent.gone") == 2
            assert "Traceback" not in log
        finally:
            ann.close()


class Talk:
    """Messages of one person who sends until it is acknowledged, each over a connection of its own."""

    def __init__(self, server: ChatServer, cookies: dict[str, str]) -> None:
        self._server, self._cookies = server, cookies
        self._said: list[str] = []

    def on(self, count: int = 20) -> None:
        for _ in range(count):
            text = f"message-{len(self._said)}"
            wait_until(lambda text=text: self._post(text))  # type: ignore[misc]
            self._said.append(text)

    def is_whole(self) -> None:
        with httpx.Client(base_url=self._server.url, cookies=self._cookies) as client:
            messages = client.get("/api/rooms/lobby/messages?after=0&limit=100").json()["messages"]
        assert [message["text"] for message in messages] == self._said

    def _post(self, text: str) -> bool:
        with (
            contextlib.suppress(httpx.TransportError),
            httpx.Client(base_url=self._server.url, cookies=self._cookies, timeout=10) as client,
        ):
            answer = client.post("/api/rooms/lobby/messages", json={"text": text, "client_id": text})
            assert answer.status_code in (200, 201), answer.text
            return True
        return False


def pids(server: ChatServer, event: str) -> list[int]:
    """The processes that serve, oldest first, once an event is in the log."""
    wait_until(lambda: f'"event":"{event}"' in server.log.read_text())
    return [int(pid) for pid in Path(f"/proc/{server.pid}/task/{server.pid}/children").read_text().split()]


def wait_until(happened: Callable[[], bool], seconds: float = 20) -> None:
    until = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < until
        time.sleep(0.02)
