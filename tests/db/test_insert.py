"""Rows that are inserted together: all of them, as they are, on each engine."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import BigInteger, Boolean, Column, MetaData, String, Table, Text, select
from sqlalchemy.exc import IntegrityError

from flask_chat.db import Backend, SQLite
from flask_chat.db.postgresql import PostgreSQL

LINE = Table(
    "line",
    MetaData(),
    Column("id", BigInteger, primary_key=True, autoincrement=False),
    Column("words", Text, nullable=False),
    Column("mark", String(64)),
    Column("kept", Boolean, nullable=False),
    Column("later", BigInteger),
)

WORDS = [
    "We meet at seven by the old bridge.",
    "'; DROP TABLE line; --",
    '{"json": ["in", "json"]} \\ \\u0041 %s %(words)s :words $1',
    "Zoë 🎉 שלום \u202e\u2028 e\u0301",
    "\tfirst line\nsecond line",
    "",
]


@pytest.fixture(params=["sqlite", "postgresql"])
def backend(request: pytest.FixtureRequest) -> Iterator[Backend]:
    made: Backend
    if request.param == "sqlite":
        made = SQLite(request.getfixturevalue("tmp_path"))
    else:
        made = PostgreSQL(request.getfixturevalue("database_url"))
    with made.writer.begin() as connection:
        LINE.create(connection)
    yield made
    made.close()


def rows(backend: Backend) -> list[dict[str, object]]:
    with backend.readers.connect() as connection:
        return [dict(row) for row in connection.execute(select(LINE).order_by(LINE.c.id)).mappings()]


def test_every_row_is_kept_as_it_is(backend: Backend) -> None:
    given: list[dict[str, object]] = [
        {"id": 2**53 + at, "words": words, "mark": f"m-{at}" if at % 2 else None, "kept": at % 2 == 0, "later": None}
        for at, words in enumerate(WORDS)
    ]
    with backend.writer.begin() as connection:
        backend.insert(connection, (LINE, given))
    assert rows(backend) == given


def test_columns_that_are_not_named_are_left_to_the_table(backend: Backend) -> None:
    with backend.writer.begin() as connection:
        backend.insert(connection, (LINE, [{"kept": True, "id": 1, "words": "tea"}]))
    assert rows(backend) == [{"id": 1, "words": "tea", "mark": None, "kept": True, "later": None}]


def test_a_row_that_cannot_be_kept_is_an_error_of_the_rows_and_not_of_the_storage(backend: Backend) -> None:
    twice: list[dict[str, object]] = [{"id": 1, "words": words, "kept": True} for words in ("tea", "coffee")]
    with pytest.raises(IntegrityError) as refused, backend.writer.begin() as connection:
        backend.insert(connection, (LINE, twice))
    assert not backend.failed(refused.value)
    assert "coffee" not in str(refused.value)
    assert rows(backend) == []
