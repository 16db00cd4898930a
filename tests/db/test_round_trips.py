"""What leaves for PostgreSQL together, so that a server far away is waited for less; and that it is a transaction."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, Table, insert, select

from flask_chat.chat import messages, people
from flask_chat.config import Config
from flask_chat.db import Transaction
from flask_chat.db.postgresql import PostgreSQL
from flask_chat.http.services import Services

LINE = Table("line", MetaData(), Column("id", Integer, primary_key=True, autoincrement=False))
LOCKED = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND granted AND pid = pg_backend_pid()"


@pytest.fixture
def config(sqlite_config: Config, migrated_url: str) -> Config:
    return replace(sqlite_config, database_url=migrated_url)


@pytest.fixture
def backend(database_url: str) -> Iterator[PostgreSQL]:
    made = PostgreSQL(database_url)
    with made.writer.begin() as connection:
        LINE.create(connection)
    yield made
    made.close()


@pytest.fixture
def connection(backend: PostgreSQL) -> Iterator[Connection]:
    with backend.writer.connect() as connection:
        yield connection


@pytest.fixture
def round_trips(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """One for each, by what asked for it: the driver waits for its server here, and nowhere else."""
    made: list[str] = []
    wait: Callable[..., Any] = psycopg.Connection.wait

    def counted(self: psycopg.Connection[Any], generator: Any, *arguments: Any, **options: Any) -> Any:
        made.append(generator.__name__)
        return wait(self, generator, *arguments, **options)

    monkeypatch.setattr(psycopg.Connection, "wait", counted)
    return made


def ids(backend: PostgreSQL) -> list[int]:
    with backend.readers.connect() as connection:
        return list(connection.execute(select(LINE.c.id).order_by(LINE.c.id)).scalars())


def test_beginning_locking_and_asking_are_one(
    backend: PostgreSQL, connection: Connection, round_trips: list[str]
) -> None:
    with connection.begin():
        Transaction(connection, backend).lock()
        assert round_trips == []
        assert connection.exec_driver_sql(LOCKED).scalar_one() == 1
        assert len(round_trips) == 1
    assert len(round_trips) == 2
    assert connection.exec_driver_sql(LOCKED).scalar_one() == 0


def test_a_post_needs_seven(chat: Services, round_trips: list[str]) -> None:
    ann = chat.db.write(lambda transaction: people.add(transaction, people.check_name("Ann"), people.GUEST))
    round_trips.clear()
    chat.db.submit(messages.post_together, messages.draft(ann, "lobby", "Hello", "hello-1")).result()
    assert len(round_trips) == 7


@pytest.mark.parametrize("rows", [[{"id": 1}], [{"id": 1}, {"id": 2}]], ids=["one row", "several"])
def test_what_comes_first_in_a_transaction_is_undone_with_it(
    backend: PostgreSQL, connection: Connection, rows: list[dict[str, int]]
) -> None:
    statement = insert(LINE).inline()
    with connection.begin() as transaction:
        connection.execute(statement, rows)
        transaction.rollback()
    assert ids(backend) == []
    with connection.begin():
        connection.execute(statement, rows)
    assert ids(backend) == [row["id"] for row in rows]


def test_a_statement_that_takes_no_parameters_at_all_is_undone_too(backend: PostgreSQL, connection: Connection) -> None:
    connection = connection.execution_options(no_parameters=True)
    with connection.begin() as transaction:
        connection.exec_driver_sql("INSERT INTO line VALUES (1)")
        transaction.rollback()
    assert ids(backend) == []


@pytest.mark.parametrize("end", ["commit", "rollback"])
def test_a_lock_that_nobody_needed_is_not_taken_by_the_next(
    backend: PostgreSQL, connection: Connection, round_trips: list[str], end: str
) -> None:
    with connection.begin() as transaction:
        Transaction(connection, backend).lock()
        getattr(transaction, end)()
    with connection.begin():
        assert connection.exec_driver_sql(LOCKED).scalar_one() == 0


def test_tables_whose_rows_refer_to_each_other_are_filled_by_one_statement(
    backend: PostgreSQL, connection: Connection, round_trips: list[str]
) -> None:
    with connection.begin():
        connection.exec_driver_sql("CREATE TABLE note (line_id integer NOT NULL REFERENCES line)")
        note = Table("note", MetaData(), Column("line_id", Integer))
        round_trips.clear()
        Transaction(connection, backend).insert((LINE, [{"id": 1}, {"id": 2}]), (note, [{"line_id": 2}]))
        assert len(round_trips) == 1
        assert connection.execute(select(note.c.line_id)).scalars().all() == [2]
    assert ids(backend) == [1, 2]
