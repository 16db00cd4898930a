"""Looking into a chat's database from outside, without touching it."""

from __future__ import annotations

import sqlite3
from contextlib import closing

from ..servers import ChatServer


def dump(server: ChatServer) -> list[str]:
    """Every row of every table, as SQL."""
    with closing(_open(server)) as connection:
        memory = sqlite3.connect(":memory:")
        connection.backup(memory)
    with closing(memory):
        # When a session was last seen is written down now and then, whatever is asked for.
        memory.execute("UPDATE session SET seen_at = NULL")
        return list(memory.iterdump())


def integrity(server: ChatServer) -> str:
    """What SQLite says about its file: ``ok`` if all is well."""
    with closing(_open(server)) as connection:
        return str(connection.execute("PRAGMA integrity_check").fetchone()[0])


def one(server: ChatServer, query: str, *values: object) -> object:
    """The first value of the first row."""
    with closing(_open(server)) as connection:
        return connection.execute(query, values).fetchone()[0]


def _open(server: ChatServer) -> sqlite3.Connection:
    return sqlite3.connect(f"{(server.data / 'chat.db').as_uri()}?mode=ro", uri=True, timeout=10)
