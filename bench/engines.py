"""PostgreSQL and Redis for a measure's own use: the tests' throw-away servers, on the disk of SQLite's folder."""

import contextlib
import os
import signal
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from bench import servers, workshop
from tests.engines import Postgres, Redis

SETTINGS = {"fsync": "on", "synchronous_commit": "on", "shared_buffers": "128MB"}


@dataclass(frozen=True)
class Engines:
    """Both of them, running. They share the load's core: the server that is measured has the other to itself."""

    postgres: Postgres
    redis: Redis

    def settings(self) -> dict[str, str]:
        """The environment of a chat, or of several nodes of one, on a new database."""
        return {"DATABASE_URL": self.postgres.create_database(), "REDIS_URL": self.redis.url}

    def cpu_seconds(self) -> float:
        """What both have used, with every process that serves a connection now."""
        family = [pid for engine in (self.postgres, self.redis) for pid in servers.family(engine.pid)]
        return sum(servers.cpu_seconds(pid) for pid in family)

    def versions(self) -> str:
        """What they are, for people who compare."""
        ((postgresql,),) = self.postgres.sql("SHOW server_version")
        with self.redis.client() as client:
            redis = client.info("server")["redis_version"]
        return f"PostgreSQL {postgresql.partition(' ')[0]}, Redis {redis}"

    def crash(self) -> None:
        """Ends PostgreSQL without a checkpoint and starts it again: what it has then, it has from its log."""
        os.kill(self.postgres.pid, signal.SIGQUIT)
        self.postgres.restart()


@contextlib.contextmanager
def started() -> Iterator[Engines]:
    """Both, until the end. Raises RuntimeError when one is not installed or does not start."""
    with on_the_same_disk():
        try:
            postgres, redis = Postgres(**SETTINGS), Redis()
            postgres.start()
            redis.start()
        except (AssertionError, OSError) as error:
            raise RuntimeError(f"it needs PostgreSQL and Redis (bin/test installs them): {error}") from error
    try:
        yield Engines(postgres, redis)
    finally:
        redis.remove()
        postgres.remove()


def versions() -> str:
    """Those of the engines that are installed here."""
    try:
        with started() as engines:
            return engines.versions()
    except RuntimeError:
        return "no PostgreSQL, no Redis"


@contextlib.contextmanager
def on_the_same_disk() -> Iterator[None]:
    """Has temporary folders made on the disk of the bench's own data: many a /tmp is in memory."""
    if os.stat(tempfile.gettempdir()).st_dev == workshop.WORK.stat().st_dev:
        yield
        return
    before, folder = tempfile.tempdir, Path(workshop.WORK, "data")
    tempfile.tempdir = str(folder)
    try:
        yield
    finally:
        tempfile.tempdir = before
