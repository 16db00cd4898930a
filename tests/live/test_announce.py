"""Announcements: soon after somebody came, and together for a crowd."""

from __future__ import annotations

import asyncio
import time

import msgspec
import pytest

from flask_chat.bus.memory import MemoryBus
from flask_chat.chat.people import Person
from flask_chat.chat.presence import Facts
from flask_chat.chat.sessions import Session
from flask_chat.live import announce

from .readers import Log, LogHub, a_hub


class Counting(MemoryBus):
    """Keeps all that is announced."""

    def __init__(self) -> None:
        super().__init__()
        self.facts: list[Facts] = []
        self.told = asyncio.Event()

    def announce(self, facts: bytes) -> None:
        super().announce(facts)
        self.facts.append(msgspec.json.decode(facts, type=Facts))
        self.told.set()

    async def until(self, people: list[int]) -> None:
        async with asyncio.timeout(10):
            while self.facts[-1:] == [] or self.facts[-1].people != people:
                self.told.clear()
                await self.told.wait()


def session(id: int) -> Session:
    return Session(id, Person(id, f"Person {id}", "member", 0), 0)


async def come(hub: LogHub, count: int) -> None:
    for id in range(1, count + 1):
        hub.open.add(session(id))
        await asyncio.sleep(0)


def test_a_crowd_that_comes_is_announced_together_and_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "AT_ONCE", 0.05)

    async def scene() -> tuple[list[Facts], float]:
        async with a_hub(Log()) as hub:
            bus = Counting()
            task = asyncio.ensure_future(announce.announce(bus, hub))
            began = time.monotonic()
            await come(hub, 2_000)
            await bus.until(list(range(1, 2_001)))
            task.cancel()
            return bus.facts, time.monotonic() - began

    facts, seconds = asyncio.run(scene())
    assert len(facts) <= 2 + seconds / 0.05
    assert facts[-1].away == []


def test_who_is_away_is_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "AT_ONCE", 0.01)

    async def scene() -> Facts:
        async with a_hub(Log()) as hub:
            bus = Counting()
            task = asyncio.ensure_future(announce.announce(bus, hub))
            await come(hub, 2)
            await bus.until([1, 2])
            hub.open.rest(2, True)
            async with asyncio.timeout(10):
                while not bus.facts[-1].away:
                    bus.told.clear()
                    await bus.told.wait()
            task.cancel()
            return bus.facts[-1]

    assert asyncio.run(scene()) == Facts(0, [1, 2], [2])
