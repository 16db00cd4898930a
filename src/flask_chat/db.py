"""The database: one writer a process, query-only readers, and the word of what was committed.

Everything that changes goes through the writer. Work that arrives while a commit is running is committed together by
the next one (group commit), so that one wait for the disk keeps many messages.
"""

from __future__ import annotations

import asyncio
import errno
import fcntl
import os
import queue
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from itertools import groupby
from pathlib import Path
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine, MetaData, create_engine, event, pool
from sqlalchemy.exc import DBAPIError

metadata = MetaData()
log = structlog.get_logger("flask_chat.db")

Item = TypeVar("Item")
Result = TypeVar("Result")
Answered = Future[Any] | asyncio.Future[Any]
Work = Callable[["Transaction", list[Item]], Sequence[Result | Exception]]

MOST_TOGETHER = 500
"""Most pieces of work that one commit takes along: it bounds how long the first of them waits."""


class StorageFull(Exception):
    """There is no room left on the disk; nothing was changed."""


class StorageUnavailable(Exception):
    """The database did not take the change; it may be tried again."""


class DataInUse(Exception):
    """Another process has this data folder open."""


class Transaction:
    """One transaction of the writer: a connection, and the events that it appends to the log.

    ``now`` is the server's clock when the transaction began, in milliseconds since 1970, UTC.
    """

    __slots__ = ("appended", "connection", "now")

    def __init__(self, connection: Connection) -> None:
        self.connection = connection
        self.now = time.time_ns() // 1_000_000
        self.appended: list[Any] = []


class Database:
    """An SQLite file with its one writer thread and its readers.

    ``listeners`` are called in the writer's thread after every commit that appended events, with those events in
    order, before the work that made them is answered. A listener must be quick and must not raise.
    """

    def __init__(self, folder: Path, readers: int = 8) -> None:
        self.path = folder / "chat.db"
        self._lock = _take(folder / "chat.lock")
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self._writer_engine = _engine(self.path, readers=0)
        self._reader_engine = _engine(self.path, readers=readers)
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._started = False
        self._closed = False
        self._closing = threading.Lock()
        self.listeners: list[Callable[[Sequence[Any]], None]] = []

    @property
    def engine(self) -> Engine:
        """The writer's engine, for migrations before :meth:`start`."""
        return self._writer_engine

    def start(self) -> None:
        """Start the writer; the schema must be there."""
        self._started = True
        self._thread.start()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A query-only connection; every statement sees all that was committed before it."""
        with self._reader_engine.connect() as connection:
            yield connection

    def submit(self, work: Work[Item, Result], item: Item) -> Future[Result]:
        """Have ``item`` written by ``work`` in the next commit; the future is done once it is durable.

        Items that wait for the same ``work`` are handed to it together, in order. It answers with a result or an
        exception for each; an exception that it raises itself undoes what it did and is tried again item by item.
        The future may raise :class:`StorageFull` or :class:`StorageUnavailable`.
        """
        future: Future[Result] = Future()
        self._put(_Job(work, item, future))
        return future

    def submit_from_loop(self, work: Work[Item, Result], item: Item) -> asyncio.Future[Result]:
        """:meth:`submit` for a caller on an event loop, which is woken once for all that one commit answers."""
        future: asyncio.Future[Result] = asyncio.get_running_loop().create_future()
        self._put(_Job(work, item, future))
        return future

    def write(self, change: Callable[[Transaction], Result]) -> Result:
        """Run ``change`` in the next commit and wait until it is durable.

        Raises what ``change`` raises, with nothing changed, and what :meth:`submit` says.
        """

        def work(transaction: Transaction, _: list[None]) -> list[Result | Exception]:
            return [change(transaction)]

        return self.submit(work, None).result()

    def close(self) -> None:
        """Finish the work that waits, close every connection and give the data folder free."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        if self._started:
            self._thread.join()
        self._reader_engine.dispose()
        self._writer_engine.dispose()
        os.close(self._lock)

    def _put(self, job: _Job) -> None:
        with self._closing:
            if self._closed:
                raise StorageUnavailable("The chat is shutting down.")
            self._jobs.put(job)

    def _run(self) -> None:
        connection: Connection | None = None
        running = True
        while running:
            jobs = [self._jobs.get()]
            while len(jobs) < MOST_TOGETHER and not self._jobs.empty():
                jobs.append(self._jobs.get())
            running = None not in jobs
            batch = [job for job in jobs if job is not None]
            outcomes: Sequence[Any]
            try:
                connection = connection or self._writer_engine.connect()
                outcomes, appended = _commit(connection, batch)
            except Exception as error:
                kind, words = self._explain(error)
                outcomes, appended = [kind(words) for _ in batch], []
                # A failed commit can leave the connection unusable: the next batch gets a fresh one.
                _drop(connection)
                connection = None
            self._tell(appended)
            _answer([job.future for job in batch], outcomes)
        _drop(connection)

    def _tell(self, appended: list[Any]) -> None:
        if not appended:
            return
        for listener in self.listeners:
            try:
                listener(appended)
            except Exception as error:
                log.error("listener.failed", exc_info=error)

    def _explain(self, error: Exception) -> tuple[type[Exception], str]:
        cause = error.orig if isinstance(error, DBAPIError) else error
        code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _full(self.path)):
            log.error("storage.full", path=self.path.name)
            return StorageFull, "The disk of this chat is full."
        log.error("storage.failed", error=type(cause).__name__, code=code, detail=str(cause)[:200])
        return StorageUnavailable, "The chat could not keep that just now."


class _Job:
    __slots__ = ("future", "item", "work")

    def __init__(self, work: Work[Any, Any], item: Any, future: Answered) -> None:
        self.work, self.item, self.future = work, item, future


def _commit(connection: Connection, batch: list[_Job]) -> tuple[list[Any], list[Any]]:
    """Run a batch in one transaction; returns an outcome for each job, and the events appended."""
    outcomes: list[Any] = []
    with connection.begin():
        transaction = Transaction(connection)
        for work, jobs in groupby(batch, key=lambda job: job.work):
            outcomes += _attempt(transaction, work, [job.item for job in jobs])
    return outcomes, transaction.appended


def _attempt(transaction: Transaction, work: Work[Any, Any], items: list[Any]) -> Sequence[Any]:
    """Run one kind of work inside a savepoint, so that what fails leaves nothing behind and harms no other."""
    before = len(transaction.appended)
    execute = transaction.connection.exec_driver_sql
    execute("SAVEPOINT work")
    try:
        outcomes = work(transaction, items)
        execute("RELEASE work")
    except Exception as error:
        if _storage_failed(error):
            raise
        execute("ROLLBACK TO work")
        execute("RELEASE work")
        del transaction.appended[before:]
        if len(items) == 1:
            return [error]
        return [outcome for item in items for outcome in _attempt(transaction, work, [item])]
    return outcomes


def _drop(connection: Connection | None) -> None:
    if connection is not None:
        with suppress(DBAPIError):
            connection.invalidate()
        connection.close()


def _storage_failed(error: Exception) -> bool:
    code = getattr(error.orig, "sqlite_errorcode", 0) & 0xFF if isinstance(error, DBAPIError) else 0
    return code in (sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_READONLY)


def _answer(futures: list[Answered], outcomes: Sequence[Any]) -> None:
    """Answer threads one by one, and each event loop with one wake-up for all."""
    for_loops: dict[asyncio.AbstractEventLoop, list[tuple[asyncio.Future[Any], Any]]] = {}
    for future, outcome in zip(futures, outcomes, strict=True):
        if isinstance(future, asyncio.Future):
            for_loops.setdefault(future.get_loop(), []).append((future, outcome))
        elif future.set_running_or_notify_cancel():
            _set(future, outcome)
    for loop, answers in for_loops.items():
        with suppress(RuntimeError):  # The loop has ended: nobody waits there any more.
            loop.call_soon_threadsafe(_answer_on_loop, answers)


def _answer_on_loop(answers: list[tuple[asyncio.Future[Any], Any]]) -> None:
    for future, outcome in answers:
        if not future.done():
            _set(future, outcome)


def _set(future: Answered, outcome: Any) -> None:
    if isinstance(outcome, Exception):
        future.set_exception(outcome)
    else:
        future.set_result(outcome)


def _engine(path: Path, *, readers: int) -> Engine:
    """An engine for the writer (``readers`` is 0: one connection) or for that many query-only readers."""
    if readers:
        engine = create_engine(
            f"sqlite:///{path}",
            poolclass=pool.QueuePool,
            pool_size=readers,
            max_overflow=0,
            isolation_level="AUTOCOMMIT",
            connect_args={"check_same_thread": False},
            hide_parameters=True,  # They carry what people wrote, and errors are logged.
        )
    else:
        engine = create_engine(
            f"sqlite:///{path}",
            poolclass=pool.QueuePool,
            pool_size=1,
            max_overflow=0,
            connect_args={"check_same_thread": False},
            hide_parameters=True,  # They carry what people wrote, and errors are logged.
        )

        @event.listens_for(engine, "begin")
        def begin(connection: Connection) -> None:
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        # The driver must never begin a transaction by itself: the writer says BEGIN IMMEDIATE, readers none.
        connection.isolation_level = None
        connection.execute("PRAGMA busy_timeout = 5000")
        connection.execute("PRAGMA foreign_keys = ON")
        if readers:
            # Two connections that checkpoint can corrupt a WAL database before SQLite 3.51.3: readers never do.
            connection.execute("PRAGMA query_only = ON")
            connection.execute("PRAGMA wal_autocheckpoint = 0")
            # In KiB, for each of them; behind it is the system's own cache, which they share.
            connection.execute("PRAGMA cache_size = -512")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
            connection.execute("PRAGMA synchronous = FULL")

    return engine


def _take(path: Path) -> int:
    """Lock the data folder for this process; the lock goes with the process, however it ends."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        os.close(handle)
        if error.errno in (errno.EAGAIN, errno.EACCES):
            raise DataInUse(str(path.parent)) from None
        raise
    return handle


def _full(path: Path) -> bool:
    facts = os.statvfs(path.parent)
    return facts.f_bavail * facts.f_frsize < 64 * 1024
