"""The arithmetic of the bench: small, pure and tested."""

import math
import statistics
from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass


@dataclass(frozen=True)
class Series:
    """One figure, measured in several rounds."""

    values: tuple[float, ...]

    @classmethod
    def of(cls, values: Iterable[float]) -> "Series":
        return cls(tuple(values))

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def low(self) -> float:
        return min(self.values)

    @property
    def high(self) -> float:
        return max(self.values)


def cpu_per_delivery(busy: float, idle_share: float, seconds: float, deliveries: int) -> float:
    """Microseconds of processor time for each delivery.

    `busy` is the server's processor time in seconds while it delivered for `seconds`; `idle_share` (0 to 1) is what it
    used of its core just before, with the same readers and nothing said. Infinite when nothing was delivered.
    """
    if not deliveries:
        return float("inf")
    return max(busy - idle_share * seconds, 0.0) * 1e6 / deliveries


def kib_per_reader(before: int, after: int, readers: int) -> float:
    """KiB of memory for each reader, from the server's resident bytes without and with them."""
    return (after - before) / 1024 / readers


def percentile(values: Sequence[float], percent: float) -> float:
    """The nearest-rank percentile: the smallest value that so many per cent of all do not exceed."""
    return sorted(values)[max(math.ceil(percent / 100 * len(values)), 1) - 1]


@dataclass(frozen=True)
class Target:
    """What a figure has to reach: a bound of its own and one against the peer's, each left out by None."""

    at_most: float | None = None
    at_least: float | None = None
    share_of_peer: float | None = None
    times_peer: float | None = None

    def met(self, ours: float, peer: float | None) -> bool:
        """Whether the figure holds every bound. A bound against a peer that was not measured is not held."""
        bounds = [
            self.at_most is None or ours <= self.at_most,
            self.at_least is None or ours >= self.at_least,
            self.share_of_peer is None or (peer is not None and ours <= peer * self.share_of_peer),
            self.times_peer is None or (peer is not None and ours >= peer * self.times_peer),
        ]
        return all(bounds)

    def text(self, unit: str) -> str:
        said = []
        if self.at_most is not None:
            said.append(f"≤ {with_unit(f'{self.at_most:,g}', unit)}")
        if self.at_least is not None:
            said.append(f"≥ {with_unit(f'{self.at_least:,g}', unit)}")
        if self.share_of_peer is not None:
            share, many = self.share_of_peer, self.share_of_peer > 1
            said.append(f"≤ {share:g}× the peer's" if many else f"≤ 1/{1 / share:g} of the peer's")
        if self.times_peer is not None:
            said.append(f"≥ {self.times_peer:g}× the peer's")
        return ", ".join(said)


def with_unit(number: str, unit: str) -> str:
    """ "8.2 µs", but "5,000/s"."""
    return f"{number}{unit}" if unit.startswith("/") else f"{number} {unit}"


@dataclass(frozen=True)
class Audit:
    """What became of the acknowledged writes: how many there were, how many are not in the store, how many twice."""

    acknowledged: int
    missing: int
    repeated: int

    @property
    def clean(self) -> bool:
        return self.acknowledged > 0 and not self.missing and not self.repeated

    def __str__(self) -> str:
        if self.clean:
            return "each kept exactly once"
        return f"{self.missing:,} of {self.acknowledged:,} missing, {self.repeated:,} repeated"

    def __add__(self, other: "Audit") -> "Audit":
        return Audit(
            self.acknowledged + other.acknowledged, self.missing + other.missing, self.repeated + other.repeated
        )


def audit(acknowledged: Iterable[str], stored: Iterable[str]) -> Audit:
    """Compares the keys of the acknowledged writes with those read back.

    A write that is stored and was not acknowledged is no fault (its answer was under way at the end), but twice is.
    """
    asked, found = Counter(acknowledged), Counter(stored)
    return Audit(
        acknowledged=asked.total(),
        missing=sum(1 for key in asked if not found[key]),
        repeated=sum(count - 1 for count in found.values()),
    )
