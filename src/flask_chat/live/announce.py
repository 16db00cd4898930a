"""Tells the other processes of a chat who is connected here."""

from __future__ import annotations

import asyncio
import random

import msgspec

from ..bus import ANNOUNCE_EVERY, Bus
from .hub import Hub


class Facts(msgspec.Struct, frozen=True):
    """What is so on one node: how many streams are open, and the ids of those whose they are."""

    streams: int
    people: list[int]


async def announce(bus: Bus, hub: Hub) -> None:
    """Tell it until cancelled."""
    while True:
        people = sorted({connection.session.person.id for connection in list(hub.connections)})
        bus.announce(msgspec.json.encode(Facts(len(hub.connections), people)))
        await asyncio.sleep(random.uniform(0.9, 1.0) * ANNOUNCE_EVERY)  # noqa: S311
