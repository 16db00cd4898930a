"""The chat as people set it up: one process on SQLite, or two nodes on PostgreSQL and Redis."""

from __future__ import annotations

import contextlib
import sqlite3
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from .engines import Postgres
from .servers import ChatServer

Result = TypeVar("Result")


@dataclass(frozen=True)
class SetUp:
    """The nodes of one chat. ``rows`` runs a query on its database, past the chat."""

    nodes: list[ChatServer]
    rows: Callable[[str], list[tuple[Any, ...]]]

    def url(self, number: int) -> str:
        """The address of a node; they are counted round and round."""
        return self.around(number)[0].url

    def around(self, number: int) -> list[ChatServer]:
        """All nodes, from a certain one on, for a client that goes to the next when it loses one."""
        at = number % len(self.nodes)
        return self.nodes[at:] + self.nodes[:at]

    def start(self) -> None:
        """Start all nodes at the same moment, and wait until they serve."""
        for node in self.nodes:
            node.launch()
        for node in self.nodes:
            node.wait_until_up()

    def stop(self) -> None:
        """Stop all nodes at the same moment."""
        for code in _at_once(node.stop for node in self.nodes):
            assert code == 0, f"ended with {code}"

    def restart(self) -> None:
        """End all of them in order, then start all."""
        self.stop()
        self.start()

    def value(self, query: str) -> Any:
        """The first value of the first row."""
        return self.rows(query)[0][0]

    def sound(self) -> bool:
        """Whether the log has no gap, and every message is in it once."""
        return bool(
            self.value("SELECT count(*) = max(id) FROM event")
            and self.value(
                "SELECT count(*) = (SELECT count(*) FROM message) FROM event JOIN message ON event.id = message.id "
                "WHERE type = 'message.posted' AND subject_id = message.id AND event.room_id = message.room_id"
            )
        )


@contextlib.contextmanager
def one(folder: Path, before: str = "", **environment: str) -> Iterator[SetUp]:
    """One process on SQLite, its limits off unless ``environment`` says otherwise; it is up, and ended at the end."""
    node = ChatServer(folder / "data", before, **{"FLASK_CHAT_LIMITS": "off", **environment})

    def rows(query: str) -> list[tuple[Any, ...]]:
        address = f"{(node.data / 'chat.db').as_uri()}?mode=ro"
        with contextlib.closing(sqlite3.connect(address, uri=True, timeout=10)) as connection:
            assert connection.execute("PRAGMA integrity_check").fetchone() == ("ok",)
            return connection.execute(query).fetchall()

    with _running(SetUp([node], rows)) as running:
        yield running


@contextlib.contextmanager
def two(
    folder: Path,
    postgres: Postgres,
    redis_url: str | None,
    *,
    before: Sequence[str] = ("", ""),
    through: Callable[[str], str] = str,
    **environment: str,
) -> Iterator[SetUp]:
    """Two nodes on a new database, started at the same moment; ``redis_url`` None leaves Redis away.

    ``before`` is what runs first in each (see :class:`ChatServer`); ``through`` is what leads the first node to the
    database by another way.
    """
    url = postgres.create_database()
    shared = {"FLASK_CHAT_LIMITS": "off", **({"REDIS_URL": redis_url} if redis_url else {}), **environment}
    nodes = [
        ChatServer(folder / name, first, **{"DATABASE_URL": address, **shared})
        for name, first, address in zip(("node-1", "node-2"), before, (through(url), url), strict=True)
    ]
    try:
        with _running(SetUp(nodes, lambda query: postgres.sql(query, database=url))) as running:
            yield running
    finally:
        postgres.drop_database(url)


@contextlib.contextmanager
def _running(set_up: SetUp) -> Iterator[SetUp]:
    try:
        set_up.start()
        yield set_up
    finally:
        for _ in _at_once(partial(_end, node) for node in set_up.nodes if node.process is not None):
            pass


def _end(node: ChatServer) -> None:
    with contextlib.suppress(subprocess.TimeoutExpired):
        node.stop()
    if node.process is not None and node.process.poll() is None:
        node.kill()


def _at_once(work: Iterable[Callable[[], Result]]) -> Iterator[Result]:
    with ThreadPoolExecutor() as threads:
        yield from [future.result() for future in [threads.submit(each) for each in work]]
