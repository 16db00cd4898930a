"""A chat in a data folder: SQLite, and a file for each secret."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Hashable, Iterator
from contextlib import contextmanager, suppress
from operator import itemgetter
from pathlib import Path

from sqlalchemy import URL, Connection, Engine, Table, create_engine, event, insert, pool
from sqlalchemy.exc import DBAPIError

from .. import datafolder, schema
from ..chat.keeping import OWNER_LINK, SECRET, kept
from ..config import ConfigError
from ..db import DataInUse, SQLite
from . import rows
from .place import check_empty, check_version
from .rows import Chunks, Reader

SECRETS = (SECRET, OWNER_LINK)
"""What a folder keeps in a file of that name, and PostgreSQL in a row of the table ``kept``."""

PARTIAL = ".moving"
"""What files are called beyond their names until all of them are there."""


class Folder:
    """A data folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.name = str(folder)

    def identity(self) -> Hashable:
        """The folder, whichever way leads to it."""
        return self.folder.resolve()

    @contextmanager
    def reading(self) -> Iterator[_Reading]:
        """The chat that is there; see :class:`flask_chat.moving.place.Place`."""
        if not _size(self.folder / "chat.db"):
            raise ConfigError(f"There is no chat in {self.name}: --from says where it is.")
        with _alone(self.folder), _query_only(self.folder / "chat.db") as engine:
            check_version(engine, self.name)
            with engine.connect() as connection:
                yield _Reading(connection, self.folder)

    @contextmanager
    def writing(self) -> Iterator[_Writing]:
        """A chat that is made there; see :class:`flask_chat.moving.place.Place`."""
        datafolder.prepare(self.folder)
        with _alone(self.folder):
            self._check_empty()
            partial = [self.folder / (name + PARTIAL) for name in ("chat.db", *SECRETS)]
            try:
                for path in partial:
                    path.unlink(missing_ok=True)
                    os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
                with _quick(partial[0]) as engine:
                    schema.upgrade(engine)
                    yield _Writing(engine, self.folder)
            finally:
                for path in partial:
                    path.unlink(missing_ok=True)
                # Whoever locks a folder makes an empty one of these.
                if not _size(self.folder / "chat.db"):
                    (self.folder / "chat.db").unlink(missing_ok=True)

    def close(self) -> None:
        """Nothing to do: it is let go of when the reading or the writing ends."""

    def _check_empty(self) -> None:
        path = self.folder / "chat.db"
        if _size(path):
            with suppress(DBAPIError), _query_only(path) as engine, engine.connect() as connection:
                check_empty(connection, self.name)
        # The log of a database that is gone would be taken for the new one's.
        for name in ("chat.db", "chat.db-wal", "chat.db-journal"):
            if _size(self.folder / name):
                raise ConfigError(
                    f"In {self.name} there is a file {name} already: move it aside, or take another folder."
                )


class _Reading:
    def __init__(self, connection: Connection, folder: Path, partial: str = "") -> None:
        self._connection, self._folder, self._partial = connection, folder, partial

    def count(self, table: Table) -> int:
        secrets = self._secrets() if table is kept else {}
        return rows.count(self._connection, table) + len(secrets)

    def rows(self, table: Table) -> Reader:
        found = rows.read(self._connection, table)
        return found if table is not kept else self._with_secrets(found)

    def _with_secrets(self, found: Reader) -> Reader:
        yield sorted([*(row for part in found for row in part), *self._secrets().items()], key=itemgetter(0))

    def _secrets(self) -> dict[str, str]:
        texts = {name: _text(self._folder / (name + self._partial)) for name in SECRETS}
        return {name: text for name, text in texts.items() if text}


class _Writing:
    def __init__(self, engine: Engine, folder: Path) -> None:
        self._engine, self._folder = engine, folder
        self._connection = engine.connect()
        self._read = _Reading(self._connection, folder, PARTIAL)
        self.rows = self._read.rows

    def write(self, table: Table, chunks: Chunks) -> None:
        statement = str(insert(table).compile(self._engine))
        for part in chunks:
            found = self._take_secrets(part) if table is kept else part
            if found:
                self._connection.exec_driver_sql(statement, rows.to_driver(found, table, self._engine.dialect))

    def complete(self) -> None:
        self._connection.commit()
        for name in SECRETS:
            there = _text(self._folder / name)
            if there and there != _text(self._folder / (name + PARTIAL)):
                raise ConfigError(
                    f"In {self._folder} there is a {name} of another chat: move it aside, or take another folder."
                )
        astray = self._connection.exec_driver_sql("PRAGMA foreign_key_check").first()
        if astray is not None:
            table, id, parent, _ = astray
            raise ConfigError(
                f"Row {id} of the table {table} belongs to a {parent} that does not exist. Nothing was kept."
            )

    def keep(self) -> None:
        self._connection.close()
        self._engine.dispose()
        # The database comes last: before it is there, this is no chat.
        for name in (*SECRETS, "chat.db"):
            partial = self._folder / (name + PARTIAL)
            if partial.stat().st_size:
                _sync(partial)
                os.replace(partial, self._folder / name)
        _sync(self._folder)

    def _take_secrets(self, part: list[rows.Row]) -> list[rows.Row]:
        for name, text in part:
            if name in SECRETS:
                (self._folder / (name + PARTIAL)).write_text(text + "\n", "ascii")
        return [row for row in part if row[0] not in SECRETS]


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Keep every other process out of the folder."""
    try:
        lock = SQLite(folder)
    except DataInUse:
        raise ConfigError(
            f"A process serves the chat in {folder}. Stop it first: a chat is moved while nobody writes."
        ) from None
    try:
        yield
    finally:
        lock.close()


@contextmanager
def _query_only(path: Path) -> Iterator[Engine]:
    # With mode=ro nothing is written when it is closed either: the file stays as it is, and its log beside it.
    uri = path.as_uri() + "?mode=ro"
    engine = create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(uri, uri=True), poolclass=pool.NullPool, hide_parameters=True
    )
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def _quick(path: Path) -> Iterator[Engine]:
    """An engine on a file that is worth nothing before it is whole."""
    engine = create_engine(URL.create("sqlite", database=str(path)), poolclass=pool.StaticPool, hide_parameters=True)

    @event.listens_for(engine, "begin")
    def begin(connection: Connection) -> None:
        connection.exec_driver_sql("BEGIN")

    @event.listens_for(engine, "connect")
    def connect(connection: sqlite3.Connection, _record: object) -> None:
        connection.isolation_level = None
        connection.execute("PRAGMA journal_mode = MEMORY")
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -65536")

    try:
        yield engine
    finally:
        engine.dispose()


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except FileNotFoundError:
        return 0


def _text(path: Path) -> str:
    try:
        return path.read_text("ascii").strip()
    except FileNotFoundError:
        return ""


def _sync(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
