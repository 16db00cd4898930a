"""A chat moves between SQLite and PostgreSQL, whole or not at all, and whoever was in it goes on as if it had not."""

from __future__ import annotations

import io
import os
import shutil
import signal
import sqlite3
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import httpx
import psycopg
import pytest
from click.testing import CliRunner, Result
from sqlalchemy import JSON, Boolean, Column, Float, ForeignKey, Integer, LargeBinary, String, Table

from flask_chat import cli, create_app, schema
from flask_chat.chat import keeping, messages, people, sessions
from flask_chat.config import SETTINGS, Config
from flask_chat.db import SQLite, Transaction, metadata
from flask_chat.db.postgresql import LOG_LOCK
from flask_chat.moving import progress, rows
from flask_chat.moving.progress import Progress
from flask_chat.moving.rows import Reader

from .engines import Postgres
from .servers import ROOT, serving

VALUES: dict[type, object] = {int: 1, str: "✓", bytes: b"\x00\xff", bool: True}
TEXTS = [
    "hello",
    "two\nlines\tand a tab",
    "\\N",
    "\\.",
    "back\\slash \\t \\\\",
    "'quotes' \"double\" %s %(x)s {x} $1",
    "  spaces around  ",
    "é e\u0301 ﷺ 👩🏽\u200d🚀 \u202eback",
    "\x01\x1f\x7f\u0085\u2028\ufffe\U0010ffff",
    "long " * 1_999,
]


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the one who runs the tests counts, and several rows make several chunks."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.setattr(rows, "CHUNK", 3)
    monkeypatch.chdir(tmp_path)


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a chat in it that has a past."""
    folder = tmp_path_factory.mktemp("made") / "data"
    for _ in range(3):  # Every start begins an epoch.
        chat = create_app(Config(data=folder)).extensions["flask_chat"]
        chat.owner_link.token()
        chat.close()
    chat = create_app(Config(data=folder)).extensions["flask_chat"]

    def join(transaction: Transaction) -> None:
        for name in ("Ann", "Bob", "Zoë"):
            sessions.begin(transaction, name)
        sessions.revoke(transaction, 2)

    chat.db.write(join)
    with chat.db.read() as connection:
        ann, zoe = people.named(connection, "Ann"), people.named(connection, "Zoë")
    assert ann
    assert zoe
    for number, text in enumerate(TEXTS):
        client_id = f"c{number}" if number % 2 else None
        chat.db.submit(
            messages.post_together, messages.Draft(ann if number % 3 else zoe, "lobby", text, client_id)
        ).result()
    chat.close()
    with closing(sqlite3.connect(folder / "chat.db")) as connection, connection:
        connection.execute("UPDATE message SET edited_at = created_at + 5 WHERE id % 4 = 0")
        fill(connection)
    return folder


def fill(connection: sqlite3.Connection) -> None:
    """One row in every table that nothing has been written to yet."""
    for table in metadata.sorted_tables:
        if connection.execute(f"SELECT count(*) FROM {table.name}").fetchone() == (0,):
            row = [VALUES[column.type.python_type] for column in table.columns]
            connection.execute(f"INSERT INTO {table.name} VALUES ({', '.join('?' for _ in row)})", row)


@pytest.fixture
def data(made: Path, tmp_path: Path) -> Path:
    """A folder of one's own with that chat."""
    return Path(shutil.copytree(made, tmp_path / "data"))


@pytest.fixture
def url(database_url: str) -> str:
    """An empty database."""
    return database_url


def move(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, ["move", *(str(each) for each in arguments)])


def moved(*arguments: object) -> Result:
    result = move(*arguments)
    assert result.exit_code == 0, result.output
    return result


def refused(*arguments: object) -> str:
    """The one line with which it refuses, after the one that says what it would have done."""
    result = move(*arguments)
    assert result.exit_code == cli.FAILED, result.output
    line = result.stderr.splitlines()[-1]
    assert line.startswith("flask-chat: ")
    assert line.endswith((".", " NAME", " upgrade"))
    assert "Traceback" not in result.output
    return line


def dump(folder: Path) -> list[str]:
    """Everything in a folder's database, its schema too."""
    with closing(sqlite3.connect(folder / "chat.db")) as connection:
        # Indexes of one table are made in any order.
        return sorted(connection.iterdump())


def tables(postgres: Postgres, url: str) -> list[str]:
    return [
        name for (name,) in postgres.sql("SELECT tablename FROM pg_tables WHERE schemaname = 'public'", database=url)
    ]


def content(postgres: Postgres, url: str) -> dict[str, list[tuple[Any, ...]]]:
    """Everything in a database of PostgreSQL's."""
    return {
        name: sorted(postgres.sql(f"SELECT * FROM {name}", database=url), key=repr) for name in tables(postgres, url)
    }


def test_there_and_back_everything_is_as_it_was(data: Path, url: str, tmp_path: Path, postgres: Postgres) -> None:
    before = dump(data)
    there = moved("--data", data, "--to", url)
    assert len(postgres.sql("SELECT * FROM message WHERE text = %s", TEXTS[4], database=url)) == 1
    for name in metadata.tables:
        (line,) = [line for line in there.stdout.splitlines() if line.startswith(f"{name} ")]
        assert line.endswith("  same")
        ((count,),) = postgres.sql(f"SELECT count(*) FROM {name}", database=url)
        assert int(line.split()[1]) == count > 0
    assert "Set DATABASE_URL" in there.stdout
    assert f"What is in {data} was not changed" in there.stdout
    assert dump(data) == before

    back = moved("--from", url, "--to", tmp_path / "back")
    assert dump(tmp_path / "back") == before
    assert [line for line in back.stdout.splitlines() if "same" in line] == [
        line for line in there.stdout.splitlines() if "same" in line
    ]
    for name in ("secret.key", "owner.token"):
        assert (tmp_path / "back" / name).read_text() == (data / name).read_text()
    assert sorted(path.name for path in (tmp_path / "back").iterdir()) == sorted(
        ["chat.db", "chat.lock", "secret.key", "owner.token"]
    )
    assert {stat.S_IMODE(path.stat().st_mode) for path in (tmp_path / "back").iterdir()} == {0o600}


def test_what_is_made_in_postgresql_has_every_rule_that_migrations_make(
    data: Path, url: str, migrated_url: str, postgres: Postgres
) -> None:
    moved("--data", data, "--to", url)
    for query in (
        "SELECT conrelid::regclass::text, convalidated, pg_get_constraintdef(oid) FROM pg_constraint ORDER BY 1, 3",
        "SELECT indexdef FROM pg_indexes WHERE schemaname = 'public' ORDER BY 1",
    ):
        rules = postgres.sql(query, database=url)
        assert rules == postgres.sql(query, database=migrated_url)
        assert any("message" in str(rule) for rule in rules)


def test_it_moves_between_two_places_of_one_kind_too(data: Path, url: str, tmp_path: Path, postgres: Postgres) -> None:
    moved("--from", data, "--to", tmp_path / "folder")
    assert dump(tmp_path / "folder") == dump(data)
    moved("--data", tmp_path / "folder", "--to", url)
    other, before = postgres.create_database(), content(postgres, url)
    postgres.sql("INSERT INTO kept VALUES (%s, 'what is said on the bus')", keeping.CHAT, database=url)
    moved("--from", url, "--to", other)
    assert content(postgres, other) == before, "on the bus the two are strangers"
    postgres.drop_database(other)


def test_the_settings_name_the_source(data: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_CHAT_DATA", str(data))
    monkeypatch.setenv("SECRET_KEY", "mine")
    assert "Keep SECRET_KEY" in moved("--to", url).stdout
    monkeypatch.setenv("DATABASE_URL", url)
    assert f"Moving the chat from {url} to" in moved("--to", "back").stderr
    assert dump(tmp_path / "back") == dump(data)


def test_people_programs_and_retries_go_on_where_they_were(tmp_path: Path, url: str) -> None:
    with serving(tmp_path / "data", FLASK_CHAT_LIMITS="off") as server, closing(server.client("Ann")) as ann:
        cookies = dict(ann.cookies)
        cursor = ann.get("/api/events").json()["cursor"]
        first = [say(ann, f"before {number}", f"b{number}") for number in range(3)]
        server.kill()
    owner = (tmp_path / "data" / "owner.token").read_text().strip()
    log = (tmp_path / "data" / "chat.db-wal").read_bytes()
    assert log, "its last words are in its log"

    moved("--data", tmp_path / "data", "--to", url)
    assert (tmp_path / "data" / "chat.db-wal").read_bytes() == log
    with (
        serving(tmp_path / "none", DATABASE_URL=url, FLASK_CHAT_LIMITS="off") as server,
        httpx.Client(base_url=server.url, cookies=cookies, timeout=20) as ann,
        closing(server.client()) as bob,
    ):
        assert events(ann, cursor) == first
        assert say(ann, "before 2", "b2", status=200) == first[2]
        assert bob.post("/", data={"username": "Ann"}).status_code == 422, "the name is still hers"
        assert bob.post("/", data={"username": "Bob"}).status_code == 303, "the next one who joins gets the next id"
        assert bob.get(f"/owner/{owner}").status_code == 200
        cursor = ann.get("/api/events").json()["cursor"]
        second = [say(client, f"there {number}", f"t{number}") for number, client in enumerate((ann, bob))]
        assert second[0]["id"] > first[2]["id"]

    moved("--from", url, "--to", tmp_path / "back")
    with (
        serving(tmp_path / "back", FLASK_CHAT_LIMITS="off") as server,
        httpx.Client(base_url=server.url, cookies=cookies, timeout=20) as ann,
    ):
        assert events(ann, cursor) == second
        assert say(ann, "there 0", "t0", status=200) == second[0]


def say(client: httpx.Client, text: str, client_id: str, status: int = 201) -> dict[str, Any]:
    answer = client.post("/api/rooms/lobby/messages", json={"text": text, "client_id": client_id})
    assert answer.status_code == status, answer.text
    message: dict[str, Any] = answer.json()
    return message


def events(client: httpx.Client, cursor: str) -> list[dict[str, Any]]:
    """What a long poll gives after a cursor: all of it must be messages."""
    answer = client.get("/api/events", params={"after": cursor, "wait": 0})
    assert answer.status_code == 200, answer.text
    return [event["message"] for event in answer.json()["events"]]


@contextmanager
def another_release(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Table]:
    """A later release, with a table that this one does not know."""
    number = f"{int(schema.head()) + 1:04d}"
    shutil.copytree(schema.MIGRATIONS, folder / "migrations", ignore=shutil.ignore_patterns("__pycache__"))
    (folder / "migrations" / "versions" / f"{number}_later.py").write_text(
        f"from alembic import op\n"
        f"from flask_chat.db import metadata\n"
        f"revision = {number!r}\ndown_revision = {schema.head()!r}\n"
        f"def upgrade():\n    metadata.tables['order'].create(op.get_bind())\n"
    )
    table = Table(
        "order",  # A word that must be quoted.
        metadata,
        Column("kind", String(8), primary_key=True),
        Column("number", Integer, primary_key=True, autoincrement=False),
        Column("person_id", ForeignKey("person.id"), nullable=False),
        Column("next", Integer, unique=True),
        Column("follows", ForeignKey("order.next")),
        Column("picture", LargeBinary),
        Column("seen", Boolean),
        Column("weight", Float),
        Column("facts", JSON),
    )
    monkeypatch.setattr(schema, "MIGRATIONS", folder / "migrations")
    try:
        yield table
    finally:
        metadata.remove(table)


def test_a_table_of_a_later_release_is_moved_like_any_other_in_whatever_order_the_database_sorts(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: Postgres
) -> None:
    postgres.sql(
        "CREATE DATABASE sorted OWNER chat TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'en' ENCODING 'UTF8'"
    )
    url = f"postgresql://chat@127.0.0.1:{postgres.port}/sorted"
    with another_release(tmp_path, monkeypatch) as table:
        backend = SQLite(data)
        schema.upgrade(backend.writer)
        with backend.writer.begin() as connection:
            kinds = ["a", "B", "ä", "Z", "-", "é", "e\u0301", "_", "😀", "\uffff"]
            connection.exec_driver_sql("PRAGMA defer_foreign_keys = ON")
            connection.execute(
                table.insert(),
                [
                    {
                        "kind": kind,
                        "number": number,
                        "person_id": 1,
                        "next": 2 * index + number,
                        "follows": 2 * index + number + 1 if index < 9 else None,
                        "picture": bytes([index, 0, 255]),
                        "seen": [None, True, False][index % 3],
                        "weight": index / 7,
                        "facts": {"z": [1, None], "a": kind},
                    }
                    for index, kind in enumerate(kinds)
                    for number in (0, 1)
                ],
            )
        backend.close()
        moved("--data", data, "--to", url)
        result = moved("--from", url, "--to", tmp_path / "back")
    assert "order" in result.stdout
    assert sorted(dump(tmp_path / "back")) == sorted(dump(data))


def test_every_table_has_a_key_by_which_its_rows_are_put_in_order() -> None:
    assert all(len(table.primary_key.columns) for table in metadata.sorted_tables)


PAUSE = """
import pathlib, time
from flask_chat.moving import folder, rows, server
rows.CHUNK = 3

def pause(*_):
    pathlib.Path("reached").touch()
    time.sleep(60)
"""
COPYING = """
real = rows.to_driver
def held(part, table, dialect):
    if table.name == "message" and part[0][0] > 8:
        pause()
    return real(part, table, dialect)
rows.to_driver = held
"""
COMMITTING = "server.Connection.commit = pause\n"
RENAMING = """
def last(source, target, real=folder.os.replace):
    return pause() if target.name == "chat.db" else real(source, target)
folder.os.replace = last
"""


@contextmanager
def moving(where: str, *arguments: object) -> Iterator[subprocess.Popen[str]]:
    """A move in a process of its own that has got as far as ``where`` and waits there."""
    process = subprocess.Popen(
        [
            sys.executable,
            "-c",
            f"{PAUSE}{where}\nfrom flask_chat.cli import main\nmain()",
            "move",
            *map(str, arguments),
        ],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    until = time.monotonic() + 20
    try:
        while not Path("reached").exists():
            assert process.poll() is None, process.stdout and process.stdout.read()
            assert time.monotonic() < until
            time.sleep(0.01)
        yield process
    finally:
        process.kill()
        process.communicate()
        Path("reached").unlink(missing_ok=True)


@pytest.mark.parametrize("where", [COPYING, COMMITTING], ids=["copying", "committing"])
def test_what_was_killed_on_the_way_to_postgresql_left_nothing_and_is_started_again(
    data: Path, url: str, tmp_path: Path, postgres: Postgres, where: str
) -> None:
    with moving(where, "--data", data, "--to", url) as process:
        assert tables(postgres, url) == [], "nobody sees what is not whole"
        process.kill()
    moved("--data", data, "--to", url)
    moved("--from", url, "--to", tmp_path / "back")
    assert dump(tmp_path / "back") == dump(data)


@pytest.mark.parametrize("where", [COPYING, RENAMING], ids=["copying", "renaming"])
def test_what_was_killed_on_the_way_to_a_folder_is_no_chat_and_is_started_again(
    data: Path, tmp_path: Path, where: str
) -> None:
    with moving(where, "--from", data, "--to", tmp_path / "target") as process:
        process.kill()
        process.wait()
    assert "no chat" in refused("--from", tmp_path / "target", "--to", tmp_path / "other")
    moved("--from", data, "--to", tmp_path / "target")
    assert dump(tmp_path / "target") == dump(data)
    assert not list((tmp_path / "target").glob("*.moving"))


def test_ctrl_c_ends_it_with_nothing_kept_and_until_then_nobody_else_has_the_source(
    data: Path, url: str, tmp_path: Path, postgres: Postgres
) -> None:
    with moving(COPYING, "--data", data, "--to", url) as process:
        assert "A process serves the chat in" in refused("--data", data, "--to", "other")
        interrupt(process)
    assert tables(postgres, url) == []
    moved("--data", data, "--to", url)
    with moving(COPYING, "--from", url, "--to", "back") as process:
        assert postgres.sql("SELECT pg_try_advisory_lock(%s)", LOG_LOCK, database=url) == [(False,)]
        interrupt(process)
    assert [path.name for path in (tmp_path / "back").iterdir()] == ["chat.lock"]


def interrupt(process: subprocess.Popen[str]) -> None:
    process.send_signal(signal.SIGINT)
    said, _ = process.communicate(timeout=20)
    assert process.returncode == 130
    assert said.splitlines()[-1] == "Interrupted. Nothing was kept; it can be started again."
    assert "Traceback" not in said


def test_the_server_may_go_away_in_the_middle(data: Path) -> None:
    with Postgres(fsync="off") as own:
        url = own.create_database()
        with moving(COPYING.replace("pause()", "pause_once()") + ONCE, "--data", data, "--to", url) as process:
            own.kill()
            own.start()
            Path("on").touch()
            said, _ = process.communicate(timeout=20)
        assert process.returncode == cli.FAILED
        assert "Nothing was kept" in said.splitlines()[-1]
        assert "Traceback" not in said
        moved("--data", data, "--to", url)


ONCE = """
def pause_once():
    pathlib.Path("reached").touch()
    while not pathlib.Path("on").exists():
        time.sleep(0.01)
"""


def altered(part: list[rows.Row], table: Table, *_: object) -> list[rows.Row]:
    return [(*row[:4], "changed", *row[5:]) if table.name == "message" and row[0] == 9 else row for row in part]


def shortened(connection: Any, table: Table, *, real: Callable[..., Reader] = rows.read) -> Reader:
    parts = list(real(connection, table))
    yield from parts[:-1] if table.name == "message" else parts


@pytest.mark.parametrize(("name", "fault"), [("to_driver", altered), ("read", shortened)], ids=["changed", "lost"])
def test_a_target_that_does_not_hold_the_same_is_not_kept(
    data: Path, url: str, postgres: Postgres, monkeypatch: pytest.MonkeyPatch, name: str, fault: Any
) -> None:
    monkeypatch.setattr(rows, name, fault)
    for target in (url, "target"):
        result = move("--data", data, "--to", target)
        assert result.exit_code == cli.FAILED
        assert [line.split()[0] for line in result.stdout.splitlines() if "DIFFERENT" in line] == ["message"]
        assert "The target did not hold the same as the source" in result.stderr.splitlines()[-1]
    assert tables(postgres, url) == []
    assert [path.name for path in Path("target").iterdir()] == ["chat.lock"]


@pytest.mark.parametrize(
    ("change", "why"),
    [
        (
            "UPDATE message SET text = 'secret' || char(0) || 'words' WHERE id = 9",
            "message (id=9): its text has the character NUL",
        ),
        (
            "UPDATE person SET username = printf('%.200c', 'x') WHERE id = 2",
            "person (id=2): its username is longer than 128",
        ),
        ("UPDATE session SET person_id = 1 << 40 WHERE id = 3", "session (id=3): its person_id is too large"),
        ("UPDATE event SET room_id = 'secret' WHERE id = 3", "event (id=3): its room_id is a text"),
        ("UPDATE message SET author_id = 99 WHERE id = 9", 'on table "message" violates foreign key'),
    ],
)
def test_a_row_that_postgresql_cannot_hold_is_named_and_nothing_is_kept(
    data: Path, url: str, postgres: Postgres, change: str, why: str
) -> None:
    with closing(sqlite3.connect(data / "chat.db")) as connection, connection:
        connection.execute(change)
    line = refused("--data", data, "--to", url)
    assert why in line
    assert "secret" not in line
    assert "othing was kept" in line
    assert tables(postgres, url) == []


def test_a_row_that_belongs_to_nothing_is_not_kept_in_a_folder_either(data: Path) -> None:
    with closing(sqlite3.connect(data / "chat.db")) as connection, connection:
        connection.execute("UPDATE message SET author_id = 99 WHERE id = 9")
    assert "Row 9 of the table message belongs to a person that does not exist" in refused("--data", data, "--to", "x")


def test_nothing_is_moved_to_where_a_chat_is(data: Path, url: str, tmp_path: Path, postgres: Postgres) -> None:
    moved("--data", data, "--to", url)
    before = content(postgres, url)
    assert f"there is a chat (people: 3, messages: {len(TEXTS)}) already" in refused("--data", data, "--to", url)
    assert content(postgres, url) == before
    shutil.copytree(data, tmp_path / "other")
    assert "there is a chat (people: 3, " in refused("--from", url, "--to", tmp_path / "other")
    assert "there is a chat (people: 3, " in refused("--from", data, "--to", tmp_path / "other")
    assert dump(tmp_path / "other") == dump(data)


def test_nothing_is_moved_to_where_the_remains_of_one_are(
    data: Path, url: str, tmp_path: Path, postgres: Postgres
) -> None:
    postgres.sql("CREATE TABLE alembic_version (version_num text)", database=url)
    assert "there are tables of a chat (alembic_version) already" in refused("--data", data, "--to", url)
    for name, text in {"chat.db": "no database", "chat.db-wal": "log", "secret.key": "another"}.items():
        folder = tmp_path / name
        folder.mkdir()
        (folder / name).write_text(text)
        assert f"there is a {'' if name == 'secret.key' else 'file '}{name}" in refused("--data", data, "--to", folder)
        assert (folder / name).read_text() == text


def test_a_chat_in_use_is_not_moved(data: Path, url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with closing(SQLite(data)):
        assert f"A process serves the chat in {data}. Stop it first" in refused("--data", data, "--to", url)
    moved("--data", data, "--to", url)
    monkeypatch.setattr("flask_chat.moving.server.GOING", 0.1)
    with psycopg.connect(url, application_name="flask-chat one-1") as process:
        assert "(flask-chat one-1). Stop every one of them first" in refused("--from", url, "--to", "back")
        assert not Path("back").exists()
        monkeypatch.setattr("flask_chat.moving.server.GOING", 20)
        # One that is just ending is waited for.
        monkeypatch.setattr("flask_chat.moving.server.time.sleep", lambda _: process.close())
        moved("--from", url, "--to", "back")


@pytest.mark.parametrize(
    ("version", "why"), [("9999", "newer version of this chat"), ("0001", "run: flask-chat upgrade")]
)
def test_a_chat_of_another_version_is_not_moved(
    data: Path, url: str, postgres: Postgres, version: str, why: str
) -> None:
    moved("--data", data, "--to", url)
    with closing(sqlite3.connect(data / "chat.db")) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (version,))
    postgres.sql("UPDATE alembic_version SET version_num = %s", version, database=url)
    for source in (data, url):
        result = move("--from", source, "--to", "x")
        assert result.exit_code == cli.FAILED
        assert why in result.stderr
    assert not Path("x").exists()


def test_a_place_is_not_moved_to_itself(data: Path, url: str, tmp_path: Path, postgres: Postgres) -> None:
    (tmp_path / "link").symlink_to(data)
    assert "are the same" in refused("--data", data, "--to", tmp_path / "link")
    assert "are the same" in refused(
        "--from", url, "--to", url.replace("127.0.0.1", "localhost") + "?connect_timeout=9"
    )
    assert "no chat" in refused("--from", url, "--to", "x")
    assert "no chat" in refused("--data", "none", "--to", "x")


def test_what_is_no_place_is_refused_and_no_password_is_said(data: Path, postgres: Postgres) -> None:
    assert "--to names no place for a chat" in refused("--data", data, "--to", "mysql://ann:hunter2@host/name")
    assert "--from names no place" in refused("--from", "postgresql://ann:hunter2@host:port/name", "--to", "x")
    assert "leave one out" in refused("--from", data, "--data", data, "--to", "x")
    result = move("--data", data, "--to", f"postgresql://ann:hunter2@127.0.0.1:{postgres.port}/none?password=hunter2")
    assert "postgresql://ann:***@127.0.0.1" in result.stderr
    assert "cannot be reached: " in result.stderr
    assert "hunter2" not in result.output


def test_a_database_that_cannot_hold_every_text_is_refused(data: Path, postgres: Postgres) -> None:
    postgres.sql("CREATE DATABASE old OWNER chat TEMPLATE template0 ENCODING 'LATIN1'")
    assert "the chat needs UTF8" in refused("--data", data, "--to", f"postgresql://chat@127.0.0.1:{postgres.port}/old")


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def test_how_far_it_has_got_is_said_on_a_terminal_and_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    parts = [[(number,)] * 1_000 for number in range(5)]

    def shown(stream: io.StringIO) -> str:
        with Progress("Copying", "Copied", 5_000, stream) as shown:
            assert list(shown.through(parts)) == parts
        return stream.getvalue()

    bar = shown(Terminal())
    assert "Copying" in bar
    assert "5000/5000" in bar
    assert "rows a second" in bar
    assert shown(io.StringIO()).startswith("Copied 5,000 rows in 0.0 s, ")
    monkeypatch.setattr(progress, "NOW_AND_THEN", 0)
    lines = shown(io.StringIO()).splitlines()
    assert len(lines) == 6
    assert lines[1].startswith("Copying: 2,000 of 5,000 rows, ")
    assert lines[1].endswith(" a second, 0 s left.")
