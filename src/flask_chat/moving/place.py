"""What both kinds of place can do: give a whole chat out, and take one in."""

from __future__ import annotations

from collections.abc import Hashable
from contextlib import AbstractContextManager
from typing import Protocol

from sqlalchemy import Connection, Engine, Table, inspect

from .. import schema
from ..chat.messages import message
from ..chat.people import person
from ..config import ConfigError
from ..db import metadata
from ..schema import SchemaTooNew, SchemaTooOld
from . import rows
from .rows import Chunks, Reader


class Reading(Protocol):
    """A chat that nobody changes while it is read."""

    def count(self, table: Table) -> int:
        """How many rows a table has."""

    def rows(self, table: Table) -> Reader:
        """A table's rows in the order of its primary key."""


class Writing(Protocol):
    """A chat that is being made, of which nobody sees anything yet."""

    def write(self, table: Table, chunks: Chunks) -> None:
        """Take a table's rows. Raises :class:`flask_chat.config.ConfigError` for one that cannot be held there."""

    def complete(self) -> None:
        """All rows are there: make what was left for the end."""

    def rows(self, table: Table) -> Reader:
        """A table's rows, read back."""

    def keep(self) -> None:
        """Keep all of it, for good, at once. Without that, leaving the context removes it."""


class Place(Protocol):
    """Where a chat is, or is to be. ``name`` is for people, and has no password in it."""

    name: str

    def identity(self) -> Hashable:
        """What is the same for two names of one place."""

    def reading(self) -> AbstractContextManager[Reading]:
        """The chat that is there. Refuses if there is none, if it is of another version, or while it is in use."""

    def writing(self) -> AbstractContextManager[Writing]:
        """A chat that is made there. Refuses if there is something already."""

    def close(self) -> None:
        """Let go of the place."""


def check_version(engine: Engine, name: str) -> None:
    """Refuse to read a chat whose schema is not this version's.

    Raises :class:`flask_chat.config.ConfigError`, :class:`SchemaTooOld` or :class:`SchemaTooNew`.
    """
    at = schema.current(engine)
    if at is None:
        raise ConfigError(f"There is no chat in {name}: --from says where it is.")
    if at != schema.head():
        raise (SchemaTooNew if at > schema.head() else SchemaTooOld)(at)


def check_empty(connection: Connection, name: str) -> None:
    """Refuse to write where tables of a chat are. Raises :class:`flask_chat.config.ConfigError`."""
    there = sorted({"alembic_version", *metadata.tables} & set(inspect(connection).get_table_names()))
    if not there:
        return
    found = f"there are tables of a chat ({', '.join(there)})"
    if {person.name, message.name} <= set(there):
        people, messages = rows.count(connection, person), rows.count(connection, message)
        found = f"there is a chat (people: {people:,}, messages: {messages:,})"
    raise ConfigError(f"In {name} {found} already. A chat is moved only to where none is; nothing was changed.")


def first_line(error: Exception) -> str:
    """What a database says of an error, without the rows that it may quote after that."""
    return str(getattr(error, "orig", error)).strip().partition("\n")[0].rstrip(".")
