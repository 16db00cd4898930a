"""Long polls that wait for more in the log."""

from __future__ import annotations

import asyncio


class Polls:
    """Those who wait; ``len`` is how many they are."""

    def __init__(self) -> None:
        self._waiting: set[asyncio.Future[None]] = set()

    def __len__(self) -> int:
        return len(self._waiting)

    async def wait(self, seconds: float, gone: asyncio.Future[None]) -> None:
        """Wait until there is more in the log, or the time is up, or the reader has gone, or the hub closes."""
        arrival = asyncio.get_running_loop().create_future()
        self._waiting.add(arrival)
        try:
            await asyncio.wait({arrival, gone}, timeout=seconds, return_when=asyncio.FIRST_COMPLETED)
        finally:
            self._waiting.discard(arrival)

    def wake(self) -> None:
        """There is more, or there never will be."""
        for arrival in self._waiting:
            if not arrival.done():
                arrival.set_result(None)
