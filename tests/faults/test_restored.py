"""A backup is put back: what was said after it is gone, and nobody is shown another history as if it were theirs."""

from __future__ import annotations

import os
import shutil
import sqlite3
import subprocess
import sys
from contextlib import closing
from functools import partial
from pathlib import Path

from ..checker import Checker
from ..servers import ROOT, ChatServer
from . import storage
from .clients import PollReader, Poster, Reader, StreamReader, cursor, history, program, say, token_of


def back_up(server: ChatServer, file: Path) -> None:
    subprocess.run(
        [sys.executable, "-m", "flask_chat", "backup", str(file), "--data", str(server.data)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        check=True,
        capture_output=True,
        timeout=30,
    )


def put_back(server: ChatServer, file: Path) -> None:
    """As the operator's page tells: stop, replace the database, start."""
    server.stop()
    for name in ("chat.db", "chat.db-wal", "chat.db-shm"):
        (server.data / name).unlink(missing_ok=True)
    shutil.copy(file, server.data / "chat.db")
    server.start()


def _told_to_begin_anew(reader: Reader) -> bool:
    return bool(reader.events[-1]["type"] == "resync")


def test_after_a_restore_nobody_is_shown_another_history(server: ChatServer, tmp_path: Path) -> None:
    with program(server, "Ann") as ann, program(server, "Bob") as bob:
        kept = [say(ann, f"kept {number}", f"k{number}").json() for number in range(5)]
        known = cursor(ann)
        back_up(server, tmp_path / "backup.db")
        readers = [kind(server, token_of(bob), known) for kind in (StreamReader, PollReader)]
        for reader in readers:
            reader.start()
        lost = [say(ann, f"lost {number}", f"l{number}").json() for number in range(5)]
        for reader in readers:
            reader.wait_for(lost[-1]["id"])
        of_the_lost = cursor(ann)
        server.restart()
        of_the_lost_and_later = cursor(ann)

        put_back(server, tmp_path / "backup.db")
        assert history(ann) == kept
        for reader in readers:
            reader.wait_until(partial(_told_to_begin_anew, reader))
        other = [say(ann, f"other {number}", f"l{number}").json() for number in range(8)]
        assert [message["id"] for message in other[:5]] == [message["id"] for message in lost], "ids are given out anew"
        for reader in readers:
            reader.wait_for(other[-1]["id"])
            reader.finish()
            told = [event["type"] for event in reader.events]
            assert told == ["message.posted"] * 5 + ["resync"] + ["message.posted"] * 8
            assert reader.messages == [*lost, *other]

        for before in (of_the_lost, of_the_lost_and_later):
            events = bob.get("/api/events", params={"after": before}).json()["events"]
            assert [event["type"] for event in events] == ["resync"]
        events = bob.get("/api/events", params={"after": known}).json()["events"]
        assert [event["message"] for event in events] == other, "a cursor from before the backup is still good"
        assert storage.integrity(server) == "ok"


def test_a_backup_of_a_chat_that_people_are_using_is_whole_and_never_overwrites(
    server: ChatServer, tmp_path: Path
) -> None:
    checker = Checker()
    posters = [Poster(server, name, checker) for name in ("Ann", "Bob")]
    for poster in posters:
        poster.start()
    acknowledged = checker.acknowledged
    back_up(server, tmp_path / "backup.db")
    for poster in posters:
        poster.finish()
    with closing(sqlite3.connect(tmp_path / "backup.db")) as copy:
        assert copy.execute("PRAGMA integrity_check").fetchone() == ("ok",)
        (copied,) = copy.execute("SELECT count(*) FROM message").fetchone()
    assert acknowledged <= copied <= checker.acknowledged
    assert (tmp_path / "backup.db").stat().st_mode & 0o077 == 0
    before = (tmp_path / "backup.db").read_bytes()
    again = subprocess.run(
        [sys.executable, "-m", "flask_chat", "backup", str(tmp_path / "backup.db"), "--data", str(server.data)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src")},
        capture_output=True,
        timeout=30,
    )
    assert again.returncode != 0
    assert (tmp_path / "backup.db").read_bytes() == before
