"""The operator's commands: complete help, refusals in one line that harm nothing, a copy of a running chat."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import stat
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from flask import Flask
from flask.testing import FlaskClient

from flask_chat import cli, create_app
from flask_chat.chat import messages, people
from flask_chat.config import SETTINGS, Config
from flask_chat.db import Database, SQLite
from flask_chat.http.services import Services

from .servers import ROOT, ChatServer


@pytest.fixture(autouse=True)
def bare(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """No setting of the one who runs the tests counts."""
    for setting in SETTINGS:
        monkeypatch.delenv(setting.name, raising=False)
    monkeypatch.chdir(tmp_path)


def run(*arguments: object) -> Result:
    return CliRunner().invoke(cli.main, [str(each) for each in arguments])


def refused(result: Result) -> str:
    """The one line with which a command refuses."""
    assert result.exit_code == cli.FAILED
    assert result.stdout == ""
    [line] = result.stderr.splitlines()
    assert line.startswith("flask-chat: ")
    assert line.endswith(".")
    return line


def serve(data: Path, *arguments: str, **environment: str) -> tuple[int, str]:
    """``serve`` in a process of its own, where it refuses to; its exit code and what it said."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_CHAT_")}
    done = subprocess.run(
        [sys.executable, "-m", "flask_chat", "serve", "--host", "127.0.0.1", "--data", str(data), *arguments],
        env={**clean, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.stdout == ""
    return done.returncode, done.stderr


@pytest.mark.parametrize("command", [[], *[[name] for name in cli.main.commands]])
@pytest.mark.parametrize("option", ["--help", "-h"])
def test_help_says_what_everything_does(command: list[str], option: str) -> None:
    result = run(*command, option)
    assert result.exit_code == 0
    shown = cli.main.commands[command[0]] if command else cli.main
    assert shown.help
    assert shown.help.split("\n")[0].split(".")[0][:30] in result.output
    for parameter in shown.params:
        if parameter.param_type_name == "option":
            assert parameter.opts[0] in result.output
            assert getattr(parameter, "help", None), f"{parameter.name} is not explained"
    if not command:
        assert all(name in result.output for name in cli.main.commands)


def test_help_is_quick_because_it_loads_no_chat() -> None:
    program = (
        "import sys, flask_chat.cli as c; print([n for n in ('sqlalchemy', 'uvicorn', 'alembic') if n in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        text=True,
    )
    assert "alembic" not in done.stdout, done.stdout


def test_what_it_cannot_understand_is_refused(tmp_path: Path) -> None:
    assert run("serve", "--port", "http").exit_code == 2
    assert run("serve", "--port", "65536").exit_code == 2
    assert run("none").exit_code == 2


def test_a_database_is_brought_up_to_date_once(tmp_path: Path) -> None:
    assert run("upgrade", "--data", tmp_path / "data").output.startswith("There was no chat there yet")
    assert run("upgrade", "--data", tmp_path / "data").output == "The database is up to date.\n"
    Database(SQLite(tmp_path / "data")).close()


def test_the_folder_may_come_from_the_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("FLASK_CHAT_DATA", str(tmp_path / "other"))
    assert run("upgrade").exit_code == 0
    assert (tmp_path / "other" / "chat.db").exists()


def test_a_running_chat_is_not_upgraded_under_its_feet(app: Flask, chat: Services) -> None:
    assert "Another process" in refused(run("upgrade", "--data", chat.config.data))


def test_a_newer_database_is_refused_with_what_to_do(tmp_path: Path) -> None:
    create_app(Config(data=tmp_path / "data")).extensions["flask_chat"].db.close()
    newer(tmp_path / "data")
    assert "Install that version again" in refused(run("upgrade", "--data", tmp_path / "data"))


def newer(data: Path) -> None:
    connection = sqlite3.connect(data / "chat.db")
    connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.commit()
    connection.close()


def test_a_running_chat_is_copied_whole(app: Flask, chat: Services, tmp_path: Path) -> None:
    ann = chat.db.write(lambda transaction: people.add(transaction, "Ann"))
    stop = threading.Event()

    def talk() -> None:
        while not stop.is_set():
            messages.post(chat.db, messages.draft(ann, "lobby", "hello")).result()

    messages.post(chat.db, messages.draft(ann, "lobby", "before")).result()
    talking = threading.Thread(target=talk)
    talking.start()
    try:
        result = run("backup", tmp_path / "copy.db", "--data", chat.config.data)
    finally:
        stop.set()
        talking.join()
    assert result.exit_code == 0, result.output
    size = (tmp_path / "copy.db").stat().st_size
    assert result.output.startswith(f"Copied {size:,} bytes")
    assert stat.S_IMODE((tmp_path / "copy.db").stat().st_mode) == 0o600
    copy = sqlite3.connect(tmp_path / "copy.db")
    assert copy.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
    assert copy.execute("PRAGMA foreign_key_check").fetchall() == []
    assert copy.execute("SELECT text FROM message ORDER BY id LIMIT 1").fetchone() == ("before",)
    posted = copy.execute("SELECT count(*) FROM message").fetchone()
    assert posted == copy.execute("SELECT count(*) FROM event WHERE type = 'message.posted'").fetchone()
    copy.close()
    assert [path.name for path in tmp_path.glob("copy*")] == ["copy.db"], "one file, and it is whole"


def test_a_chat_that_does_not_run_is_copied_too_and_goes_on_from_the_copy(
    app: Flask, chat: Services, tmp_path: Path, ann: FlaskClient
) -> None:
    ann.post("/rooms/lobby/messages", data={"message": "hello"})
    cursor = chat.epochs.cursor(2)
    chat.db.close()
    restored = tmp_path / "restored"
    restored.mkdir()
    assert run("backup", restored / "chat.db", "--data", chat.config.data).exit_code == 0
    again = create_app(Config(data=restored)).extensions["flask_chat"]
    try:
        assert again.epochs.parse(cursor, 2) == 2
        with again.db.read() as connection:
            assert connection.exec_driver_sql("SELECT text FROM message").scalars().all() == ["hello"]
    finally:
        again.db.close()


def test_a_copy_overwrites_nothing(app: Flask, chat: Services, tmp_path: Path) -> None:
    (tmp_path / "copy.db").write_text("mine")
    assert "is there already" in refused(run("backup", tmp_path / "copy.db", "--data", chat.config.data))
    assert (tmp_path / "copy.db").read_text() == "mine"


def test_a_copy_that_cannot_be_written_is_refused_and_leaves_nothing(
    app: Flask, chat: Services, tmp_path: Path
) -> None:
    assert "cannot be written" in refused(run("backup", tmp_path / "none" / "copy.db", "--data", chat.config.data))
    assert "no chat in" in refused(run("backup", tmp_path / "copy.db", "--data", tmp_path / "none"))
    assert not (tmp_path / "none").exists()
    assert list(tmp_path.glob("copy*")) == []


def test_a_file_that_is_no_database_is_not_copied(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "chat.db").write_bytes(b"no database" * 1000)
    assert "could not be written" in refused(run("backup", tmp_path / "copy.db", "--data", tmp_path / "data"))
    assert list(tmp_path.glob("copy*")) == []


@pytest.fixture
def taken() -> Iterator[int]:
    """A port that another program has."""
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        yield int(other.getsockname()[1])


def refusal(code: int, said: str) -> str:
    assert code == cli.FAILED, said
    [line] = said.splitlines()
    assert line.startswith("flask-chat: ")
    return line


def test_a_port_that_is_taken_is_refused_with_another(tmp_path: Path, taken: int) -> None:
    line = refusal(*serve(tmp_path / "data", "--port", str(taken)))
    assert f"Port {taken} is taken" in line
    assert f"--port {taken + 1 if taken < 65535 else 5000}" in line
    assert not (tmp_path / "data").exists(), "who is refused has changed nothing"


def test_a_second_process_on_the_same_data_is_refused(app: Flask, chat: Services) -> None:
    line = refusal(*serve(chat.config.data, "--port", "0"))
    assert f"Another process serves the chat in {chat.config.data}" in line
    chat.db.write(lambda transaction: people.add(transaction, "Ann"))


def test_a_second_process_makes_nothing_anew(app: Flask, chat: Services) -> None:
    (chat.config.data / "secret.key").unlink()
    refusal(*serve(chat.config.data, "--port", "0"))
    assert not (chat.config.data / "secret.key").exists(), "who is refused has changed the data"


def test_what_a_newer_version_wrote_is_refused(tmp_path: Path) -> None:
    create_app(Config(data=tmp_path / "data")).extensions["flask_chat"].db.close()
    newer(tmp_path / "data")
    assert "newer version" in refusal(*serve(tmp_path / "data", "--port", "0"))


@pytest.mark.parametrize(
    ("environment", "reason"),
    [
        ({"DATABASE_URL": "mysql://localhost/chat"}, "DATABASE_URL begins with mysql"),
        ({"DATABASE_URL": "postgresql://chat@127.0.0.1:1/chat"}, "cannot be opened"),
        ({"PORT": "http"}, "PORT"),
        ({"FLASK_CHAT_LIMITS": "maybe"}, "FLASK_CHAT_LIMITS"),
    ],
)
def test_a_setting_that_cannot_work_is_refused(tmp_path: Path, environment: dict[str, str], reason: str) -> None:
    assert reason in refusal(*serve(tmp_path / "data", **environment))


def test_several_processes_on_one_file_are_refused_with_the_reason(tmp_path: Path) -> None:
    line = refusal(*serve(tmp_path / "data", "--workers", "2"))
    assert "--workers 2 cannot work" in line
    assert "belongs to one process: set DATABASE_URL" in line
    assert "set REDIS_URL" in line
    assert not (tmp_path / "data").exists()


def test_a_folder_that_cannot_be_made_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    assert "cannot be written to" in refusal(*serve(tmp_path / "file" / "data", "--port", "0"))


def test_a_broken_database_is_refused_in_one_line(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "chat.db").write_bytes(b"no database" * 1000)
    assert "cannot be opened" in refusal(*serve(tmp_path / "data", "--port", "0"))


def test_an_address_of_another_machine_is_refused(tmp_path: Path) -> None:
    code, said = serve(tmp_path / "data", "--host", "192.0.2.1", "--port", "0")
    assert "Cannot listen on 192.0.2.1" in refusal(code, said)


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_as_if_it_was_meant(server: ChatServer, how: signal.Signals) -> None:
    ann = server.client("Ann")
    assert ann.post("/rooms/lobby/messages", data={"message": "hello"}).status_code == 303
    ann.close()
    assert server.stop(how, seconds=5) == 0
    assert "Traceback" not in server.log.read_text()
    Database(SQLite(server.data)).close()


def test_commands_of_flask_people_work_beside_a_running_chat(app: Flask, chat: Services) -> None:
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "src"), "FLASK_CHAT_DATA": str(chat.config.data)}
    done = subprocess.run(
        [sys.executable, "-m", "flask", "--app", "flask_chat", "routes"],
        env=environment,
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert done.returncode == 0, done.stderr
    assert "/rooms/<slug>" in done.stdout
