"""Asks the database for a sign of life: in a thread of its own, for the others may all be waiting for it."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from typing import NamedTuple, TypeVar

import structlog

from .. import events
from ..db import Database, StorageUnavailable

Result = TypeVar("Result")

WITHIN = 2.0
"""Seconds in which the database has to answer; then it is taken to be away."""

FRESH = 1.0
"""Seconds for which an answer is good: however many people ask, the database is asked once."""

log = structlog.get_logger("flask_chat.live")


class Sign(NamedTuple):
    """Whether the database answered, after how many milliseconds, and the log's last id, if it did."""

    up: bool
    ms: float | None = None
    last: int = 0


class Probe:
    """Asks once at a time."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._asking: asyncio.Future[Sign] | None = None
        self._answered = -FRESH

    async def ask(self) -> Sign:
        """The database's sign of life, at most FRESH seconds old. It comes within WITHIN seconds."""
        now = time.monotonic()
        if self._asking is None or (self._asking.done() and now - self._answered > FRESH):
            self._asking = asyncio.ensure_future(apart(self._ask))
        done, _ = await asyncio.wait({self._asking}, timeout=WITHIN)
        return self._asking.result() if done else Sign(False)

    def _ask(self) -> Sign:
        began = time.perf_counter()
        try:
            with self._database.read() as connection:
                last = events.last_id(connection)
            sign = Sign(True, round((time.perf_counter() - began) * 1000, 1), last)
        except StorageUnavailable:
            sign = Sign(False)
        except Exception as error:
            log.error("probe.failed", exc_info=error)
            sign = Sign(False)
        self._answered = time.monotonic()
        return sign


async def apart(work: Callable[[], Result]) -> Result:
    """Run ``work`` in a thread of its own, which nobody waits for when the process ends."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[Result] = loop.create_future()

    def run() -> None:
        try:
            result = work()
        except BaseException as error:
            answer: tuple[Callable[..., None], object] = (_fail, error)
        else:
            answer = (_set, result)
        with suppress(RuntimeError):  # The loop has ended.
            loop.call_soon_threadsafe(answer[0], done, answer[1])

    threading.Thread(target=run, name="apart", daemon=True).start()
    return await done


def _set(done: asyncio.Future[Result], result: Result) -> None:
    if not done.done():
        done.set_result(result)


def _fail(done: asyncio.Future[Result], error: BaseException) -> None:
    if not done.done():
        done.set_exception(error)
