"""What is done once a day, by one of all the processes of a chat."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Mapping

import structlog

from ..chat import keeping
from ..db import Database, StorageFull, StorageUnavailable, Transaction

Chore = Callable[[Transaction], int]
"""Does a part of something, quickly, and says how much it did: 0 if nothing is left."""

EVERY = 600.0
"""Seconds between two looks whether a day has gone by, give or take a fifth."""

PAUSE = 0.05
"""Seconds between two parts, in which others write."""

log = structlog.get_logger("flask_chat.live")


async def daily(database: Database, chores: Mapping[str, Chore]) -> None:
    """Do chores, by name, each once a day, until cancelled. What fails is tried again the next day."""
    while True:
        await asyncio.sleep(random.uniform(0.8, 1.2) * EVERY)  # noqa: S311
        for name, chore in chores.items():
            try:
                await once_a_day(database, name, chore)
            except (StorageFull, StorageUnavailable):
                # It is told where it was met.
                break
            except Exception as error:
                log.error("chore.failed", chore=name, exc_info=error)


async def once_a_day(database: Database, name: str, chore: Chore) -> None:
    """Do a chore to its end, unless somebody did it in the last day."""

    def claim(transaction: Transaction, items: list[None]) -> list[bool]:
        return [keeping.claim(transaction, f"daily.{name}") for _ in items]

    def work(transaction: Transaction, items: list[None]) -> list[int]:
        transaction.lock()
        return [chore(transaction) for _ in items]

    more = await database.submit_from_loop(claim, None)
    while more:
        more = await database.submit_from_loop(work, None) > 0
        await asyncio.sleep(PAUSE)
