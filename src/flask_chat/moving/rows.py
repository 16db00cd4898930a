"""Rows as both engines give and take them, and what tells whether they are the same."""

from __future__ import annotations

import hashlib
from collections.abc import Generator, Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import msgspec
from sqlalchemy import ColumnElement, Connection, Dialect, String, Table, func, select, true

from ..chat.keeping import CHAT, kept

Row = tuple[Any, ...]
Chunks = Iterable[list[Row]]
Reader = Generator[list[Row], None, None]

CHUNK = 2_000
"""Rows that are in memory at once: twenty million characters, if all are messages of the longest kind."""


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """How many rows a table has, and the SHA-256 of all their values in the order of the primary key."""

    count: int
    digest: str


class Witness:
    """Sees rows go through, and knows them again."""

    def __init__(self) -> None:
        self._count = 0
        self._hash = hashlib.sha256()
        # Each value carries its type and its length: no two different rows make the same bytes.
        self._encode = msgspec.msgpack.Encoder(order="deterministic").encode

    @property
    def fingerprint(self) -> Fingerprint:
        """Of the rows so far."""
        return Fingerprint(self._count, self._hash.hexdigest())

    def through(self, chunks: Chunks) -> Iterator[list[Row]]:
        """Hand rows on."""
        for rows in chunks:
            self._count += len(rows)
            self._hash.update(b"".join(map(self._encode, rows)))
            yield rows


def count(connection: Connection, table: Table) -> int:
    """How many rows a table has."""
    return int(connection.execute(select(func.count()).select_from(table).where(_moves(table))).scalar_one())


def read(connection: Connection, table: Table) -> Reader:
    """A table's rows in the order of its primary key, which is the same on both engines: texts by their bytes."""
    bytewise = "C" if connection.dialect.name == "postgresql" else "BINARY"
    order = [
        column.collate(bytewise) if isinstance(column.type, String) else column for column in table.primary_key.columns
    ]
    query = select(table).where(_moves(table)).order_by(*order)
    with connection.execute(query, execution_options={"yield_per": CHUNK}) as result:
        for part in result.partitions():
            yield list(map(tuple, part))


def _moves(table: Table) -> ColumnElement[bool]:
    """Which rows are moved: all but one."""
    # On the bus the copy is another chat: if ever both run, what is said in one must not be heard in the other.
    return kept.c.name != CHAT if table is kept else true()


def to_driver(rows: list[Row], table: Table, dialect: Dialect) -> list[Row]:
    """Rows with their values as the engine's driver takes them."""
    processors = [column.type.dialect_impl(dialect).bind_processor(dialect) for column in table.columns]
    if not any(processors):
        return rows
    return [
        tuple(
            value if process is None or value is None else process(value)
            for process, value in zip(processors, row, strict=True)
        )
        for row in rows
    ]
