"""How often somebody may do something: token buckets on a clock that never jumps."""

from __future__ import annotations

import ipaddress
import math
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Protocol

from ..chat.errors import TooFast

REMEMBERED = 20_000
"""Buckets kept; the one that was used longest ago goes first."""


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


class Counter(Protocol):
    """What counts, for each key by itself."""

    def take(self, key: Hashable) -> None:
        """Count one. Raises :class:`TooFast` if it is one too many, which then does not count."""


class Counters(Protocol):
    """Makes counters."""

    def __call__(self, name: str, rate: float, burst: int, reason: str) -> Counter:
        """A counter; ``reason`` is what those are told who are refused."""

    def close(self) -> None:
        """Let go of what the counters need."""


class Alone:
    """Makes counters of this process alone."""

    def __call__(self, name: str, rate: float, burst: int, reason: str) -> Counter:
        """A :class:`Bucket`."""
        return Bucket(rate, burst, reason)

    def close(self) -> None:
        """Nothing to let go of."""


class Limits:
    """The limits of this chat; all of them are lifted together for load tests.

    ``make`` makes those that are counted in threads, which may wait for another machine. What the event loop counts is
    always counted by this process alone.
    """

    def __init__(self, on: bool, make: Counters | None = None) -> None:
        self.on = on
        make = make or Alone()
        self.close = make.close
        self._marking = Bucket(5, 100, "You are marking rooms as read too fast. Wait a moment.")
        self._posting = Bucket(5, 60, "You are sending faster than this chat takes it. Wait a moment.")
        self._joining = make("joining", 1, 60, "Too many people are joining from your network at once. Wait a moment.")
        self._arranging = make("arranging", 1, 60, "You are changing too much at once. Wait a moment.")
        self._creating = make("creating", 0.02, 20, "You are making rooms too fast. Wait a while.")
        self._inviting = make("inviting", 1 / 60, 20, "You are making many invitations. Wait a while.")
        self._reporting = make(
            "reporting", 1 / 60, 10, "You have reported many messages. The moderators will look at them first."
        )
        self._changing = make("changing", 0.1, 20, "You are changing your profile too often. Wait a moment.")
        self._attempts_from = make(
            "attempts_from", 0.1, 30, "Too many attempts to sign in came from your network. Wait a while."
        )
        self._attempts_as = make(
            "attempts_as", 1 / 30, 10, "Too many attempts to sign in under this name. Wait a moment."
        )

    def reporting(self, person_id: int) -> None:
        """Count a message that somebody reports. Raises :class:`TooFast`."""
        if self.on:
            self._reporting.take(person_id)

    def changing(self, person_id: int) -> None:
        """Count a change that somebody makes to their profile or name. Raises :class:`TooFast`."""
        if self.on:
            self._changing.take(person_id)

    def inviting(self, person_id: int) -> None:
        """Count an invitation that somebody makes. Raises :class:`TooFast`."""
        if self.on:
            self._inviting.take(person_id)

    def arranging(self, person_id: int) -> None:
        """Count a change to a room, or to what rooms and people are to somebody. Raises :class:`TooFast`."""
        if self.on:
            self._arranging.take(person_id)

    def creating(self, person_id: int) -> None:
        """Count a room that somebody makes. Raises :class:`TooFast`."""
        if self.on:
            self._creating.take(person_id)

    def marking(self, person_id: int) -> None:
        """Count a mark of what somebody has read. Raises :class:`TooFast`."""
        if self.on:
            self._marking.take(person_id)

    def posting(self, person_id: int) -> None:
        """Count a message that somebody sends. Raises :class:`TooFast`."""
        if self.on:
            self._posting.take(person_id)

    def joining(self, address: str | None) -> None:
        """Count a sign-in from a network address. Raises :class:`TooFast`."""
        if self.on:
            self._joining.take(network(address))

    def signing_in(self, address: str | None, key: str) -> None:
        """Count an attempt to sign in from a network address with the proof of an account. Raises :class:`TooFast`."""
        if self.on:
            self._attempts_from.take(network(address))
            self._attempts_as.take(key)


def network(address: str | None) -> str:
    """What counts as one network: an IPv4 address, or the /64 of an IPv6 address."""
    try:
        parsed = ipaddress.ip_address(address or "")
    except ValueError:
        return ""
    if parsed.version == 4:
        return str(parsed)
    return str(parsed.ipv4_mapped or ipaddress.ip_network((parsed, 64), strict=False))
