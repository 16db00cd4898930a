"""A serving process that is one of several: how it learns so, and its line to the process that started it."""

from __future__ import annotations

import atexit
import contextlib
import os
import signal
import socket
import threading
from collections.abc import Callable, MutableMapping
from pathlib import Path

import structlog

from . import metrics

VARIABLE = "FLASK_CHAT_WORKER"
"""Set by the parent alone, never by people: this worker's number and the descriptor of its line."""

READY = b"ready\n"
"""What a worker says once it serves."""

SHOW = b"show\n"
"""What the parent says to one worker, once all of them serve: it is the one that prints how friends join."""

log = structlog.get_logger("flask_chat")


class Worker:
    """This process, as one of several."""

    def __init__(self, number: int, line: socket.socket) -> None:
        self.number = number
        self._line = line
        self._show: Callable[[], None] | None = None

    @classmethod
    def of_environment(cls, environment: MutableMapping[str, str] = os.environ) -> Worker | None:
        """The worker that the environment says this is, else None. Asked once: what this starts is no worker."""
        given = environment.pop(VARIABLE, None)
        if given is None:
            return None
        number, descriptor = map(int, given.split())
        os.set_inheritable(descriptor, False)
        worker = cls(number, socket.socket(fileno=descriptor))
        threading.Thread(target=worker._hear, name="parent", daemon=True).start()
        return worker

    def ready(self, show: Callable[[], None]) -> None:
        """Say that this process serves. ``show`` is called, in a thread of its own, if it is this one's to print."""
        self._show = show
        with contextlib.suppress(OSError):  # A parent that is gone is heard of in the other direction.
            self._line.sendall(READY)

    def _hear(self) -> None:
        """Do what the parent says; when it is gone, however that came, end in order: nobody else would end this."""
        while self._said() == SHOW:
            if self._show is not None:
                self._show()
        self._line.close()
        log.warning("parent.gone", worker=self.number)
        atexit.register(clear_up)
        os.kill(os.getpid(), signal.SIGTERM)

    def _said(self) -> bytes:
        try:
            return self._line.recv(len(SHOW))
        except OSError:
            return b""


def clear_up() -> None:
    """Remove this process's part of what the parent would have removed; who leaves last removes the folder itself."""
    folder = os.environ.get(metrics.DIRECTORY)
    if folder is None:
        return
    with contextlib.suppress(OSError):
        for file in Path(folder).glob("*_*.db"):
            pid = int(file.stem.rpartition("_")[2])
            if pid == os.getpid() or not _lives(pid):
                file.unlink(missing_ok=True)
        os.rmdir(folder)


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except PermissionError:
        pass
    return True
