"""The servers that the chat may stand on, PostgreSQL and Redis: real ones to throw away, on free loopback ports."""

from __future__ import annotations

import contextlib
import os
import pwd
import select
import shutil
import signal
import subprocess
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from typing import Any, ClassVar, Self

import psycopg
import redis

from .servers import free_port

# Reads until the tests' process has gone, however that went; then ends the server, and removes its folder.
GUARD = 'trap "" INT TERM HUP; while read -r _; do :; done; kill -"$1" "$2"; cat "/dev/fd/$3"; rm -rf "$4"'


class Engine(ABC):
    """A server that keeps its port while it is stopped and started. ``with`` starts it, and removes it at the end."""

    program: ClassVar[str]
    stopping: ClassVar[signal.Signals]
    abandoning: ClassVar[signal.Signals]

    def __init__(self) -> None:
        self.port = free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"chat-{self.program}-"))
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None
        self._guard: subprocess.Popen[bytes] | None = None
        self._gone = -1

    def __enter__(self) -> Self:
        try:
            self.start()
        except BaseException:
            self.remove()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self.remove()

    @property
    def pid(self) -> int:
        assert self._process is not None, f"{self.program} is not running"
        return self._process.pid

    def start(self, seconds: float = 20) -> None:
        """Start it and wait until it answers. Raises ``AssertionError``, with what it wrote, if it does not."""
        assert self._process is None, f"{self.program} is running already"
        # All processes of the server inherit the writing end: when nobody has it any more, the last of them has gone.
        self._gone, held = os.pipe()
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._command(),
                **self._as_whom(),
                cwd=self.folder,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=subprocess.STDOUT,
                pass_fds=(held,),
                start_new_session=True,
            )
        os.close(held)
        how = self.abandoning.name.removeprefix("SIG")
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", how, str(self.pid), str(self._gone), str(self.folder)],
            stdin=subprocess.PIPE,
            pass_fds=(self._gone,),
            start_new_session=True,
        )
        self._wait_until_up(seconds)

    def stop(self, seconds: float = 20) -> None:
        """Ask it to end, and wait until it has."""
        self._end(self.stopping, seconds)

    def kill(self, seconds: float = 20) -> None:
        """End it as a power cut would, and wait until the last of its processes has gone."""
        self._end(signal.SIGKILL, seconds)

    def restart(self) -> None:
        self.stop()
        self.start()

    def remove(self) -> None:
        """End it and forget what it kept."""
        if self._process is not None:
            with contextlib.suppress(subprocess.TimeoutExpired):
                self.stop()
        if self._process is not None:
            self.kill()
        shutil.rmtree(self.folder)

    @abstractmethod
    def _command(self) -> list[str]: ...

    @abstractmethod
    def _answers(self) -> bool: ...

    def _as_whom(self) -> dict[str, Any]:
        return {}

    def _wait_until_up(self, seconds: float) -> None:
        assert self._process is not None
        until = time.monotonic() + seconds
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > until:
                raise AssertionError(f"{self.program} did not start:\n{self.log.read_text(errors='replace')[-4000:]}")
            time.sleep(0.02)

    def _end(self, how: signal.Signals, seconds: float) -> None:
        if self._process is None:
            return
        self._process.send_signal(how)
        self._process.wait(seconds)
        assert select.select([self._gone], [], [], seconds)[0], f"processes of {self.program} live on"
        os.close(self._gone)
        self._process = None
        # Before its input ends: it would signal a number that may be somebody else's by then.
        assert self._guard is not None
        assert self._guard.stdin is not None
        self._guard.kill()
        self._guard.wait()
        self._guard.stdin.close()
        self._guard = None


class Postgres(Engine):
    """A PostgreSQL of its own. ``settings`` are PostgreSQL's, such as ``fsync="off"``."""

    program = "postgres"
    # Without waiting for anybody who is connected; and at once, but without leaving shared memory behind.
    stopping = signal.SIGINT
    abandoning = signal.SIGQUIT

    def __init__(self, **settings: str) -> None:
        super().__init__()
        self._settings = {"shared_buffers": "16MB", "max_connections": "200", "fsync": "on", **settings}
        self._numbers = count(1)

    def start(self, seconds: float = 20) -> None:
        new = not self._data.exists()
        if new:
            self._initialise()
        super().start(seconds)
        if new:
            self.sql("CREATE ROLE chat LOGIN")

    def create_database(self, like: str = "template1") -> str:
        """The URL of a new database of the role ``chat``: empty, or a copy of the one with that name or URL."""
        name = f"chat_{next(self._numbers)}"
        # Written to the log page by page, as is its default, an empty database would take ten times as long.
        self.sql(f"CREATE DATABASE {name} OWNER chat TEMPLATE {_name(like)} STRATEGY file_copy")
        return f"postgresql://chat@127.0.0.1:{self.port}/{name}"

    def drop_database(self, url: str) -> None:
        """Drop it, also while somebody is connected to it."""
        self.sql(f"DROP DATABASE IF EXISTS {_name(url)} WITH (FORCE)")

    def sql(self, query: str, *values: object, database: str = "postgres") -> list[tuple[Any, ...]]:
        """Run one statement as the superuser, in the database of that name or URL; returns its rows."""
        with self._connect(_name(database)) as connection:
            cursor = connection.execute(query, values or None)
            return cursor.fetchall() if cursor.description else []

    def _connect(self, database: str = "postgres") -> psycopg.Connection[tuple[Any, ...]]:
        return psycopg.connect(
            host=str(self.folder), port=self.port, user="postgres", dbname=database, autocommit=True, connect_timeout=10
        )

    @property
    def _data(self) -> Path:
        return self.folder / "data"

    def _initialise(self) -> None:
        whom = self._as_whom()
        if user := whom.get("user"):
            shutil.chown(self.folder, user, whom["group"])
        made = subprocess.run(
            [
                *(
                    _postgres_program("initdb"),
                    "--pgdata",
                    str(self._data),
                    "--username",
                    "postgres",
                    "--auth",
                    "trust",
                ),
                *("--no-locale", "--encoding", "UTF8", "--no-sync"),
            ],
            **whom,
            cwd=self.folder,
            capture_output=True,
            text=True,
        )
        assert made.returncode == 0, made.stdout + made.stderr

    def _command(self) -> list[str]:
        settings = {
            **self._settings,
            "listen_addresses": "127.0.0.1",
            "port": str(self.port),
            "unix_socket_directories": str(self.folder),
        }
        options = [word for name, value in settings.items() for word in ("-c", f"{name}={value}")]
        return [_postgres_program("postgres"), "-D", str(self._data), *options]

    def _as_whom(self) -> dict[str, Any]:
        environment = {name: value for name, value in os.environ.items() if not name.startswith(("PG", "LC_", "LANG"))}
        if os.getuid() != 0:
            return {"env": environment}
        # It refuses to run as root.
        user = pwd.getpwnam("postgres")
        return {"env": environment, "user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}

    def _answers(self) -> bool:
        with contextlib.suppress(psycopg.OperationalError), self._connect():
            return True
        return False


class Redis(Engine):
    """A Redis of its own that keeps nothing."""

    program = "redis-server"
    stopping = signal.SIGTERM
    abandoning = signal.SIGKILL

    @property
    def url(self) -> str:
        return f"redis://127.0.0.1:{self.port}/0"

    def flush(self) -> None:
        """Forget everything that was said."""
        with self.client() as client:
            client.flushall()

    @contextlib.contextmanager
    def client(self) -> Iterator[redis.Redis]:
        """A client, for looking in and for stirring."""
        with redis.Redis.from_url(self.url, socket_timeout=10) as client:
            yield client

    def _command(self) -> list[str]:
        where = ["--bind", "127.0.0.1", "--port", str(self.port), "--dir", str(self.folder)]
        return [self.program, *where, "--save", "", "--appendonly", "no"]

    def _answers(self) -> bool:
        with contextlib.suppress(redis.ConnectionError), self.client() as client:
            return bool(client.ping())
        return False


def _name(database: str) -> str:
    return database.rpartition("/")[2]


def _postgres_program(name: str) -> str:
    """On the path, or where Debian keeps the newest version's."""
    if found := shutil.which(name):
        return found
    kept = [path for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}") if path.parts[-3].isdigit()]
    assert kept, f"PostgreSQL's {name} is missing: bin/test installs it"
    return str(max(kept, key=lambda path: int(path.parts[-3])))
