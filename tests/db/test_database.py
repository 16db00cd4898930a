"""The writer: what waits together is committed together, what fails harms nobody else, and everybody is answered."""

from __future__ import annotations

import asyncio
import errno
import os
import queue
import sqlite3
import subprocess
import sys
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, text
from sqlalchemy.exc import DBAPIError, OperationalError

from flask_chat.config import ConfigError
from flask_chat.db import (
    Backend,
    Database,
    DatabaseRefused,
    DataInUse,
    SQLite,
    StorageFull,
    StorageUnavailable,
    Transaction,
)
from flask_chat.db import database as db_module
from flask_chat.db.postgresql import PostgreSQL

from ..engines import Postgres
from ..proxy import BytesProxy
from ..servers import free_port

PATIENCE = 5.0


WORD = Table(
    "word", MetaData(), Column("id", Integer, primary_key=True), Column("word", Text, unique=True, nullable=False)
)


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Database:
    """A writer over one table of words, each of them once, on each engine."""
    made: Database = request.getfixturevalue(request.param)
    return made


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Database]:
    """The same on SQLite alone."""
    yield from begun(SQLite(tmp_path))


@pytest.fixture
def postgresql(database_url: str) -> Iterator[Database]:
    """The same on PostgreSQL alone."""
    yield from begun(PostgreSQL(database_url))


def begun(backend: Backend) -> Iterator[Database]:
    database = Database(backend)
    with database.engine.begin() as connection:
        WORD.create(connection)
    database.start()
    yield database
    database.close()


def words(database: Database) -> list[str]:
    with database.read() as connection:
        return list(connection.execute(text("SELECT word FROM word ORDER BY id")).scalars())


def keep(transaction: Transaction, items: list[str]) -> list[str | Exception]:
    for item in items:
        transaction.connection.execute(text("INSERT INTO word (word) VALUES (:word)"), {"word": item})
        transaction.appended.append(item)
    return list(items)


def keep_one(word: str) -> Callable[[Transaction], str]:
    def change(transaction: Transaction) -> str:
        keep(transaction, [word])
        return word

    return change


class Held:
    """Holds the writer inside a commit, so that what is submitted meanwhile waits together."""

    def __init__(self, database: Database) -> None:
        self.begun, self.release = threading.Event(), threading.Event()
        self.future = database.submit(self._work, None)
        assert self.begun.wait(PATIENCE)

    def _work(self, transaction: Transaction, items: list[None]) -> list[Exception | None]:
        self.begun.set()
        assert self.release.wait(PATIENCE)
        return [None] * len(items)


def test_a_change_is_kept_when_its_answer_arrives(database: Database) -> None:
    assert database.write(keep_one("tea")) == "tea"
    assert words(database) == ["tea"]


def test_what_waits_for_the_same_work_is_handed_to_it_together_and_in_order(database: Database) -> None:
    batches: list[list[int]] = []

    def note(transaction: Transaction, items: list[int]) -> list[int | Exception]:
        batches.append(items)
        return [item * 10 for item in items]

    held = Held(database)
    futures = [database.submit(note, number) for number in range(20)]
    held.release.set()
    assert [future.result(PATIENCE) for future in futures] == [number * 10 for number in range(20)]
    assert batches == [list(range(20))]


def test_one_commit_takes_so_many_along_and_no_more(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(db_module, "MOST_TOGETHER", 3)
    batches: list[int] = []

    def note(transaction: Transaction, items: list[int]) -> list[int | Exception]:
        batches.append(len(items))
        return list(items)

    held = Held(database)
    futures = [database.submit(note, number) for number in range(7)]
    held.release.set()
    for future in futures:
        future.result(PATIENCE)
    assert batches == [3, 3, 1]


def test_an_exception_for_one_item_harms_no_other(database: Database) -> None:
    def careful(transaction: Transaction, items: list[str]) -> list[str | Exception]:
        outcomes: list[str | Exception] = []
        for item in items:
            outcomes += [ValueError(item)] if item == "bad" else keep(transaction, [item])
        return outcomes

    held = Held(database)
    futures = [database.submit(careful, word) for word in ("tea", "bad", "milk")]
    held.release.set()
    assert futures[0].result(PATIENCE) == "tea"
    with pytest.raises(ValueError, match="bad"):
        futures[1].result(PATIENCE)
    assert futures[2].result(PATIENCE) == "milk"
    assert words(database) == ["tea", "milk"]


def test_work_that_breaks_off_is_undone_and_tried_again_item_by_item(database: Database) -> None:
    told: list[str] = []
    database.listeners.append(told.extend)
    held = Held(database)
    # The second "tea" breaks off the whole batch after the first was written.
    futures = [database.submit(keep, word) for word in ("tea", "tea", "milk")]
    held.release.set()
    assert futures[0].result(PATIENCE) == "tea"
    with pytest.raises(DBAPIError):
        futures[1].result(PATIENCE)
    assert futures[2].result(PATIENCE) == "milk"
    assert words(database) == ["tea", "milk"]
    assert told == ["tea", "milk"], "what was undone was told"


def test_a_change_that_fails_leaves_nothing_behind_and_is_told_to_nobody(database: Database) -> None:
    told: list[str] = []
    database.listeners.append(told.extend)

    def change(transaction: Transaction) -> None:
        keep(transaction, ["half"])
        raise LookupError("no more")

    with pytest.raises(LookupError):
        database.write(change)
    assert (words(database), told) == ([], [])
    assert database.write(keep_one("tea")) == "tea"


def test_each_kind_of_work_in_a_commit_is_done_once_for_all_of_its_items(database: Database) -> None:
    asked: list[list[str]] = []

    def shout(transaction: Transaction, items: list[str]) -> list[str | Exception]:
        asked.append(items)
        return keep(transaction, [item.upper() for item in items])

    held = Held(database)
    waiting = [database.submit(work, word) for word in ("tea", "milk", "jam") for work in (keep, shout)]
    held.release.set()
    assert [each.result(PATIENCE) for each in waiting] == ["tea", "TEA", "milk", "MILK", "jam", "JAM"]
    assert asked == [["tea", "milk", "jam"]]
    assert words(database) == ["tea", "milk", "jam", "TEA", "MILK", "JAM"]


def test_work_of_another_kind_in_the_same_commit_is_not_harmed(database: Database) -> None:
    def break_off(transaction: Transaction, items: list[str]) -> list[str | Exception]:
        keep(transaction, ["half"])
        raise LookupError

    held = Held(database)
    before, failing, after = (
        database.submit(keep, "tea"),
        database.submit(break_off, "x"),
        database.submit(keep, "milk"),
    )
    held.release.set()
    assert (before.result(PATIENCE), after.result(PATIENCE)) == ("tea", "milk")
    with pytest.raises(LookupError):
        failing.result(PATIENCE)
    assert words(database) == ["tea", "milk"]


def test_listeners_hear_of_a_commit_once_it_is_visible_and_before_its_work_is_answered(database: Database) -> None:
    seen: list[tuple[list[str], list[str], bool]] = []

    def listen(appended: Sequence[Any]) -> None:
        seen.append((list(appended), words(database), future.done()))

    held = Held(database)
    database.listeners.append(listen)
    future = database.submit(keep, "tea")
    held.release.set()
    assert future.result(PATIENCE) == "tea"
    assert seen == [(["tea"], ["tea"], False)]


def test_a_commit_that_appended_nothing_is_told_to_nobody(database: Database) -> None:
    told: list[Any] = []
    database.listeners.append(told.append)
    database.write(lambda transaction: None)
    assert told == []


def test_a_listener_that_fails_stops_neither_the_writer_nor_an_answer(database: Database) -> None:
    def fail(appended: Sequence[Any]) -> None:
        raise LookupError("a listener's own fault")

    database.listeners.append(fail)
    future = database.submit(keep, "tea")
    with quiet_threads():
        assert future.result(1) == "tea"
        assert database.submit(keep, "milk").result(1) == "milk"


def test_a_loop_is_woken_once_for_all_that_one_commit_answers(database: Database) -> None:
    async def wait() -> tuple[list[Any], int]:
        loop = asyncio.get_running_loop()
        woken = 0
        real = loop.call_soon_threadsafe

        def counting(*arguments: Any, **options: Any) -> Any:
            nonlocal woken
            woken += 1
            return real(*arguments, **options)

        held = Held(database)
        futures = [database.submit_from_loop(keep, str(number)) for number in range(10)]
        loop.call_soon_threadsafe = counting  # type: ignore[assignment, method-assign]
        held.release.set()
        return await asyncio.wait_for(asyncio.gather(*futures), PATIENCE), woken

    answers, woken = asyncio.run(wait())
    assert answers == [str(number) for number in range(10)]
    assert woken == 1


def test_who_stops_waiting_on_a_loop_harms_nobody(database: Database) -> None:
    async def wait() -> str:
        held = Held(database)
        impatient, patient = database.submit_from_loop(keep, "tea"), database.submit_from_loop(keep, "milk")
        impatient.cancel()
        held.release.set()
        return str(await asyncio.wait_for(patient, PATIENCE))

    assert asyncio.run(wait()) == "milk"
    assert words(database) == ["tea", "milk"]


def test_an_answer_for_a_loop_that_has_ended_is_dropped(database: Database) -> None:
    async def leave() -> Held:
        held = Held(database)
        database.submit_from_loop(keep, "tea")
        return held

    held = asyncio.run(leave())
    held.release.set()
    assert database.write(keep_one("milk")) == "milk"
    assert words(database) == ["tea", "milk"]


def test_closing_finishes_the_work_that_waits(sqlite: Database, tmp_path: Path) -> None:
    database = sqlite
    held = Held(database)
    futures = [database.submit(keep, str(number)) for number in range(1200)]
    closing = threading.Thread(target=database.close)
    closing.start()
    held.release.set()
    closing.join(PATIENCE)
    assert not closing.is_alive()
    assert [future.result(0) for future in futures] == [str(number) for number in range(1200)]
    kept = sqlite3.connect(tmp_path / "chat.db")
    assert kept.execute("SELECT count(*) FROM word").fetchone() == (1200,)
    kept.close()


def test_what_comes_after_closing_is_refused_and_closing_twice_is_no_harm(database: Database) -> None:
    database.close()
    database.close()
    with pytest.raises(StorageUnavailable):
        database.submit(keep, "tea")


def test_work_that_arrives_in_the_moment_of_closing_is_answered_too(database: Database) -> None:
    at_the_door, closed = threading.Event(), threading.Event()

    class Late(queue.SimpleQueue[Any]):
        """Holds a submission up between its look at the door and its place in the queue."""

        def put(self, item: Any, block: bool = True, timeout: float | None = None) -> None:
            if item is not None:
                at_the_door.set()
                closed.wait(0.5)
            super().put(item)

    held = Held(database)
    database._jobs = Late()
    held.release.set()
    answered: list[Any] = []

    def submit() -> None:
        try:
            answered.append(database.submit(keep, "tea").exception(1))
        except Exception as error:
            answered.append(error)

    submitting = threading.Thread(target=submit)
    submitting.start()
    assert at_the_door.wait(PATIENCE)
    database.close()
    closed.set()
    submitting.join(PATIENCE)
    # Kept or refused, but not left to wait for ever.
    assert answered[0] is None or isinstance(answered[0], StorageUnavailable)


def test_a_full_disk_is_named_and_harms_nothing_that_was_kept(sqlite: Database) -> None:
    sqlite.write(keep_one("tea"))
    limit_pages(sqlite, extra=0)
    future = sqlite.submit(keep, "long " * 5000)
    with pytest.raises(StorageFull):
        future.result(PATIENCE)
    assert words(sqlite) == ["tea"]
    limit_pages(sqlite, extra=1_000_000)
    assert sqlite.write(keep_one("milk")) == "milk", "it recovers by itself"
    assert words(sqlite) == ["tea", "milk"]


def test_all_who_share_a_commit_that_finds_the_disk_full_are_told_so(sqlite: Database) -> None:
    told: list[str] = []
    sqlite.listeners.append(told.extend)
    limit_pages(sqlite, extra=0)
    held = Held(sqlite)
    futures = [sqlite.submit(keep, word) for word in ("tea", "long " * 5000, "milk")]
    held.release.set()
    for future in futures:
        with pytest.raises(StorageFull):
            future.result(PATIENCE)
    assert (words(sqlite), told) == ([], [])


def test_the_writer_outlives_a_database_that_cannot_be_opened_anew(
    sqlite: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_pages(sqlite, extra=0)
    real = sqlite.engine.connect

    def refuse(*_: Any) -> Any:
        monkeypatch.setattr(sqlite.backend.writer, "connect", real)
        raise OperationalError("PRAGMA journal_mode = WAL", None, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(sqlite.backend.writer, "connect", refuse)
    with quiet_threads():
        with pytest.raises(StorageFull):
            sqlite.submit(keep, "long " * 5000).result(1)
        with pytest.raises(StorageUnavailable):
            sqlite.submit(keep, "coffee").result(1)
        assert sqlite.submit(keep, "tea").result(1) == "tea"


def test_readers_can_only_read(database: Database) -> None:
    with database.read() as connection, pytest.raises(DBAPIError, match=r"read-?only"):
        connection.execute(text("INSERT INTO word (word) VALUES ('tea')"))


def test_the_writer_syncs_to_the_disk_and_readers_never_checkpoint(sqlite: Database) -> None:
    facts: dict[str, Any] = {}

    def ask(transaction: Transaction) -> None:
        for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint"):
            facts[name] = transaction.connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    sqlite.write(ask)
    assert (facts["journal_mode"], facts["synchronous"], facts["foreign_keys"]) == ("wal", 2, 1)
    assert facts["wal_autocheckpoint"] == 4_000
    with sqlite.read() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 0
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1


def test_a_reader_sees_what_was_answered_before_it_asks(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM word")).scalar() == 0
        database.write(keep_one("tea"))
        assert connection.execute(text("SELECT count(*) FROM word")).scalar() == 1


def test_what_people_wrote_is_in_no_error(database: Database) -> None:
    words = f"a {'secret'}"
    database.write(keep_one(words))
    with pytest.raises(DBAPIError) as refused:
        database.write(keep_one(words))
    assert words not in "".join(traceback.format_exception(refused.value))


def test_a_second_owner_of_the_data_is_refused(sqlite: Database, tmp_path: Path) -> None:
    with pytest.raises(DataInUse):
        Database(SQLite(tmp_path))
    program = (
        "import sys, pathlib; from flask_chat.db import Database, SQLite; Database(SQLite(pathlib.Path(sys.argv[1])))"
    )
    other = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert other.returncode == 1
    assert "DataInUse" in other.stderr


def test_the_data_is_free_again_once_it_is_closed(sqlite: Database, tmp_path: Path) -> None:
    sqlite.close()
    Database(SQLite(tmp_path)).close()


def test_another_lock_error_is_not_taken_for_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", fail)
    with pytest.raises(OSError, match="No locks"):
        Database(SQLite(tmp_path))


def test_postgresql_waits_for_the_disk_and_forever_for_nothing(postgresql: Database) -> None:
    def setting(name: str) -> Callable[[Transaction], Any]:
        return lambda transaction: transaction.connection.exec_driver_sql(f"SHOW {name}").scalar_one()

    told = {name: postgresql.write(setting(name)) for name in ("synchronous_commit", "default_transaction_read_only")}
    assert told == {"synchronous_commit": "on", "default_transaction_read_only": "off"}
    for name in ("statement_timeout", "lock_timeout", "idle_in_transaction_session_timeout"):
        assert postgresql.write(setting(name)) != "0"


def test_a_second_writer_of_postgresql_waits_until_the_first_has_committed(
    postgresql: Database, database_url: str
) -> None:
    other = Database(PostgreSQL(database_url))
    other.start()
    locked, release, order = threading.Event(), threading.Event(), list[str]()

    def hold(transaction: Transaction) -> None:
        keep_one("first")(transaction)
        locked.set()
        assert release.wait(PATIENCE)
        order.append("first")

    def follow(transaction: Transaction) -> None:
        keep_one("second")(transaction)
        order.append("second")

    first = threading.Thread(target=lambda: postgresql.write(hold))
    second = threading.Thread(target=lambda: other.write(follow))
    first.start()
    assert locked.wait(PATIENCE)
    second.start()
    waiting = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
    with postgresql.read() as connection:
        until = time.monotonic() + PATIENCE
        while not connection.exec_driver_sql(waiting).scalar_one():
            assert time.monotonic() < until
    release.set()
    for thread in (first, second):
        thread.join(PATIENCE)
    other.close()
    assert order == ["first", "second"]


def test_a_lock_that_was_taken_in_work_that_broke_off_is_taken_anew(postgresql: Database) -> None:
    held: list[bool] = []

    def sometimes(transaction: Transaction, items: list[int]) -> list[int | Exception]:
        transaction.lock()
        held.append(bool(transaction.connection.exec_driver_sql(HOLDS).scalar_one()))
        if len(items) > 1 or items[0] == 1:
            raise LookupError
        return list(items)

    busy = Held(postgresql)
    futures = [postgresql.submit(sometimes, number) for number in range(3)]
    busy.release.set()
    assert [type(future.exception(PATIENCE)) for future in futures] == [type(None), LookupError, type(None)]
    assert held == [True] * 5, "together once, together in a savepoint, then each alone"


HOLDS = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"


def test_a_connection_that_was_lost_before_the_commit_is_made_anew_and_nobody_hears_of_it(
    postgresql: Database, postgres: Postgres, database_url: str
) -> None:
    opened: list[int] = []
    postgresql.openers.append(lambda transaction: opened.append(1))
    postgresql.write(keep_one("tea"))
    end_connections(postgres, database_url)
    assert postgresql.write(keep_one("milk")) == "milk"
    assert words(postgresql) == ["tea", "milk"]
    assert len(opened) == 2, "what an opener sees to is seen to again"


def test_a_connection_that_is_lost_in_the_middle_of_a_transaction_leaves_nothing_and_is_tried_once_more(
    postgresql: Database, postgres: Postgres, database_url: str
) -> None:
    tries: list[int] = []

    def change(transaction: Transaction) -> str:
        tries.append(1)
        keep(transaction, ["tea"])
        if len(tries) == 1:
            end_connections(postgres, database_url)
        return keep_one("milk")(transaction)

    assert postgresql.write(change) == "milk"
    assert words(postgresql) == ["tea", "milk"]
    assert len(tries) == 2


def test_a_reader_whose_connection_went_away_while_it_was_unused_gets_another(
    postgresql: Database, postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert words(postgresql) == []
    end_connections(postgres, database_url)
    monkeypatch.setattr("flask_chat.db.postgresql.UNUSED", -1.0)
    assert words(postgresql) == []


def test_a_database_that_does_not_answer_is_unavailable_to_writers_and_readers() -> None:
    database = Database(PostgreSQL(f"postgresql://chat@127.0.0.1:{free_port()}/none"))
    database.start()
    with pytest.raises(StorageUnavailable):
        database.write(keep_one("tea"))
    with pytest.raises(StorageUnavailable):
        words(database)
    database.close()


def test_a_database_that_hangs_holds_nobody_up_for_ever(database_url: str, postgres: Postgres) -> None:
    with BytesProxy(postgres.port) as network:
        database = Database(PostgreSQL(network.through(database_url), patience=0.3))
        with database.engine.begin() as connection:
            WORD.create(connection)
        database.start()
        assert database.write(keep_one("tea")) == "tea"
        assert words(database) == ["tea"]
        network.partition()
        with pytest.raises(StorageUnavailable):
            database.write(keep_one("milk"))
        with pytest.raises(StorageUnavailable):
            words(database)
        network.refuse()
        network.heal()
        until(lambda: not isinstance(database.submit(keep, "coffee").exception(PATIENCE), StorageUnavailable))
        assert words(database)[-1] == "coffee"
        database.close()


def test_a_database_that_is_away_is_said_once_and_so_is_its_return(
    postgres: Postgres, database_url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with BytesProxy(postgres.port) as network:
        database = Database(PostgreSQL(network.through(database_url)))
        with database.engine.begin() as connection:
            WORD.create(connection)
        network.refuse()
        database.start()
        for _ in range(50):
            with pytest.raises(StorageUnavailable):
                database.write(keep_one("tea"))
        network.heal()
        until(lambda: database.submit(keep, "tea").exception(PATIENCE) is None)
        database.close()
    said = capsys.readouterr().out
    assert (said.count("storage.failed"), said.count("storage.back")) == (1, 1)


def until(true: Callable[[], bool]) -> None:
    """Try again and again what must be so in the end."""
    end = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < end


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://ann:secret@host/x", "mysql"),
        ("secret", "no address"),
        ("postgresql://ann:secret@host:port/x", "no address"),
        ("postgresql://ann:sec/secret@host/x", "%2F"),
    ],
)
def test_an_address_that_cannot_be_one_is_refused_without_its_password(url: str, reason: str) -> None:
    with pytest.raises(ConfigError, match=reason) as refused:
        PostgreSQL(url)
    assert "secret" not in str(refused.value)


def test_a_database_that_cannot_hold_every_script_is_refused(postgres: Postgres) -> None:
    postgres.sql("CREATE DATABASE latin OWNER chat TEMPLATE template0 ENCODING LATIN1 LOCALE 'C'")
    database = Database(PostgreSQL(f"postgresql://chat@127.0.0.1:{postgres.port}/latin"))
    with pytest.raises(DatabaseRefused, match="LATIN1"):
        database.engine.connect()
    database.close()


def end_connections(postgres: Postgres, url: str) -> None:
    """Cut every connection to a database, as a server that restarts does."""
    postgres.sql("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s", url.rpartition("/")[2])


def limit_pages(database: Database, extra: int) -> None:
    """Let the file grow by so many pages and no more, as on a disk that is full."""

    def limit(transaction: Transaction) -> None:
        pages = transaction.connection.exec_driver_sql("PRAGMA page_count").scalar_one()
        transaction.connection.exec_driver_sql(f"PRAGMA max_page_count = {pages + extra}")

    database.write(limit)


class quiet_threads:  # noqa: N801 (reads like the context managers of contextlib)
    """A thread that dies is seen by who waits for it; pytest need not warn of it as well."""

    def __enter__(self) -> None:
        self._before, threading.excepthook = threading.excepthook, lambda _: None

    def __exit__(self, *_: object) -> None:
        threading.excepthook = self._before
