"""Tells the other processes of a chat who is connected here."""

from __future__ import annotations

import asyncio
import random
from contextlib import suppress

import msgspec

from ..bus import ANNOUNCE_EVERY, Bus
from ..chat.presence import Facts
from .hub import Hub

AT_ONCE = 1.0
"""Seconds between two announcements at least: a crowd that comes back is announced together."""


async def announce(bus: Bus, hub: Hub) -> None:
    """Tell it until cancelled: again and again, and soon after somebody came."""
    while True:
        hub.open.changed.clear()
        here, away = hub.open.people()
        bus.announce(msgspec.json.encode(Facts(len(hub.connections), sorted(here), sorted(away))))
        await asyncio.sleep(AT_ONCE)
        with suppress(TimeoutError):
            async with asyncio.timeout(random.uniform(0.9, 1.0) * ANNOUNCE_EVERY - AT_ONCE):  # noqa: S311
                await hub.open.changed.wait()
