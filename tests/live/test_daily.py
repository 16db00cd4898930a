"""What is done once a day is done once, however many processes there are."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable

import pytest
from flask import Flask

from flask_chat.chat import keeping, people
from flask_chat.db import Transaction
from flask_chat.http.services import Services
from flask_chat.live import daily

from ..http.gateway import Gateway


class Dishes:
    """A chore of some parts; ``broken`` at first."""

    def __init__(self, parts: int, *, broken: bool = False) -> None:
        self.parts, self.broken, self.done = parts, broken, 0
        self.clean: asyncio.Event
        self.tell: Callable[[], object] = lambda: None

    def __call__(self, transaction: Transaction) -> int:
        assert transaction.locked
        if self.broken:
            raise LookupError
        self.done += 1
        self.parts -= 1
        if not self.parts:
            self.tell()
        return self.parts


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(daily, "EVERY", 0.001)
    monkeypatch.setattr(daily, "PAUSE", 0.001)


def test_a_chore_is_done_to_its_end_by_one_of_all(chat: Services) -> None:
    dishes = Dishes(3)

    async def live() -> None:
        await asyncio.gather(*(daily.once_a_day(chat.db, "dishes", dishes) for _ in range(4)))

    asyncio.run(live())
    assert dishes.done == 3


def test_one_that_fails_does_not_keep_the_others_from_being_done(chat: Services) -> None:
    broken, dishes = Dishes(1, broken=True), Dishes(2)

    async def live() -> None:
        dishes.clean, loop = asyncio.Event(), asyncio.get_running_loop()
        dishes.tell = lambda: loop.call_soon_threadsafe(dishes.clean.set)
        task = asyncio.ensure_future(daily.daily(chat.db, {"broken": broken, "dishes": dishes}))
        async with asyncio.timeout(5):
            await dishes.clean.wait()
        task.cancel()

    asyncio.run(live())
    assert dishes.done == 2


def test_a_chat_that_serves_frees_the_names_that_nobody_uses(chat: Services, app: Flask) -> None:
    ann = chat.db.write(lambda transaction: people.add(transaction, "Ann"))
    long_ago = people.person.update().values(created_at=ann.created_at - 31 * keeping.DAY)
    chat.db.write(lambda transaction: transaction.connection.execute(long_ago))
    gone = threading.Event()
    chat.db.listeners.append(lambda told: gone.set() if told[-1].type == "person.departed" else None)
    gateway = Gateway(app)
    try:
        gateway.run(asyncio.to_thread(gone.wait, 5))
        assert gone.is_set()
    finally:
        gateway.close()
