"""One of several: it learns so from its environment, says when it serves, and does not outlive its parent."""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from flask_chat import metrics
from flask_chat.worker import READY, SHOW, VARIABLE, Worker, clear_up


@pytest.fixture
def ends(monkeypatch: pytest.MonkeyPatch) -> threading.Event:
    """Set when the process would end itself."""
    ends = threading.Event()
    monkeypatch.setattr(atexit, "register", lambda _: None)

    def kill(pid: int, number: int) -> None:
        assert (pid, number) == (os.getpid(), signal.SIGTERM)
        ends.set()

    monkeypatch.setattr(os, "kill", kill)
    return ends


def test_who_is_not_told_so_is_not_one_of_several() -> None:
    assert Worker.of_environment({}) is None


def test_it_says_when_it_serves_prints_if_it_is_its_turn_and_ends_when_its_parent_is_gone(
    ends: threading.Event,
) -> None:
    parent, line = socket.socketpair()
    environment = {VARIABLE: f"3 {line.detach()}"}
    worker = Worker.of_environment(environment)
    assert worker is not None
    assert worker.number == 3
    assert environment == {}, "what it starts is no worker"
    shown = threading.Event()
    worker.ready(shown.set)
    assert parent.recv(100) == READY
    assert not shown.is_set()
    parent.sendall(SHOW)
    assert shown.wait(10)
    assert not ends.is_set()
    parent.close()
    assert ends.wait(10)


def test_the_last_to_leave_removes_what_the_parent_no_longer_can(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "figures"
    folder.mkdir()
    monkeypatch.setenv(metrics.DIRECTORY, str(folder))
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    for pid in (os.getpid(), os.getppid(), ended.pid):
        (folder / f"counter_{pid}.db").touch()
    clear_up()
    assert [file.name for file in folder.iterdir()] == [f"counter_{os.getppid()}.db"], "somebody is still there"
    (folder / f"counter_{os.getppid()}.db").rename(folder / f"counter_{ended.pid}.db")
    clear_up()
    assert not folder.exists()


def test_a_parent_that_was_gone_before_is_noticed_too(ends: threading.Event) -> None:
    parent, line = socket.socketpair()
    parent.close()
    worker = Worker.of_environment({VARIABLE: f"1 {line.detach()}"})
    assert worker is not None
    assert ends.wait(10)
    worker.ready(lambda: None)
