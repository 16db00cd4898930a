"""A chat in PostgreSQL."""

from __future__ import annotations

import time
from collections.abc import Hashable, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
from psycopg import errors
from sqlalchemy import BigInteger, Connection, Integer, String, Table
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.types import TypeEngine

from .. import schema
from ..config import ConfigError
from ..db import metadata
from ..db.postgresql import LOG_LOCK, PostgreSQL, address
from . import rows
from .place import check_empty, check_version, first_line
from .rows import Chunks, Reader, Row

GOING = 3.0
"""Seconds that processes have to disappear that are just ending."""


class Server:
    """A database of a PostgreSQL server. Raises :class:`ConfigError` for a text that is no address of one."""

    def __init__(self, url: str) -> None:
        self._backend = PostgreSQL(url, readers=1, node="move", patience=None)
        shown = address(url).set(drivername="postgresql", query={})
        self.name = shown.render_as_string(hide_password=True)

    def identity(self) -> Hashable:
        """The database, whichever address leads to it."""
        try:
            with self._backend.writer.connect() as connection:
                return str(connection.exec_driver_sql(_IDENTITY).scalar_one())
        except OperationalError as error:
            raise ConfigError(f"{self.name} cannot be reached: {first_line(error)}.") from None

    @contextmanager
    def reading(self) -> Iterator[_Reading]:
        """The chat that is there; see :class:`flask_chat.moving.place.Place`."""
        with self._backend.writer.connect() as guard:
            _take_time(guard)
            self._check_unused(guard)
            with self._locking():
                guard.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOG_LOCK})")
            check_version(self._backend.readers, self.name)
            # Only now, with the log's lock held, does the snapshot begin: it has all that was ever committed.
            with self._backend.readers.connect() as connection:
                connection.execution_options(isolation_level="REPEATABLE READ")
                _take_time(connection)
                yield _Reading(connection)

    @contextmanager
    def writing(self) -> Iterator[_Writing]:
        """A chat that is made there; see :class:`flask_chat.moving.place.Place`."""
        with self._backend.writer.connect() as connection:
            _take_time(connection)
            with self._locking():
                connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({schema.LOCK})")
            check_empty(connection, self.name)
            schema.migrate(connection)
            yield _Writing(connection)

    def close(self) -> None:
        """Close every connection."""
        self._backend.close()

    @contextmanager
    def _locking(self) -> Iterator[None]:
        try:
            yield
        except DBAPIError as error:
            if not isinstance(error.orig, errors.LockNotAvailable):
                raise
            raise ConfigError(
                f"Another process is at work in {self.name}, perhaps another move. Try again later."
            ) from None

    def _check_unused(self, connection: Connection) -> None:
        until = time.monotonic() + GOING
        while using := connection.exec_driver_sql(_USING).scalars().all():
            if time.monotonic() > until:
                raise ConfigError(
                    f"Processes of the chat use {self.name} ({', '.join(using)}). "
                    "Stop every one of them first: a chat is moved while nobody writes."
                )
            time.sleep(0.1)
            # Within a transaction what was seen once stays as it was seen.
            connection.exec_driver_sql("SELECT pg_stat_clear_snapshot()")


class _Reading:
    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def count(self, table: Table) -> int:
        return rows.count(self._connection, table)

    def rows(self, table: Table) -> Reader:
        return rows.read(self._connection, table)


class _Writing(_Reading):
    def __init__(self, connection: Connection) -> None:
        super().__init__(connection)
        self._quote = connection.dialect.identifier_preparer.quote
        # Checked once at the end, all together, instead of one by one: many times as fast, and in any order.
        self._references = connection.exec_driver_sql(_REFERENCES, (list(metadata.tables),)).all()
        for table, name, _ in self._references:
            connection.exec_driver_sql(f"ALTER TABLE {table} DROP CONSTRAINT {name}")

    def write(self, table: Table, chunks: Chunks) -> None:
        columns = ", ".join(self._quote(column.name) for column in table.columns)
        statement = f"COPY {self._quote(table.name)} ({columns}) FROM STDIN"
        driver = self._connection.connection.cursor()
        for part in chunks:
            try:
                with driver.copy(statement) as copy:
                    for row in rows.to_driver(part, table, self._connection.dialect):
                        copy.write_row(row)
            except psycopg.Error as error:
                raise ConfigError(_refused(table, part, error)) from None

    def complete(self) -> None:
        execute = self._connection.exec_driver_sql
        for table, name, definition in self._references:
            execute(f"ALTER TABLE {table} ADD CONSTRAINT {name} {definition}")
        for table in metadata.sorted_tables:
            quoted = self._quote(table.name)
            for column in table.primary_key.columns:
                sequence = execute("SELECT pg_get_serial_sequence(%s, %s)", (quoted, column.name)).scalar_one()
                if sequence is not None:
                    execute(f"SELECT setval(%s, max({self._quote(column.name)})) FROM {quoted}", (sequence,))  # noqa: S608
            execute(f"ANALYZE {quoted}")

    def keep(self) -> None:
        try:
            self._connection.commit()
        except DBAPIError as error:
            raise ConfigError(
                f"The connection broke at the very end ({first_line(error)}). Start the move again: if it refuses, "
                "because the chat is there already, nothing is missing."
            ) from None


def _take_time(connection: Connection) -> None:
    """Let this transaction last as long as it takes; only locks are not waited for much longer than a moment."""
    connection.exec_driver_sql("SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0")


def _refused(table: Table, part: list[Row], error: psycopg.Error) -> str:
    """Which row PostgreSQL does not take, and why, without quoting it."""
    for row in part:
        for column, value in zip(table.columns, row, strict=True):
            if why := _flaw(column.type, value):
                key = " ".join(
                    f"{each.name}={value}" for each, value in zip(table.columns, row, strict=True) if each.primary_key
                )
                return (
                    f"PostgreSQL cannot hold a row of the table {table.name} ({key}): its {column.name} {why}. "
                    "Nothing was kept."
                )
    return f"PostgreSQL does not take the rows of the table {table.name}: {first_line(error)}. Nothing was kept."


def _flaw(type: TypeEngine[Any], value: object) -> str | None:
    # SQLite keeps any value in any column; PostgreSQL holds columns to their types.
    if isinstance(value, str):
        if "\0" in value:
            return "has the character NUL in it"
        if isinstance(type, Integer):
            return "is a text"
        if isinstance(type, String) and type.length is not None and len(value) > type.length:
            return f"is longer than {type.length} characters"
    elif isinstance(value, int) and isinstance(type, Integer):
        bits = 63 if isinstance(type, BigInteger) else 31
        if not -(2**bits) <= value < 2**bits:
            return "is too large a number"
    return None


_IDENTITY = """
SELECT pg_postmaster_start_time()::text || ' ' || oid FROM pg_database WHERE datname = current_database()
"""
_USING = """
SELECT DISTINCT application_name FROM pg_stat_activity
WHERE datname = current_database() AND pid <> pg_backend_pid() AND starts_with(application_name, 'flask-chat')
"""
_REFERENCES = """
SELECT conrelid::regclass::text, quote_ident(conname), pg_get_constraintdef(oid) FROM pg_constraint
WHERE contype = 'f' AND conrelid IN (SELECT to_regclass(quote_ident(name)) FROM unnest(%s::text[]) AS name)
"""
