"""Nodes of a chat inside the tests' own process: without a network, and with hints that a test can lose."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Sequence

from flask_chat import events
from flask_chat.bus.memory import MemoryBus
from flask_chat.config import Config
from flask_chat.events import Event
from flask_chat.http.services import Services

from . import apps
from .http.gateway import Gateway

PATIENCE = 5.0
"""Seconds in which everybody must be level; it is a matter of milliseconds."""


class Sky:
    """What is said between nodes that are not told everything, nor in order: hints that wait for a test to let go."""

    def __init__(self) -> None:
        self.buses: list[LossyBus] = []
        self.waiting: list[tuple[LossyBus, Sequence[Event]]] = []

    def let_go(self, chance: random.Random) -> None:
        """Deliver some of what waits, in any order, some of it twice; lose some; leave the rest where it is."""
        waiting, self.waiting = self.waiting, []
        chance.shuffle(waiting)
        for bus, hint in waiting:
            fate = chance.choice(("lost", "waits", "heard", "heard", "heard twice"))
            if fate == "waits":
                self.waiting.append((bus, hint))
            for _ in range({"heard": 1, "heard twice": 2}.get(fate, 0)):
                bus.hear(hint)


class LossyBus(MemoryBus):
    """Tells its own process at once, and the others when the test says so."""

    def __init__(self, sky: Sky) -> None:
        super().__init__()
        self._sky = sky
        sky.buses.append(self)

    def publish(self, events: Sequence[Event]) -> None:
        self.hear(events)
        self._sky.waiting += [(bus, events) for bus in self._sky.buses if bus is not self]

    def hear(self, events: Sequence[Event]) -> None:
        super().publish(events)

    def close(self) -> None:
        super().close()
        self._sky.buses.remove(self)
        self._sky.waiting = [(bus, hint) for bus, hint in self._sky.waiting if bus is not self]


class Node:
    """One process of the chat, without a network, that can be started again."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self.start()

    def start(self) -> None:
        self._app = apps.opened(self._config)
        self.gateway = Gateway(self._app)

    @property
    def chat(self) -> Services:
        return self.gateway.chat

    def stop(self) -> None:
        self.gateway.close()
        apps.close(self._app)

    def last(self) -> int:
        with self.chat.db.read() as connection:
            return events.last_id(connection)

    def level(self) -> None:
        """Let the node's loop run until it has heard of everything."""
        last = self.last()

        async def level() -> None:
            hub = self.gateway.door.hub
            assert hub is not None
            async with asyncio.timeout(PATIENCE):
                while hub.position < last:  # noqa: ASYNC110 (it tells nobody when it is)
                    await asyncio.sleep(0.001)

        self.gateway.run(level())
