"""What the nodes of a chat said of themselves: it is kept in memory alone, and is over by itself."""

from __future__ import annotations

import threading
from collections.abc import Mapping


class Announcements:
    """The last word of each node, for ``expires`` seconds. Moments are readings of the monotonic clock, in seconds."""

    def __init__(self, expires: float) -> None:
        self._expires = expires
        self._lock = threading.Lock()
        self._said: dict[str, tuple[float, bytes]] = {}

    def put(self, node: str, facts: bytes, now: float) -> None:
        """Keep what a node says."""
        with self._lock:
            self._said[node] = now + self._expires, facts

    def drop(self, node: str) -> None:
        """A node has said goodbye."""
        with self._lock:
            self._said.pop(node, None)

    def living(self, now: float) -> Mapping[str, bytes]:
        """What was said by those who are not silent for too long."""
        with self._lock:
            self._said = {node: said for node, said in self._said.items() if said[0] > now}
            return {node: facts for node, (_, facts) in self._said.items()}
