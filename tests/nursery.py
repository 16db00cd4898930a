"""Starts chats quickly: they are forked from a process that has imported everything once, and then run as any other."""

from __future__ import annotations

import multiprocessing
import os
import pkgutil
import runpy
import signal
import subprocess
import sys
from collections.abc import Mapping, Sequence
from io import TextIOWrapper
from multiprocessing import forkserver
from pathlib import Path

import pytest

import flask_chat

ROOT = Path(__file__).parents[1]

# What the chat, or a library of it, imports only when it is needed.
LATER = (
    "alembic.command",
    "prometheus_client",
    "psycopg",
    "redis",
    "segno",
    "sqlalchemy.dialects.postgresql.psycopg",
    "sqlalchemy.dialects.sqlite",
    "uvicorn.lifespan.on",
    "uvicorn.loops.uvloop",
    "uvicorn.protocols.http.httptools_impl",
    "xml.sax.saxutils",
)


class Forked:
    """``python -m flask_chat`` with these arguments; to be asked what a :class:`subprocess.Popen` is asked."""

    def __init__(self, arguments: Sequence[str], environment: Mapping[str, str], output: Path) -> None:
        _nursery()
        self._process = multiprocessing.get_context("forkserver").Process(
            target=_run, args=(["flask-chat", *arguments], dict(environment), os.getcwd(), output), daemon=True
        )
        self._process.start()
        assert self._process.pid is not None
        self.pid = self._process.pid

    @property
    def returncode(self) -> int | None:
        return self.poll()

    def poll(self) -> int | None:
        """Its exit code, or minus the signal that it died of; None while it runs."""
        return self._process.exitcode

    def wait(self, timeout: float | None = None) -> int:
        """Wait until it has ended. Raises :class:`subprocess.TimeoutExpired`."""
        self._process.join(timeout)
        code = self.poll()
        if code is None:
            raise subprocess.TimeoutExpired("flask-chat", timeout or 0)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)


def _nursery() -> None:
    """See to it that the process to fork from is there."""
    modules = [module.name for module in pkgutil.walk_packages(flask_chat.__path__, "flask_chat.")]
    modules.remove("flask_chat.__main__")
    multiprocessing.get_context("forkserver").set_forkserver_preload([*modules, *LATER, __name__])
    # It looks for them before it is told where they are.
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", os.pathsep.join([str(ROOT / "src"), str(ROOT)]))
        forkserver.ensure_running()


def _run(arguments: list[str], environment: dict[str, str], folder: str, output: Path) -> None:
    """In the new process: become the command."""
    with output.open("ab", buffering=0) as log:
        os.dup2(log.fileno(), 1)
        os.dup2(log.fileno(), 2)
    for stream in (sys.stdout, sys.stderr):
        assert isinstance(stream, TextIOWrapper)
        stream.reconfigure(write_through=True)
    os.environ.clear()
    os.environ.update(environment)
    os.chdir(folder)
    sys.argv = arguments
    runpy.run_module("flask_chat", run_name="__main__", alter_sys=True)
