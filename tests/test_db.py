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
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError, OperationalError

from flask_chat import db as db_module
from flask_chat.db import Database, DataInUse, StorageFull, StorageUnavailable, Transaction

PATIENCE = 5.0


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    """A writer over one table of words, each of them once."""
    database = Database(tmp_path)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE word (id INTEGER PRIMARY KEY, word TEXT UNIQUE NOT NULL)")
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


def test_closing_finishes_the_work_that_waits(tmp_path: Path) -> None:
    database = Database(tmp_path)
    with database.engine.begin() as connection:
        connection.exec_driver_sql("CREATE TABLE word (id INTEGER PRIMARY KEY, word TEXT UNIQUE NOT NULL)")
    database.start()
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


def test_a_full_disk_is_named_and_harms_nothing_that_was_kept(database: Database) -> None:
    database.write(keep_one("tea"))
    limit_pages(database, extra=0)
    future = database.submit(keep, "long " * 5000)
    with pytest.raises(StorageFull):
        future.result(PATIENCE)
    assert words(database) == ["tea"]
    limit_pages(database, extra=1_000_000)
    assert database.write(keep_one("milk")) == "milk", "it recovers by itself"
    assert words(database) == ["tea", "milk"]


def test_all_who_share_a_commit_that_finds_the_disk_full_are_told_so(database: Database) -> None:
    told: list[str] = []
    database.listeners.append(told.extend)
    limit_pages(database, extra=0)
    held = Held(database)
    futures = [database.submit(keep, word) for word in ("tea", "long " * 5000, "milk")]
    held.release.set()
    for future in futures:
        with pytest.raises(StorageFull):
            future.result(PATIENCE)
    assert (words(database), told) == ([], [])


def test_the_writer_outlives_a_database_that_cannot_be_opened_anew(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    limit_pages(database, extra=0)
    real = database.engine.connect

    def refuse(*_: Any) -> Any:
        monkeypatch.setattr(database._writer_engine, "connect", real)
        raise OperationalError("PRAGMA journal_mode = WAL", None, sqlite3.OperationalError("disk I/O error"))

    monkeypatch.setattr(database._writer_engine, "connect", refuse)
    with quiet_threads():
        with pytest.raises(StorageFull):
            database.submit(keep, "long " * 5000).result(1)
        with pytest.raises(StorageUnavailable):
            database.submit(keep, "coffee").result(1)
        assert database.submit(keep, "tea").result(1) == "tea"


def test_readers_can_only_read(database: Database) -> None:
    with database.read() as connection, pytest.raises(OperationalError, match="readonly"):
        connection.execute(text("INSERT INTO word (word) VALUES ('tea')"))


def test_the_writer_syncs_to_the_disk_and_readers_never_checkpoint(database: Database) -> None:
    facts: dict[str, Any] = {}

    def ask(transaction: Transaction) -> None:
        for name in ("journal_mode", "synchronous", "foreign_keys", "wal_autocheckpoint"):
            facts[name] = transaction.connection.exec_driver_sql(f"PRAGMA {name}").scalar()

    database.write(ask)
    assert (facts["journal_mode"], facts["synchronous"], facts["foreign_keys"]) == ("wal", 2, 1)
    assert facts["wal_autocheckpoint"] > 0
    with database.read() as connection:
        assert connection.exec_driver_sql("PRAGMA wal_autocheckpoint").scalar() == 0
        assert connection.exec_driver_sql("PRAGMA query_only").scalar() == 1


def test_a_reader_sees_what_was_answered_before_it_asks(database: Database) -> None:
    with database.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM word")).scalar() == 0
        database.write(keep_one("tea"))
        assert connection.execute(text("SELECT count(*) FROM word")).scalar() == 1


def test_what_people_wrote_is_in_no_error(database: Database) -> None:
    database.write(keep_one("a secret"))
    with pytest.raises(DBAPIError) as refused:
        database.write(keep_one("a secret"))
    assert "a secret" not in str(refused.value)


def test_a_second_owner_of_the_data_is_refused(database: Database, tmp_path: Path) -> None:
    with pytest.raises(DataInUse):
        Database(tmp_path)
    program = "import sys, pathlib; from flask_chat.db import Database; Database(pathlib.Path(sys.argv[1]))"
    other = subprocess.run(
        [sys.executable, "-c", program, tmp_path],
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": "src"},
    )
    assert other.returncode == 1
    assert "DataInUse" in other.stderr


def test_the_data_is_free_again_once_it_is_closed(database: Database, tmp_path: Path) -> None:
    database.close()
    Database(tmp_path).close()


def test_another_lock_error_is_not_taken_for_another_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise OSError(errno.ENOLCK, "No locks available")

    monkeypatch.setattr("fcntl.flock", fail)
    with pytest.raises(OSError, match="No locks"):
        Database(tmp_path)


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
