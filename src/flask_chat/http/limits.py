"""How often somebody may do something: token buckets on a clock that never jumps."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable

from ..chat.errors import Refused

REMEMBERED = 20_000
"""Buckets kept; the one that was used longest ago goes first."""


class TooFast(Refused):
    """Too often in too short a time; ``retry_after`` in whole seconds."""

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Bucket:
    """Lets ``burst`` through at once and ``rate`` a second after that, for each key by itself."""

    def __init__(self, rate: float, burst: int, reason: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate, self._burst, self._reason, self._clock = rate, burst, reason, clock
        self._lock = threading.Lock()
        # For each key the moment at which its bucket will be full again (the generic cell rate algorithm).
        self._full_at: OrderedDict[Hashable, float] = OrderedDict()

    def take(self, key: Hashable) -> None:
        """Count one. Raises :class:`TooFast` if it is one too many, which then does not count."""
        with self._lock:
            now = self._clock()
            full_at = max(self._full_at.get(key, now), now) + 1 / self._rate
            over = full_at - now - self._burst / self._rate
            if over > 1e-6:  # Less is the rounding of floating point numbers.
                if key in self._full_at:
                    self._full_at.move_to_end(key)
                raise TooFast(self._reason, max(1, math.ceil(over)))
            self._full_at[key] = full_at
            self._full_at.move_to_end(key)
            if len(self._full_at) > REMEMBERED:
                self._full_at.popitem(last=False)


class Limits:
    """The limits of this chat; all of them are lifted together for load tests."""

    def __init__(self, on: bool) -> None:
        self.on = on
        self._posting = Bucket(5, 60, "You are sending faster than this chat takes it. Wait a moment.")
        self._joining = Bucket(1, 60, "Too many people are joining from your network at once. Wait a moment.")

    def posting(self, person_id: int) -> None:
        """Count a message that somebody sends. Raises :class:`TooFast`."""
        if self.on:
            self._posting.take(person_id)

    def joining(self, address: str | None) -> None:
        """Count a sign-in from a network address. Raises :class:`TooFast`."""
        if self.on:
            self._joining.take(network(address))


def network(address: str | None) -> str:
    """What counts as one network: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
