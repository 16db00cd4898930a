"""Migrations make the very schema that the source declares, once, and leave what is newer alone."""

from __future__ import annotations

import hashlib
import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.config import Config as AlembicConfig
from alembic.migration import MigrationContext
from sqlalchemy import text

from flask_chat import create_app, schema
from flask_chat.chat import feed, idle, messages, names, rooms, sessions
from flask_chat.chat.tables import metadata
from flask_chat.config import Config
from flask_chat.db import Backend, Database, SQLite
from flask_chat.db.postgresql import PostgreSQL
from flask_chat.schema import SchemaTooNew, SchemaTooOld


@pytest.fixture
def database(tmp_path: Path) -> Iterator[Database]:
    database = Database(SQLite(tmp_path))
    yield database
    database.close()


def dump(folder: Path) -> list[str]:
    connection = sqlite3.connect(folder / "chat.db")
    try:
        return list(connection.iterdump())
    finally:
        connection.close()


def test_what_the_migrations_make_is_what_the_source_declares(database: Database) -> None:
    schema.upgrade(database.engine)
    with database.engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []


def test_an_empty_database_is_brought_up_to_date_once(database: Database, tmp_path: Path) -> None:
    assert schema.current(database.engine) is None
    assert schema.upgrade(database.engine) is True
    assert schema.current(database.engine) == schema.head()
    before = dump(tmp_path)
    assert schema.upgrade(database.engine) is False
    assert dump(tmp_path) == before


def test_a_database_of_a_newer_version_is_refused_and_not_touched(database: Database, tmp_path: Path) -> None:
    schema.upgrade(database.engine)
    with database.engine.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    before = dump(tmp_path)
    with pytest.raises(SchemaTooNew, match="9999"):
        schema.upgrade(database.engine)
    assert dump(tmp_path) == before


def test_a_refused_database_is_free_for_the_version_that_knows_it(tmp_path: Path) -> None:
    create_app(Config(data=tmp_path)).extensions["flask_chat"].db.close()
    connection = sqlite3.connect(tmp_path / "chat.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()
    with pytest.raises(SchemaTooNew):
        create_app(Config(data=tmp_path))
    Database(SQLite(tmp_path)).close()


def test_a_migration_that_breaks_off_leaves_nothing_half_done(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    versions = tmp_path / "migrations" / "versions"
    versions.mkdir(parents=True)
    (versions.parent / "env.py").write_bytes((schema.MIGRATIONS / "env.py").read_bytes())
    (versions / "0001_half.py").write_text(
        "from alembic import op\nimport sqlalchemy as sa\nrevision = '0001'\ndown_revision = None\n"
        "def upgrade():\n    op.create_table('half', sa.Column('id', sa.Integer))\n    raise LookupError\n"
    )
    monkeypatch.setattr(schema, "MIGRATIONS", versions.parent)
    with pytest.raises(LookupError):
        schema.upgrade(database.engine)
    assert dump(tmp_path) == ["BEGIN TRANSACTION;", "COMMIT;"]


def test_migrations_are_numbered_in_one_line() -> None:
    names = sorted(path.name for path in (schema.MIGRATIONS / "versions").glob("*.py"))
    for number, name in enumerate(names, 1):
        source = (schema.MIGRATIONS / "versions" / name).read_text()
        before = f'"{number - 1:04d}"' if number > 1 else "None"
        assert name.startswith(f"{number:04d}_")
        assert f'revision = "{number:04d}"\ndown_revision = {before}\n' in source


def test_an_empty_postgresql_database_is_made_ready_once_by_those_who_start_together(database_url: str) -> None:
    backends = [PostgreSQL(database_url) for _ in range(4)]
    with ThreadPoolExecutor(len(backends)) as threads:
        for done in [threads.submit(schema.prepare, backend.writer) for backend in backends]:
            done.result(30)
    with backends[0].writer.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True, "compare_server_default": True})
        assert compare_metadata(context, metadata) == []
    for backend in backends:
        backend.close()


def test_an_older_postgresql_database_is_left_as_it_is_until_somebody_says_so(database_url: str) -> None:
    backend = PostgreSQL(database_url)
    at_first(backend)
    with pytest.raises(SchemaTooOld, match="0001"):
        create_app(Config(data=Path("/nowhere"), database_url=database_url))
    assert schema.current(backend.writer) == "0001"
    assert schema.upgrade(backend.writer) is True
    assert schema.upgrade(backend.writer) is False
    create_app(Config(data=Path("/nowhere"), database_url=database_url)).extensions["flask_chat"].close()
    backend.close()


def test_a_newer_postgresql_database_is_refused(database_url: str) -> None:
    backend = PostgreSQL(database_url)
    schema.prepare(backend.writer)
    with backend.writer.begin() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = '9999'"))
    for refuse in (schema.prepare, schema.upgrade):
        with pytest.raises(SchemaTooNew, match="9999"):
            refuse(backend.writer)
    backend.close()


def test_a_chat_of_the_first_release_goes_on_with_all_that_was_said(tmp_path: Path) -> None:
    backend = SQLite(tmp_path)
    at_first(backend)
    backend.close()
    connection = sqlite3.connect(tmp_path / "chat.db")
    with connection:
        connection.execute("INSERT INTO room VALUES (1, 'lobby', 'Lobby', 1000)")
        connection.execute("INSERT INTO person VALUES (1, 'Ann', ?, 'owner', 1000)", [names.key("Ann")])
        connection.execute("INSERT INTO person VALUES (2, 'Bob', ?, 'member', 1000)", [names.key("Bob")])
        connection.execute("INSERT INTO person VALUES (3, 'Cleo', ?, 'member', 1000)", [names.key("Cleo")])
        for id, (person, token, over) in enumerate([(1, "here", None), (2, "there", None), (2, "gone", 5000)], 1):
            hash = hashlib.sha256(token.encode()).digest()
            row = (id, person, hash, 1000, int(time.time() * 1000), over)
            connection.execute("INSERT INTO session VALUES (?, ?, ?, ?, ?, ?)", row)
        connection.execute("INSERT INTO epoch VALUES (1, 'abcdefgh', 0)")
        connection.execute("INSERT INTO event VALUES (1, 'person.joined', NULL, 1, 1, 1000)")
        connection.execute("INSERT INTO event VALUES (2, 'message.posted', 1, NULL, 2, 2000)")
        connection.execute("INSERT INTO message VALUES (2, 1, 1, 'c1', 'hello', 2000, NULL, 0)")
    connection.close()
    chat = create_app(Config(data=tmp_path)).extensions["flask_chat"]
    ann, bob = chat.sessions.find("here").person, chat.sessions.find("there").person
    assert (ann.username, ann.role, bob.username, bob.role) == ("Ann", "owner", "Bob", "guest")
    assert chat.sessions.find("gone") is None
    assert chat.db.write(lambda transaction: sessions.begin(transaction, "Bob", ["gone"]))[0] == bob
    assert chat.db.write(idle.sweep) == 0, "nobody noted who only read"
    assert chat.epochs.parse("abcdefgh-2", 2) == 2
    with chat.db.read() as connection:
        lobby = rooms.for_member(connection, bob, "lobby")
        assert [each.text for each in messages.page(connection, lobby, limit=9)] == ["hello"]
        assert [event.id for event in feed.after(connection, feed.audience(connection, bob.id), 0, 9, 9999)[0]] == [2]
    chat.close()


def at_first(backend: Backend) -> None:
    """A database as the first release made it."""
    configuration = AlembicConfig()
    configuration.set_main_option("script_location", str(schema.MIGRATIONS))
    with backend.writer.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "0001")
