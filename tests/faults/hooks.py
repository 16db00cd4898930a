"""What is done to a server's process before the chat starts in it, so that a fault can be had when a test wants it."""

from __future__ import annotations

from pathlib import Path


class Clock:
    """A clock that a test can set: the server's is off by what a file says, in seconds."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "clock"
        self.set(0)

    def set(self, seconds: float) -> None:
        """Set the server's clock so many seconds ahead of the real one, or behind it."""
        new = self._path.with_suffix(".new")
        new.write_text(repr(seconds))
        new.replace(self._path)

    @property
    def before(self) -> str:
        """For :class:`ChatServer`: makes every wall clock of the process, but not the monotonic one, follow."""
        return f"""
import datetime, time

def shift(real=open, path={str(self._path)!r}):
    with real(path) as file:
        return float(file.read())

real_time, real_time_ns = time.time, time.time_ns
time.time = lambda: real_time() + shift()
time.time_ns = lambda: real_time_ns() + int(shift() * 1_000_000_000)

class Shifted(datetime.datetime):
    @classmethod
    def now(cls, tz=None):
        return cls.fromtimestamp(time.time(), tz)

    @classmethod
    def utcnow(cls):
        return cls.fromtimestamp(time.time(), datetime.UTC).replace(tzinfo=None)

datetime.datetime = Shifted
"""


class Ceiling:
    """A database that cannot grow, where no small disk can be had: SQLite itself says that the disk is full."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "full"

    def fill(self) -> None:
        self._path.touch()

    def free(self) -> None:
        self._path.unlink()

    @property
    def before(self) -> str:
        """For :class:`ChatServer`."""
        return f"""
import os
from sqlalchemy import event
from sqlalchemy.engine import Engine

@event.listens_for(Engine, "begin")
def limit(connection):
    if not connection.dialect.name == "sqlite":
        return
    full = os.path.exists({str(self._path)!r})
    connection.connection.driver_connection.execute(f"PRAGMA max_page_count = {{1 if full else 1073741823}}")
"""


class Gate:
    """Holds a stream in the middle of being opened: its session is found, it is not yet among the others."""

    def __init__(self, folder: Path) -> None:
        self.reached, self._open = folder / "reached", folder / "open"

    def open(self) -> None:
        self._open.touch()

    @property
    def before(self) -> str:
        """For :class:`ChatServer`."""
        return f"""
import asyncio, os
from flask_chat.live.stream import Readers

real = Readers.audience

async def held(self, session):
    found = await real(self, session)
    open({str(self.reached)!r}, "w").close()
    while not os.path.exists({str(self._open)!r}):
        await asyncio.sleep(0.01)
    return found

Readers.audience = held
"""
