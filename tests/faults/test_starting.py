"""When it cannot start, it says why in one line, and harms nothing."""

from __future__ import annotations

import os
import socket
import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from ..servers import ROOT, ChatServer
from . import storage
from .clients import program as a_program
from .clients import say

# To root every folder is open. What is imported later may lie where nobody else may read.
WITHOUT_RIGHTS = """
import os
import flask_chat.asgi, flask_chat.banner, flask_chat.server
if os.geteuid() == 0:
    os.setgroups([])
    os.setgid(65534)
    os.setuid(65534)
"""


def refused(*options: str, before: str = "", **environment: str) -> str:
    """Start a chat that must not start; returns the one line that it says."""
    given = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_CHAT_")}
    program = ("-c", f"{before}\nfrom flask_chat.cli import main\nmain()") if before else ("-m", "flask_chat")
    ended = subprocess.run(
        [sys.executable, *program, "serve", "--host", "127.0.0.1", *options],
        env={**given, "PYTHONPATH": str(ROOT / "src"), **environment},
        capture_output=True,
        text=True,
        timeout=30,
    )
    assert ended.returncode not in (0, -6, -11), ended.stderr
    assert ended.returncode > 0
    assert ended.stdout == ""
    lines = ended.stderr.splitlines()
    assert len(lines) == 1, ended.stderr
    assert lines[0].startswith("flask-chat: ")
    return lines[0]


@pytest.fixture
def kept(server: ChatServer) -> ChatServer:
    """A chat that ran and has something to lose."""
    with a_program(server, "Ann") as ann:
        say(ann, "precious").raise_for_status()
    server.stop()
    return server


def contents(server: ChatServer) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted(server.data.iterdir()) if path.suffix != ".lock"}


def rows(server: ChatServer) -> list[str]:
    # Each start writes down that it began; that alone may be more.
    return [line for line in storage.dump(server) if '"epoch"' not in line]


def test_a_taken_port(kept: ChatServer) -> None:
    before = rows(kept)
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        line = refused("--port", str(port), "--data", str(kept.data))
    assert str(port) in line
    assert "--port" in line
    assert rows(kept) == before
    kept.start()


def test_a_second_process_on_the_same_data(kept: ChatServer, tmp_path: Path) -> None:
    kept.start()
    before = storage.dump(kept)
    line = refused("--port", "0", "--data", str(kept.data))
    assert str(kept.data) in line
    assert "--data" in line
    assert storage.dump(kept) == before
    with a_program(kept, "Bob") as bob:
        assert say(bob, "still here").status_code == 201


def test_a_folder_that_cannot_be_written_to(tmp_path: Path) -> None:
    file = tmp_path / "a file"
    file.write_text("mine")
    line = refused("--port", "0", "--data", str(file / "data"))
    assert str(file) in line
    assert "--data" in line
    assert file.read_text() == "mine"


def test_a_folder_of_somebody_else(kept: ChatServer) -> None:
    os.chmod(kept.data, 0o500)
    before = contents(kept)
    line = refused("--port", "0", "--data", str(kept.data), before=WITHOUT_RIGHTS)
    os.chmod(kept.data, 0o700)
    assert str(kept.data) in line
    assert "Permission denied" in line
    assert contents(kept) == before
    kept.start()


def test_a_database_of_a_newer_version(kept: ChatServer) -> None:
    with closing(sqlite3.connect(kept.data / "chat.db")) as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
        connection.commit()
    before = storage.dump(kept)
    line = refused("--port", "0", "--data", str(kept.data))
    assert "newer version" in line
    assert "9999" in line
    assert storage.dump(kept) == before


@pytest.mark.parametrize("broken", [b"this is no database, but a letter to my aunt" * 100, b"\0" * 8192])
def test_a_database_that_is_none(kept: ChatServer, broken: bytes) -> None:
    (kept.data / "chat.db").write_bytes(broken)
    line = refused("--port", "0", "--data", str(kept.data))
    assert "database" in line or "data" in line
    assert (kept.data / "chat.db").read_bytes() == broken


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "abc"),
        ("PORT", "99999"),
        ("PORT", "-1"),
        ("PORT", "５０００"),
        ("FLASK_CHAT_LIMITS", "maybe"),
        ("FLASK_CHAT_LOG", "everything"),
        ("FLASK_CHAT_THREADS", "0"),
        ("DATABASE_URL", "mysql://localhost/chat"),
    ],
)
def test_a_setting_that_cannot_work(tmp_path: Path, name: str, value: str) -> None:
    line = refused("--data", str(tmp_path / "data"), **{name: value})
    assert name in line
    assert not (tmp_path / "data").exists(), "a folder was left behind"


@pytest.mark.parametrize("host", ["192.0.2.1", "nowhere.invalid", "::ffff:zz"])
def test_an_address_that_is_not_this_machines(tmp_path: Path, host: str) -> None:
    line = refused("--port", "0", "--host", host, "--data", str(tmp_path / "data"))
    assert host in line


def test_what_was_there_before_all_that_is_there_after(kept: ChatServer) -> None:
    before = storage.dump(kept)
    for options in (("--port", "70000"), ("--nonsense",), ("--host",)):
        ended = subprocess.run(
            [sys.executable, "-m", "flask_chat", "serve", "--data", str(kept.data), *options],
            env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
            capture_output=True,
            text=True,
            timeout=30,
        )
        assert ended.returncode != 0
        assert "Traceback" not in ended.stderr
    assert storage.dump(kept) == before
    for name in ("secret.key", "owner.token"):
        assert (kept.data / name).stat().st_mode & 0o077 == 0
    kept.start()
    with a_program(kept, "Bob") as bob:
        assert [message["text"] for message in bob.get("/api/rooms/lobby/messages").json()["messages"]] == ["precious"]
