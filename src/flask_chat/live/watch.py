"""Looks at the log itself, again and again: a hint may be lost, and another log may be put in this one's place."""

from __future__ import annotations

import asyncio
import random

import structlog

from .. import events
from ..db import Database, StorageUnavailable, Transaction
from ..events import Epochs
from .hub import Hub

EVERY = 1.0
"""Seconds between two looks, give or take a fifth: what no hint told is seen after that."""

log = structlog.get_logger("flask_chat.live")


class Watch:
    """Keeps a hub and the known epochs true to a log that other processes write to."""

    def __init__(self, database: Database, epochs: Epochs, hub: Hub) -> None:
        self._database, self._epochs, self._hub = database, epochs, hub
        self._away = False

    async def run(self) -> None:
        """Look until cancelled."""
        while True:
            await asyncio.sleep(random.uniform(0.8, 1.2) * EVERY)  # noqa: S311
            try:
                await self.look()
            except StorageUnavailable:
                self._say(away=True)
            except Exception as error:
                log.error("watch.failed", exc_info=error)
            else:
                self._say(away=False)

    async def look(self) -> None:
        """Look once. Raises :class:`StorageUnavailable`."""
        # What the hub had before the look must be in the log; what comes meanwhile need not be.
        had = self._hub.position
        last, epoch, history = await asyncio.to_thread(self._read)
        if history != self._epochs.history:
            await self._database.submit_from_loop(self._begin, None)
        elif epoch != self._epochs.current:
            await asyncio.to_thread(self._load)
        generation = self._hub.generation
        self._hub.settle()
        if self._hub.generation != generation:
            return
        if last < had and await self._database.submit_from_loop(self._is_before, had):
            # Nothing else tells that this is another log.
            self._hub.settle()
        else:
            self._hub.intake.note(last)

    def _read(self) -> tuple[int, str, str]:
        with self._database.read() as connection:
            history = self._database.backend.history(connection)
            return events.last_id(connection), events.newest_epoch(connection), history

    def _load(self) -> None:
        with self._database.read() as connection:
            self._epochs.load(connection)

    def _begin(self, transaction: Transaction, items: list[None]) -> list[Exception | None]:
        self._epochs.begin(transaction)
        return [None for _ in items]

    def _is_before(self, transaction: Transaction, places: list[int]) -> list[bool | Exception]:
        """Look again where it is written: a reader may have been sent to a copy that lags behind."""
        transaction.lock()
        before = events.last_id(transaction.connection) < min(places)
        if before:
            self._epochs.begin(transaction, surely=True)
        return [before for _ in places]

    def _say(self, *, away: bool) -> None:
        """Say once that the database is away, and once that it is back."""
        if away is not self._away:
            self._away = away
            log.warning("database.away" if away else "database.back")
