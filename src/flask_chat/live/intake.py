"""What comes in to the hub: hints, put in the order of the log, and what the log has where no hint came."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Callable, Sequence
from typing import Protocol

import structlog

from ..chat import feed
from ..db import Database, StorageUnavailable
from ..events import Epochs, Event, last_id
from ..metrics import Metrics
from .order import Order

OUT_OF_ORDER = 0.05
"""Seconds that hints from several processes may overtake each other before the log is asked for what is missing."""

FILL = 500
"""Events that are read from the log at once for everybody."""

MOST_MISSED = 2_000
"""Missed events that are read for everybody; if there are more, everybody reads them as fast as they can take them."""

log = structlog.get_logger("flask_chat.live")


class Takes(Protocol):
    """Who is given what comes in, on the event loop."""

    closing: bool

    def deliver(self, events: Sequence[Event]) -> None:
        """Hand events on, which are the next ones in the log."""

    def pass_over(self, last: int, revoked: set[int | None]) -> None:
        """Go on after ``last`` without the events up to there, in which these sessions were revoked."""


class Intake:
    """The way in. ``heard`` is called with events, in order, that were read from the log or had to wait for their turn;
    ``missed`` with the log's last id when events up to there are passed over."""

    def __init__(
        self,
        database: Database,
        position: int,
        to: Takes,
        heard: Callable[[Sequence[Event]], None],
        missed: Callable[[int], None],
        metrics: Metrics,
        epochs: Epochs,
        root: str = "",
    ) -> None:
        self._database, self._to, self._epochs, self._root = database, to, epochs, root
        self._heard, self._missed, self._metrics = heard, missed, metrics
        self._gap_since: float | None = None
        self._order = Order(position)
        self._filling: asyncio.Task[None] | None = None

    @property
    def position(self) -> int:
        """The id of the last event that was handed on."""
        return self._order.position

    @property
    def behind(self) -> int:
        """How many events the log is known to be ahead."""
        return self._order.known - self._order.position

    def oldest(self, now: float) -> float:
        """How long something has been missing, in seconds, or how long ago the log was last read for it."""
        return 0.0 if self._gap_since is None else now - self._gap_since

    def take(self, events: Sequence[Event], *, told: bool = True) -> None:
        """Take committed events, in any order, once or again; ``told``: by a hint, not read from the log."""
        in_turn = self._order.take(events)
        if in_turn:
            if not (told and in_turn is events):
                self._heard(in_turn)
            self._to.deliver(in_turn)
        self._look_soon()

    def note(self, last: int) -> None:
        """The log has got as far as ``last``: if hints do not bring what is missing in a moment, read it."""
        self._order.note(last)
        self._look_soon()

    def jump(self, last: int) -> None:
        """Go on from another place, before or behind."""
        self._order.jump(last)
        self._missed(last)

    def _look_soon(self) -> None:
        if self._order.gap and self._filling is None:
            self._gap_since = time.perf_counter()
            self._filling = asyncio.get_running_loop().create_task(self._fill())

    async def _fill(self) -> None:
        """Read from the log, once for everybody, what no hint has brought."""
        try:
            await asyncio.sleep(OUT_OF_ORDER)
            while self._order.gap and not self._to.closing:
                asked = self.position
                try:
                    found, last, revoked = await asyncio.to_thread(self._read, asked)
                except StorageUnavailable:
                    await a_moment()
                    continue
                if self.position < asked:
                    continue  # The log has become another: what was read is of no use.
                before, self._gap_since = self.position, time.perf_counter()
                log.info("hints.missed", after=before, last=last)
                if last - self.position > MOST_MISSED:
                    self.jump(last)
                    self._to.pass_over(last, revoked)
                elif found:
                    self.take(found, told=False)
                self._metrics.missed(self.position - before)
                if last <= self.position:
                    return
        except Exception as error:
            # The next look at the log tries again.
            log.error("intake.failed", exc_info=error)
        finally:
            self._filling = self._gap_since = None

    def _read(self, position: int) -> tuple[list[Event], int, set[int | None]]:
        with self._database.read() as connection:
            last = last_id(connection)
            found, revoked = list[Event](), set[int | None]()
            if last - position > MOST_MISSED:
                revoked = feed.revoked(connection, position, last)
            else:
                found = feed.everything(connection, position, FILL, self._root)
            self._epochs.follow(connection)
            return found, last, revoked


async def a_moment() -> None:
    """Wait before the database is asked again, and not all in the same moment."""
    await asyncio.sleep(random.uniform(0.3, 1.2))  # noqa: S311
