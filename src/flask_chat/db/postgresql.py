"""PostgreSQL: many processes, on many machines, on one log."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any, cast

import msgspec
import psycopg
from psycopg import errors
from psycopg.abc import RV, PQGen
from psycopg.pq import TransactionStatus
from sqlalchemy import URL, Connection, Dialect, Engine, ExceptionContext, Table, create_engine, event, make_url, pool
from sqlalchemy.exc import ArgumentError, DBAPIError, DisconnectionError, SQLAlchemyError

from ..config import ConfigError
from .backend import DatabaseRefused, Rows, StorageFull, StorageUnavailable

OLDEST = 15
"""The oldest major version of PostgreSQL that this chat is tested with."""

LOG_LOCK = 0x666C61736B63
"""The advisory lock under which the log is written: held from before a transaction's first change to its commit."""

UNUSED = 1.0
"""Seconds after which a connection is asked whether it still reaches the database before it is used."""

PATIENCE = 25.0
"""Seconds in which the server has to answer. Its own timeouts are shorter, but one that hangs keeps none of them."""

# A writer that stops in the middle of a transaction loses the log's lock. Every statement must see what was committed
# before it, or the lock would be worth nothing.
_SESSION = """
SET default_transaction_isolation = 'read committed';
SET synchronous_commit = on;
SET statement_timeout = '20s';
SET lock_timeout = '10s';
SET idle_in_transaction_session_timeout = '3s';
SET TIME ZONE 'UTC';
SET jit = off
"""
# Everything that is asked for all day is found by key, and comes in the order of one. A plan that was made, and kept,
# while a table was small, or not yet looked at, would otherwise read all of it, again and again, while it grows.
_BY_KEY = "SET enable_seqscan = off"
_IN_ORDER = "SET enable_sort = off; SET default_transaction_read_only = on"


class PostgreSQL:
    """The shared engine. ``url`` is an address as PostgreSQL's own tools take it.

    ``patience``: see :data:`PATIENCE`; None for work that may take as long as it needs.

    Raises :class:`flask_chat.config.ConfigError` for a text that is none; reaches for the server when first used.
    """

    name = "postgresql"
    shared = True
    key = b""

    def __init__(self, url: str, readers: int = 8, *, node: str = "", patience: float | None = PATIENCE) -> None:
        self._url = address(url)
        self._patience = patience
        self._node = node
        self._version = ""
        self.writer = self._engine(1)
        self.readers = self._engine(readers, isolation_level="AUTOCOMMIT")

    @property
    def version(self) -> str:
        """The server's version, once there was a connection."""
        return self._version

    def lock(self, connection: Connection) -> None:
        """Wait for the log's lock before the next statement is run."""
        driver: _Connection = connection.connection.driver_connection  # type: ignore[assignment]
        driver.ahead.append(f"SELECT pg_advisory_xact_lock({LOG_LOCK})")

    def insert(self, connection: Connection, *kept: Rows) -> None:
        """Insert them all with one statement, and one parameter a table: row by row costs more than all the rest."""
        statement = _insertion(connection.dialect, tuple((table, tuple(rows[0])) for table, rows in kept))
        connection.exec_driver_sql(statement, tuple(msgspec.json.encode(rows).decode() for _, rows in kept))

    def alive(self, connection: Connection) -> bool:
        """Ask the server for a sign of life."""
        try:
            connection.exec_driver_sql("SELECT 1")
            connection.rollback()
        except SQLAlchemyError:
            return False
        return True

    def history(self, connection: Connection) -> str:
        """What changes with a restored backup, a fallback to a standby, or a table put in another's place."""
        return str(connection.exec_driver_sql(_HISTORY).scalar_one())

    def failed(self, error: Exception) -> bool:
        """Whether the transaction is lost: every error but those of a single statement's own making."""
        return isinstance(error, DBAPIError) and not isinstance(
            error.orig, (psycopg.IntegrityError, psycopg.DataError, psycopg.ProgrammingError)
        )

    def lost(self, error: Exception) -> bool:
        """Whether the connection, or the server behind it, went away: but not that it was too slow, or is full."""
        if not isinstance(error, DBAPIError) or not isinstance(error.orig, psycopg.Error):
            return False
        state = error.orig.sqlstate
        # Without a state it was no word of the server's. Else by class: connection, transaction, rollback, shutdown.
        return state is None or (
            state[:2] in ("08", "25", "40", "57") and not isinstance(error.orig, errors.QueryCanceled)
        )

    def explain(self, error: Exception) -> tuple[Exception, dict[str, object]]:
        """Tell a full disk from every other failure."""
        cause = getattr(error, "orig", error)
        detail = str(cause).partition("\n")[0][:200]
        facts = {"error": type(cause).__name__, "code": getattr(cause, "sqlstate", None), "detail": detail}
        if isinstance(cause, errors.DiskFull):
            return StorageFull("The disk of this chat's database is full."), facts
        return StorageUnavailable("The chat could not keep that just now."), facts

    def close(self) -> None:
        """Close every connection."""
        self.readers.dispose()
        self.writer.dispose()

    def _engine(self, size: int, **options: Any) -> Engine:
        query_only = bool(options)
        engine = create_engine(
            self._url,
            poolclass=pool.QueuePool,
            pool_size=size,
            max_overflow=0,
            pool_timeout=10,
            pool_use_lifo=True,  # One that was used knows its statements, and the plans for them.
            hide_parameters=True,  # They carry what people wrote, and errors are logged.
            connect_args={
                "application_name": f"flask-chat {self._node}".strip(),
                "connect_timeout": 5,
                "keepalives_idle": 10,
                "keepalives_interval": 5,
                "keepalives_count": 3,
                "tcp_user_timeout": 20_000,
            },
            **options,
        )

        event.listen(engine, "handle_error", _without_detail)
        if not query_only:
            event.listen(engine, "do_execute", _in_one_round_trip)
            event.listen(engine, "do_executemany", _after_the_others)
            event.listen(engine, "do_execute_no_params", _alone)

        @event.listens_for(engine, "do_connect")
        def do_connect(_dialect: object, _record: object, arguments: list[Any], options: dict[str, Any]) -> Any:
            made = _Connection.connect(*arguments, **options)
            made.patience = self._patience
            return made

        @event.listens_for(engine, "connect")
        def connect(connection: psycopg.Connection[Any], record: Any) -> None:
            self._greet(connection, query_only)
            record.info["used"] = time.monotonic()

        @event.listens_for(engine, "checkin")
        def checkin(_connection: object, record: Any) -> None:
            record.info["used"] = time.monotonic()

        @event.listens_for(engine, "checkout")
        def checkout(connection: psycopg.Connection[Any], record: Any, _proxy: object) -> None:
            if time.monotonic() - record.info["used"] > UNUSED:
                try:
                    connection.execute("SELECT 1")
                    connection.rollback()
                except psycopg.Error as error:
                    # The pool throws this one away and tries another.
                    raise DisconnectionError from error

        return engine

    def _greet(self, connection: psycopg.Connection[Any], query_only: bool) -> None:
        """Set a new connection up. Raises :class:`DatabaseRefused` for a server that we cannot work with."""
        version = connection.info.server_version // 10_000
        if version < OLDEST:
            raise DatabaseRefused(f"This is PostgreSQL {version}; the chat needs {OLDEST} or newer.")
        encoding = connection.info.parameter_status("server_encoding")
        if encoding != "UTF8":
            raise DatabaseRefused(
                f"The database's encoding is {encoding}; the chat needs UTF8. "
                "Make it anew with: createdb --encoding=UTF8 --template=template0 NAME"
            )
        self._version = (connection.info.parameter_status("server_version") or "").partition(" ")[0]
        connection.autocommit = True
        connection.execute(f"{_SESSION}; {_IN_ORDER if query_only else _BY_KEY}")


class _Connection(psycopg.Connection[Any]):
    """A connection that does not wait for ever.

    ``ahead`` are statements whose answers nobody needs: they are run before the next one, and leave together with it.
    """

    patience: float | None = None

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.ahead: list[str] = []

    def commit(self) -> None:
        self.ahead.clear()
        super().commit()

    def rollback(self) -> None:
        self.ahead.clear()
        super().rollback()

    def take_ahead(self) -> list[str]:
        """What has to be run before the next statement, now."""
        begin = ["BEGIN"] if self.pgconn.transaction_status == TransactionStatus.IDLE else []
        ahead, self.ahead = begin + self.ahead, []
        return ahead

    def wait(self, gen: PQGen[RV], interval: float = 0.1, timeout: float | None = None) -> RV:
        """As the driver's, within ``patience`` seconds; after that the connection is good for nothing more."""
        try:
            return super().wait(gen, interval, self.patience if timeout is None else timeout)
        except errors._WaitTimeout:
            self.pgconn.finish()
            raise psycopg.OperationalError("the server did not answer in time") from None


# The driver would ask for every BEGIN, and for the lock, in a round trip of its own: a third of all that a commit of
# messages waits for. So it believes that there are no transactions, and these begin them. What goes past these (the
# driver's own cursors, COPY), and what streams its rows, must not come first in a transaction.
def _in_one_round_trip(
    cursor: psycopg.Cursor[Any], statement: str, parameters: Sequence[object] | Mapping[str, object], context: object
) -> bool:
    if parameters:
        return _after_the_others(cursor, statement, parameters, context)
    ahead = cast(_Connection, cursor.connection).take_ahead()
    if not ahead:
        return False
    cursor.execute("; ".join([*ahead, statement]), parameters)
    while cursor.nextset():
        pass
    return True


def _alone(cursor: psycopg.Cursor[Any], statement: str, context: object) -> bool:
    return _after_the_others(cursor, statement, None, context)


def _after_the_others(cursor: psycopg.Cursor[Any], _statement: str, _parameters: object, _context: object) -> bool:
    connection = cast(_Connection, cursor.connection)
    ahead = connection.take_ahead()
    if ahead:
        connection.execute("; ".join(ahead))
    return False


def _without_detail(context: ExceptionContext) -> None:
    """Leave out what an error says after its first line: it quotes the row, which is what people wrote."""
    cause, wrapped = context.original_exception, context.sqlalchemy_exception
    if isinstance(cause, psycopg.Error):
        cause.args = (str(cause).partition("\n")[0],)
        if wrapped is not None:
            wrapped.args = (f"({type(cause).__name__}) {cause}",)


@cache
def _insertion(dialect: Dialect, kept: tuple[tuple[Table, tuple[str, ...]], ...]) -> str:
    """The statement that inserts rows into these columns of tables; its parameters are a JSON array for each."""
    *others, last = [_insertion_into(dialect, table, columns) for table, columns in kept]
    if not others:
        return last
    return "WITH " + ", ".join(f"kept_{at} AS ({one})" for at, one in enumerate(others)) + f" {last}"


def _insertion_into(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> str:
    names = ", ".join(columns)
    types = ", ".join(f"{name} {table.c[name].type.compile(dialect)}" for name in columns)
    return f"INSERT INTO {table.name} ({names}) SELECT {names} FROM json_to_recordset(%s::json) AS new ({types})"  # noqa: S608


_HISTORY = """
SELECT (extract(epoch FROM pg_postmaster_start_time()) * 1000000)::bigint
       || '-' || (SELECT oid FROM pg_database WHERE datname = current_database())
       || '-' || pg_relation_filenode('event')
"""


def address(url: str) -> URL:
    """The address of a database as SQLAlchemy wants it. Raises :class:`ConfigError` without repeating the password."""
    if "@" in url.partition("://")[2].partition("/")[2].partition("?")[0]:
        raise ConfigError("DATABASE_URL has a / in its password, it seems: write it as %2F, and @ as %40.")
    try:
        parsed = make_url(url)
    except (ArgumentError, ValueError):
        raise ConfigError(
            "DATABASE_URL is no address of a database: one looks like postgresql://user:password@host:5432/name."
        ) from None
    if parsed.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise ConfigError(
            f"DATABASE_URL begins with {parsed.drivername}://: the chat knows postgresql://. "
            "Without the setting it keeps everything in SQLite."
        )
    return parsed.set(drivername="postgresql+psycopg")
