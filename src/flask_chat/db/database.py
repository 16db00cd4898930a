"""The writer of a process, and its readers.

Everything that changes goes through the writer. Work that arrives while a commit is running is committed together by
the next one (group commit), so that one wait for the disk keeps many messages.
"""

from __future__ import annotations

import asyncio
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager, suppress
from typing import Any, TypeVar

import structlog
from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError, TimeoutError

from .. import logs
from .backend import Backend, Rows, StorageFull, StorageUnavailable

log = structlog.get_logger("flask_chat.db")

Item = TypeVar("Item")
Result = TypeVar("Result")
Answered = Future[Any] | asyncio.Future[Any]
Work = Callable[["Transaction", list[Item]], Sequence[Result | Exception]]

MOST_TOGETHER = 500
"""Most pieces of work that one commit takes along: it bounds how long the first of them waits."""

UNUSED = 5.0
"""Seconds after which the writer asks its connection for a sign of life before it uses it."""


class Transaction:
    """One transaction of the writer: a connection, and the events that it appends to the log.

    ``now`` is the server's clock when the transaction began, in milliseconds since 1970, UTC.
    """

    __slots__ = ("_backend", "appended", "connection", "locked", "now")

    def __init__(self, connection: Connection, backend: Backend) -> None:
        self.connection = connection
        self.now = time.time_ns() // 1_000_000
        self.appended: list[Any] = []
        self.locked = False
        self._backend = backend

    def lock(self) -> None:
        """Be the only writer, of all processes, from here to the commit.

        It must come before the first change, so that two transactions never wait for each other; what was read before
        it may have changed since.
        """
        if not self.locked:
            self._backend.lock(self.connection)
            self.locked = True

    def insert(self, *kept: Rows) -> None:
        """See :meth:`Backend.insert`."""
        self._backend.insert(self.connection, *kept)

    @property
    def key(self) -> bytes:
        """See :class:`Backend`."""
        return self._backend.key

    def history(self) -> str:
        """See :meth:`Backend.history`."""
        return self._backend.history(self.connection)

    def failed(self, error: Exception) -> bool:
        """Whether an error means that the whole transaction is lost."""
        return self._backend.failed(error)


class Database:
    """A backend with its one writer thread and its readers.

    ``listeners`` are called in the writer's thread after every commit that appended events, with those events in
    order, before the work that made them is answered. A listener must be quick and must not raise. ``openers`` are
    called with every new connection of the writer, in a transaction of their own, before anything is written over it.
    ``watch`` is called after every batch with the seconds that it took and the number of events that it appended.
    """

    def __init__(self, backend: Backend) -> None:
        self.backend = backend
        self._jobs: queue.SimpleQueue[_Job | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._run, name="writer", daemon=True)
        self._started = False
        self._closed = False
        self._closing = threading.Lock()
        self._used = self._not_before = 0.0
        self._failing: type[Exception] | None = None
        self.listeners: list[Callable[[Sequence[Any]], None]] = []
        self.openers: list[Callable[[Transaction], None]] = []
        self.watch: Callable[[float, int], None] = _unwatched

    @property
    def engine(self) -> Engine:
        """The writer's engine, for migrations before :meth:`start`."""
        return self.backend.writer

    def start(self) -> None:
        """Start the writer; the schema must be there."""
        self._started = True
        self._thread.start()

    @contextmanager
    def read(self) -> Iterator[Connection]:
        """A query-only connection; every statement sees all that was committed before it.

        Raises :class:`StorageUnavailable` if the database does not answer.
        """
        try:
            with self.backend.readers.connect() as connection:
                yield connection
        except (DBAPIError, TimeoutError) as error:
            if isinstance(error, DBAPIError) and not self.backend.failed(error):
                raise
            raise StorageUnavailable("The chat's database does not answer just now.") from error

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
        """Run ``change`` in the next commit, as the only writer, and wait until it is durable.

        Raises what ``change`` raises, with nothing changed, and what :meth:`submit` says.
        """

        def work(transaction: Transaction, _: list[None]) -> list[Result | Exception]:
            transaction.lock()
            return [change(transaction)]

        return self.submit(work, None).result()

    def close(self) -> None:
        """Finish the work that waits, close every connection and give the data free."""
        with self._closing:
            if self._closed:
                return
            self._closed = True
            self._jobs.put(None)
        if self._started:
            self._thread.join()
        self.backend.close()

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
            # Whatever is said or told from here on concerns all of them.
            logs.request_ids.set(tuple([id for job in batch for id in job.request_ids]))
            began = time.perf_counter()
            outcomes: Sequence[Any]
            try:
                connection, outcomes, appended = self._keep(connection, batch)
            except Exception as error:
                told = self._explain(error)
                outcomes, appended, connection = [type(told)(*told.args) for _ in batch], [], None
            else:
                self._say_recovered()
            seconds = time.perf_counter() - began
            self.watch(seconds, len(appended))
            if appended:
                log.debug("committed", events=len(appended), ms=round(seconds * 1000, 1))
            self._tell(appended)
            _answer([job.future for job in batch], outcomes)
        _drop(connection)

    def _explain(self, error: Exception) -> Exception:
        """What to tell those who wait. What goes on failing is logged once."""
        if isinstance(error, StorageUnavailable):
            return error
        told, facts = self.backend.explain(error)
        if type(told) is not self._failing:
            self._failing = type(told)
            log.error("storage.full" if isinstance(told, StorageFull) else "storage.failed", **facts)
        return told

    def _say_recovered(self) -> None:
        if self._failing is not None:
            self._failing = None
            log.warning("storage.back")

    def _keep(
        self, connection: Connection | None, batch: list[_Job], *, again: bool = True
    ) -> tuple[Connection, list[Any], list[Any]]:
        """Commit a batch, over a new connection if need be; returns the connection beside what came of it."""
        try:
            connection = self._connected(connection)
            outcomes, appended = _commit(connection, self.backend, batch)
        except _NotCommitted as failure:
            # A failed commit can leave the connection unusable: the next batch gets a fresh one.
            _drop(connection)
            if not (again and failure.lost):
                raise failure.error from None
            return self._keep(None, batch, again=False)
        except Exception:
            _drop(connection)
            raise
        self._used = time.monotonic()
        return connection, outcomes, appended

    def _connected(self, connection: Connection | None) -> Connection:
        if connection is not None and time.monotonic() - self._used > UNUSED and not self.backend.alive(connection):
            _drop(connection)
            connection = None
        if connection is None:
            if time.monotonic() < self._not_before:
                raise StorageUnavailable("The chat could not keep that just now.")
            try:
                connection = self.backend.writer.connect()
            except Exception:
                if self.backend.shared:
                    # A server that comes up again must not be met by everybody's attempts at once.
                    self._not_before = time.monotonic() + random.uniform(0.1, 0.5)  # noqa: S311
                raise
            try:
                for opener in self.openers:
                    with connection.begin():
                        opener(Transaction(connection, self.backend))
            except Exception:
                _drop(connection)
                raise
        return connection

    def _tell(self, appended: list[Any]) -> None:
        if not appended:
            return
        for listener in self.listeners:
            try:
                listener(appended)
            except Exception as error:
                log.error("listener.failed", exc_info=error)


class _Job:
    __slots__ = ("future", "item", "request_ids", "work")

    def __init__(self, work: Work[Any, Any], item: Any, future: Answered) -> None:
        self.work, self.item, self.future = work, item, future
        self.request_ids = logs.request_ids.get()


class _NotCommitted(Exception):
    """A transaction that failed before its commit was asked for; ``lost`` says that its connection was."""

    def __init__(self, error: Exception, lost: bool) -> None:
        self.error, self.lost = error, lost


class _Refused(Exception):
    """Work that ran without a savepoint and broke off: nothing of its transaction was kept."""


def _commit(connection: Connection, backend: Backend, batch: list[_Job]) -> tuple[list[Any], list[Any]]:
    """Run a batch in one transaction; returns an outcome for each job, and the events appended.

    Raises :class:`_NotCommitted` if nothing can have been kept, anything else if nobody knows.
    """
    # One kind of work, the usual case, needs no savepoint: that it breaks off is rare, and then it begins anew.
    alone = all(job.work == batch[0].work for job in batch)
    try:
        return _commit_once(connection, backend, batch, _run_alone if alone else _run_each)
    except _Refused as refused:
        if len(batch) == 1:
            return [refused.__cause__], []
        return _commit_once(connection, backend, batch, _run_each)


def _commit_once(
    connection: Connection, backend: Backend, batch: list[_Job], run: Callable[[Transaction, list[_Job]], list[Any]]
) -> tuple[list[Any], list[Any]]:
    with connection.begin():
        transaction = Transaction(connection, backend)
        try:
            outcomes = run(transaction, batch)
        except _Refused:
            raise
        except Exception as error:
            raise _NotCommitted(error, backend.lost(error)) from error
    return outcomes, transaction.appended


def _run_alone(transaction: Transaction, batch: list[_Job]) -> list[Any]:
    try:
        return list(batch[0].work(transaction, [job.item for job in batch]))
    except Exception as error:
        if transaction.failed(error):
            raise
        raise _Refused from error


def _run_each(transaction: Transaction, batch: list[_Job]) -> list[Any]:
    """Run several kinds of work, each for all of its items, where its first one stood: nobody has been answered yet."""
    kinds: dict[Work[Any, Any], list[int]] = {}
    for at, job in enumerate(batch):
        kinds.setdefault(job.work, []).append(at)
    outcomes: list[Any] = [None] * len(batch)
    for work, places in kinds.items():
        found = _attempt(transaction, work, [batch[at].item for at in places])
        for at, outcome in zip(places, found, strict=True):
            outcomes[at] = outcome
    return outcomes


def _attempt(transaction: Transaction, work: Work[Any, Any], items: list[Any]) -> Sequence[Any]:
    """Run one kind of work inside a savepoint, so that what fails leaves nothing behind and harms no other."""
    before, locked = len(transaction.appended), transaction.locked
    execute = transaction.connection.exec_driver_sql
    execute("SAVEPOINT work")
    try:
        outcomes = work(transaction, items)
        execute("RELEASE work")
    except Exception as error:
        if transaction.failed(error):
            raise
        execute("ROLLBACK TO work")
        execute("RELEASE work")
        del transaction.appended[before:]
        # A lock that was taken after a savepoint goes when the savepoint is rolled back to.
        transaction.locked = locked
        if len(items) == 1:
            return [error]
        return [outcome for item in items for outcome in _attempt(transaction, work, [item])]
    return outcomes


def _drop(connection: Connection | None) -> None:
    if connection is not None and not connection.closed:
        with suppress(DBAPIError):
            connection.invalidate()
        connection.close()


def _unwatched(_seconds: float, _events: int) -> None:
    return


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
