"""What the database needs from an engine, and what can go wrong with one."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Protocol

from sqlalchemy import Connection, Engine, MetaData, Table

metadata = MetaData()

Rows = tuple[Table, Sequence[Mapping[str, object]]]
"""Rows for a table: at least one, and all of them name the same columns."""


class StorageFull(Exception):
    """There is no room left on the disk; nothing was changed."""


class StorageUnavailable(Exception):
    """The database did not answer, or did not take the change; it may be tried again."""


class DataInUse(Exception):
    """Another process has this data folder open."""


class DatabaseRefused(Exception):
    """A database that this chat cannot work with; the message says why and what to do."""


class Backend(Protocol):
    """An engine with its peculiarities.

    ``name`` is SQLAlchemy's for it, ``version`` what it says of itself. ``shared`` says that other processes may
    write to the same log. ``key`` is of the chat's secret, for what is kept here and must not be guessed from a copy.
    """

    name: str
    shared: bool
    key: bytes

    @property
    def version(self) -> str:
        """The engine's version."""

    @property
    def writer(self) -> Engine:
        """One connection that may write."""

    @property
    def readers(self) -> Engine:
        """Connections that may only read, each statement in a transaction of its own."""

    def lock(self, connection: Connection) -> None:
        """Keep every other writer out, from the next statement until the transaction ends."""

    def insert(self, connection: Connection, *kept: Rows) -> None:
        """Insert rows, in this order of their tables: those that others refer to come first."""

    def alive(self, connection: Connection) -> bool:
        """Whether the writer's connection, unused for a while, still reaches the database."""

    def history(self, connection: Connection) -> str:
        """What stays the same as long as nobody can have put another log in this one's place."""

    def failed(self, error: Exception) -> bool:
        """Whether an error is the storage's own, so that the whole transaction is lost."""

    def lost(self, error: Exception) -> bool:
        """Whether a transaction that failed so may well succeed over a new connection."""

    def explain(self, error: Exception) -> tuple[Exception, dict[str, object]]:
        """What to tell those whose change was not committed, as one of the exceptions above; and what to log."""

    def close(self) -> None:
        """Close every connection and give the data free."""
