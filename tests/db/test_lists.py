"""A column that is one of many values: right on each engine, and found by its index."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import Column, Connection, Integer, MetaData, String, Table, event, insert, or_, select

from flask_chat.db import Backend, SQLite
from flask_chat.db.lists import among
from flask_chat.db.postgresql import PostgreSQL

THING = Table(
    "thing",
    MetaData(),
    Column("id", Integer, primary_key=True),
    Column("name", String(40), unique=True),
    Column("size", Integer),
)
NAMES = ["tea", 'a "quoted" one', "tee, mit Umläuten", "100%", "{braces}", "back\\slash"]

by_name = select(THING.c.id).where(among(THING.c.name, "names")).order_by(THING.c.id)


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest) -> Iterator[Connection]:
    backend: Backend
    if request.param == "sqlite":
        backend = SQLite(request.getfixturevalue("tmp_path"))
    else:
        backend = PostgreSQL(request.getfixturevalue("database_url"))
    with backend.writer.connect() as connection, connection.begin():
        THING.create(connection)
        connection.execute(insert(THING), [{"id": id, "name": name, "size": id} for id, name in enumerate(NAMES, 1)])
        yield connection
    backend.close()


@pytest.mark.parametrize(
    ("names", "found"),
    [([], []), (["tea"], [1]), (["coffee"], []), (NAMES, [1, 2, 3, 4, 5, 6]), (["100%", "tea"], [1, 4])],
)
def test_what_is_in_the_list_is_found(connection: Connection, names: list[str], found: list[int]) -> None:
    assert list(connection.execute(by_name, {"names": names}).scalars()) == found


def test_numbers_are_found_too_and_beside_other_conditions(connection: Connection) -> None:
    query = select(THING.c.id).where(or_(among(THING.c.size, "sizes"), THING.c.name == "tea")).order_by(THING.c.id)
    assert list(connection.execute(query, {"sizes": [3, 4, 99]}).scalars()) == [1, 3, 4]


def test_it_is_looked_up_and_not_searched_for(connection: Connection) -> None:
    word = "EXPLAIN QUERY PLAN" if connection.dialect.name == "sqlite" else "EXPLAIN"

    @event.listens_for(connection, "before_cursor_execute", retval=True)
    def explain(_connection: object, _cursor: object, statement: str, parameters: Any, *_: object) -> tuple[str, Any]:
        return f"{word} {statement}", parameters

    plan = str(connection.execute(by_name, {"names": ["tea"]}).cursor.fetchall())
    assert "Index Cond" in plan or "INDEX sqlite_autoindex_thing_1 (name=?)" in plan, plan
