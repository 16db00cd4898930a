"""Several serving processes on one machine: started, kept running, renewed one after another, and ended together."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
import tempfile
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import structlog

from . import metrics, worker
from .config import Config

REFUSED = 2
"""What a process ends with that has said itself what stands in the way."""

READY_WITHIN = 60.0
"""Seconds that a process has to begin serving before it is given up, where another serves in its place so long."""

ENDED_WITHIN = 8.0
"""Seconds that processes have to end before they are killed; containers are given ten in all."""

YOUNG = 30.0
"""Seconds after which a process has proved itself: should it die, the next one starts at once."""

LONGEST = 30.0
"""Longest pause before one that keeps dying is started again, in seconds. The first is one second; each is doubled."""

log = structlog.get_logger("flask_chat")


def obstacle(config: Config) -> str | None:
    """Why several processes cannot serve this chat, and what to set; None if they can."""
    reasons = []
    if not config.database_url:
        reasons.append("A SQLite database belongs to one process: set DATABASE_URL to a PostgreSQL address.")
    if not config.redis_url:
        reasons.append("Without Redis, processes could not tell each other at once what is new: set REDIS_URL.")
    if sys.platform != "linux":
        reasons.append("Only Linux spreads connections over processes that share a port.")
    return " ".join(reasons) or None


def run(config: Config, reserved: socket.socket) -> int:
    """Serve with ``config.workers`` processes, on the port that is reserved for them, until a signal; the exit code.

    SIGTERM and SIGINT end them all; SIGHUP renews them one after another. Call it in the main thread.
    """
    command = [sys.executable, *(["-P"] if sys.flags.safe_path else []), "-m", "flask_chat", "serve"]
    command += ["--host", config.host, "--port", str(reserved.getsockname()[1]), "--data", str(config.data)]
    with tempfile.TemporaryDirectory(prefix="flask-chat-metrics-", ignore_cleanup_errors=True) as folder:
        environment = {
            **os.environ,
            "WEB_CONCURRENCY": str(config.workers),
            # Where the processes put their figures together: each answers /metrics for all.
            metrics.DIRECTORY: folder,
        }

        def forget(pid: int) -> None:
            """What a process that has ended last said of itself ("so many are connected") no longer counts."""
            from prometheus_client.multiprocess import mark_process_dead

            mark_process_dead(pid, folder)  # type: ignore[no-untyped-call]

        return asyncio.run(Supervisor(command, environment, config.workers, ended=forget).run())


class Supervisor:
    """Keeps ``count`` processes of one command running. ``ended`` is told the id of each that has ended."""

    def __init__(
        self,
        command: Sequence[str],
        environment: Mapping[str, str],
        count: int,
        *,
        ended: Callable[[int], None] = lambda pid: None,
    ) -> None:
        self._command, self._environment, self._ended = command, environment, ended
        self._places = [_Place(number) for number in range(1, count + 1)]
        self._alive: set[_Process] = set()
        self._stop, self._renewal = asyncio.Event(), asyncio.Event()

    async def run(self) -> int:
        """Serve until a signal, or until the first start fails; the exit code, which is then that of who failed."""
        with self._signals():
            serving = asyncio.create_task(self._serve())
            stopping = asyncio.create_task(self._stop.wait())
            try:
                await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
                return serving.result() if serving.done() else 0
            finally:
                serving.cancel()
                stopping.cancel()
                await asyncio.gather(serving, stopping, return_exceptions=True)
                await self._end(self._alive)

    async def _serve(self) -> int:
        # The first one opens the data, and makes what is missing there, alone: what stands in the way is said once.
        first, *others = self._places
        for together in ([first], others):
            for code in await asyncio.gather(*(self._fill(place) for place in together)):
                if code is not None:
                    return code
        log.info("workers.ready", count=len(self._places))
        first.process.say(worker.SHOW)
        async with asyncio.TaskGroup() as group:
            for place in self._places:
                group.create_task(self._keep(place))
            group.create_task(self._renew_when_asked())
        raise AssertionError("processes are kept until they are no longer wanted")

    async def _fill(self, place: _Place) -> int | None:
        """Start a place's first process. None once it serves, else the exit code that it ended with instead."""
        place.process = await self._start(place.number)
        if await place.process.serves():
            return None
        code = await place.process.wait()
        if code != REFUSED:
            log.error("worker.not_started", worker=place.number, code=code)
        return code if code > 0 else 1

    async def _keep(self, place: _Place) -> None:
        """Start a place's process again whenever it dies."""
        pause, died = 0.0, False
        while True:
            process = place.process
            if await process.serves() and died:
                log.info("worker.back", worker=place.number)
            code = await process.wait()
            async with place.lock:
                if place.process is not process:
                    pause, died = 0.0, False
                    continue
                pause, died = 0.0 if process.served() > YOUNG else min(max(1.0, 2 * pause), LONGEST), True
                log.warning("worker.died", worker=place.number, code=code, again_in=pause)
                await asyncio.sleep(pause)
                place.process = await self._start(place.number)

    async def _renew_when_asked(self) -> None:
        while True:
            await self._renewal.wait()
            self._renewal.clear()
            if await self._renew():
                log.info("workers.renewed", count=len(self._places))

    async def _renew(self) -> bool:
        """Put a new process in each place, one after another, each serving before the old one goes.

        Says whether it could. One that does not begin to serve leaves its place, and those after it, to the old.
        """
        for place in self._places:
            async with place.lock:
                new = await self._start(place.number)
                if not await new.serves(within=READY_WITHIN):
                    log.error("workers.not_renewed", worker=place.number)
                    await self._end([new])
                    return False
                old, place.process = place.process, new
                await self._end([old])
        return True

    async def _start(self, number: int) -> _Process:
        ours, theirs = socket.socketpair()
        try:
            with theirs:
                started = await asyncio.create_subprocess_exec(
                    *self._command,
                    env={**self._environment, worker.VARIABLE: f"{number} {theirs.fileno()}"},
                    stdin=asyncio.subprocess.DEVNULL,
                    pass_fds=[theirs.fileno()],
                    # In a group of its own: Ctrl-C on a terminal is for the parent, which passes it on.
                    process_group=0,
                )
        except BaseException:
            ours.close()
            raise
        process = _Process(started, ours)
        self._alive.add(process)
        process.over.add_done_callback(lambda _: self._forget(process))
        return process

    def _forget(self, process: _Process) -> None:
        self._alive.discard(process)
        self._ended(process.pid)

    async def _end(self, processes: Collection[_Process]) -> None:
        """End processes in order; those that take too long, at once."""
        ending = list(processes)
        for process in ending:
            process.send(signal.SIGTERM)
        if ending:
            await asyncio.wait([process.over for process in ending], timeout=ENDED_WITHIN)
        for process in ending:
            process.send(signal.SIGKILL)
            await process.wait()

    @contextlib.contextmanager
    def _signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        handlers: dict[int, Callable[[], None]] = {
            signal.SIGTERM: self._asked_to_stop,
            signal.SIGINT: self._asked_to_stop,
        }
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # nohup: it is to outlive its terminal.
            had_terminal = _has_terminal()
            handlers[signal.SIGHUP] = lambda: self._hung_up(had_terminal)
        for number, handler in handlers.items():
            loop.add_signal_handler(number, handler)
        try:
            yield
        finally:
            for number in handlers:
                loop.remove_signal_handler(number)

    def _asked_to_stop(self) -> None:
        if self._stop.is_set():
            # Twice: whoever asks does not want to wait.
            for process in self._alive:
                process.send(signal.SIGKILL)
        self._stop.set()

    def _hung_up(self, had_terminal: bool) -> None:
        """SIGHUP has two meanings: somebody wants new processes, or the terminal on which this was started is gone."""
        if had_terminal and not _has_terminal():
            self._asked_to_stop()
        else:
            self._renewal.set()


class _Place:
    """One of the processes that there are to be, whichever it is at the moment."""

    def __init__(self, number: int) -> None:
        self.number = number
        self.lock = asyncio.Lock()
        """Held by who puts another process here."""
        self.process: _Process


class _Process:
    """A process and the line to it."""

    def __init__(self, process: asyncio.subprocess.Process, line: socket.socket) -> None:
        self.pid = process.pid
        self._process, self._line = process, line
        self._loop = asyncio.get_running_loop()
        self._serves: asyncio.Future[bool] = self._loop.create_future()
        self._since: float | None = None
        line.setblocking(False)
        self._loop.add_reader(line, self._hear)
        self.over = asyncio.create_task(self._until_over())

    def say(self, what: bytes) -> None:
        with contextlib.suppress(OSError):
            self._line.send(what)

    def send(self, number: signal.Signals) -> None:
        with contextlib.suppress(ProcessLookupError):
            self._process.send_signal(number)

    async def serves(self, within: float | None = None) -> bool:
        """Wait until the process serves. False if it ends before, or is not as far ``within`` so many seconds."""
        await asyncio.wait([self._serves], timeout=within)
        return self._serves.done() and self._serves.result()

    def served(self) -> float:
        """Seconds since it began to serve; 0 if it never did."""
        return 0.0 if self._since is None else self._loop.time() - self._since

    async def wait(self) -> int:
        """Wait until the process is over; its exit code, negative for a signal."""
        return await asyncio.shield(self.over)

    async def _until_over(self) -> int:
        code = await self._process.wait()
        self._settle(False)
        self._line.close()
        return code

    def _hear(self) -> None:
        try:
            said = self._line.recv(len(worker.READY))
        except OSError:
            said = b""
        self._settle(said == worker.READY)

    def _settle(self, serves: bool) -> None:
        if not self._serves.done():
            self._loop.remove_reader(self._line)
            self._since = self._loop.time() if serves else None
            self._serves.set_result(serves)


def _has_terminal() -> bool:
    try:
        os.close(os.open("/dev/tty", os.O_RDWR | os.O_NOCTTY))
    except OSError:
        return False
    return True
