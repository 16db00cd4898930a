"""SQLite: one file, which one process owns."""

from __future__ import annotations

import errno
import fcntl
import os
import secrets
import sqlite3
from pathlib import Path

from sqlalchemy import Connection, Engine, create_engine, event, insert, pool
from sqlalchemy.exc import DBAPIError

from .backend import DataInUse, Rows, StorageFull, StorageUnavailable


class SQLite:
    """The embedded engine, in ``chat.db`` of a data folder. Raises :class:`DataInUse`."""

    name = "sqlite"
    shared = False
    key = b""
    version = sqlite3.sqlite_version

    def __init__(self, folder: Path, readers: int = 8) -> None:
        self.path = folder / "chat.db"
        self._lock = _take(folder / "chat.lock")
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        self.writer = _writer(self.path)
        self.readers = _readers(self.path, readers)
        # A file can have been put back from a copy whenever no process had it.
        self._opening = secrets.token_hex(8)

    def lock(self, connection: Connection) -> None:
        """Nothing to do: BEGIN IMMEDIATE has the lock already."""

    def insert(self, connection: Connection, *kept: Rows) -> None:
        """Insert them one after another: there is no way to go between."""
        for table, rows in kept:
            connection.execute(insert(table), rows)

    def alive(self, connection: Connection) -> bool:
        """A file does not hang up."""
        return True

    def history(self, connection: Connection) -> str:
        """Every opening of the file may be of another one."""
        return self._opening

    def failed(self, error: Exception) -> bool:
        """Whether the disk, or the file, is at fault."""
        return _code(error) in (
            sqlite3.SQLITE_FULL,
            sqlite3.SQLITE_IOERR,
            sqlite3.SQLITE_CORRUPT,
            sqlite3.SQLITE_READONLY,
        )

    def lost(self, error: Exception) -> bool:
        """A file does not go away and come back."""
        return False

    def explain(self, error: Exception) -> tuple[Exception, dict[str, object]]:
        """Tell a full disk from every other failure."""
        code, cause = _code(error), getattr(error, "orig", error)
        facts = {"error": type(cause).__name__, "code": code, "detail": str(cause)[:200]}
        if code == sqlite3.SQLITE_FULL or (code == sqlite3.SQLITE_IOERR and _full(self.path)):
            return StorageFull("The disk of this chat is full."), facts
        return StorageUnavailable("The chat could not keep that just now."), facts

    def close(self) -> None:
        """Close every connection and give the data folder free."""
        self.readers.dispose()
        self.writer.dispose()
        os.close(self._lock)


def _writer(path: Path) -> Engine:
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
        _prepare(connection)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        # Pages that are written again and again reach the file itself a quarter as often: small machines have slow
        # disks that wear out. One block of the log's index holds so many (4,062), and readers look in each block.
        connection.execute("PRAGMA wal_autocheckpoint = 4000")

    return engine


def _readers(path: Path, count: int) -> Engine:
    engine = create_engine(
        f"sqlite:///{path}",
        poolclass=pool.QueuePool,
        pool_size=count,
        max_overflow=0,
        isolation_level="AUTOCOMMIT",
        connect_args={"check_same_thread": False},
        hide_parameters=True,
    )

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        _prepare(connection)
        # Two connections that checkpoint can corrupt a WAL database before SQLite 3.51.3: readers never do.
        connection.execute("PRAGMA query_only = ON")
        connection.execute("PRAGMA wal_autocheckpoint = 0")
        # In KiB, for each of them; behind it is the system's own cache, which they share.
        connection.execute("PRAGMA cache_size = -512")

    return engine


def _prepare(connection: sqlite3.Connection) -> None:
    # The driver must never begin a transaction by itself: the writer says BEGIN IMMEDIATE, readers none.
    connection.isolation_level = None
    connection.execute("PRAGMA busy_timeout = 5000")
    connection.execute("PRAGMA foreign_keys = ON")


def _code(error: Exception) -> int:
    """SQLite's primary result code; 0 for what is not an error of SQLite's."""
    cause = error.orig if isinstance(error, DBAPIError) else error
    return getattr(cause, "sqlite_errorcode", 0) & 0xFF


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
