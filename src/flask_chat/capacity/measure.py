"""The measuring: larger and larger crowds, until messages arrive too late or something stands in the way."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field, replace

from ..config import Config
from .crowd import allow_connections
from .crowds import Broken, Crowds, crowds
from .interrupts import interrupted_once
from .place import place
from .stage import Server, populate, serving
from .usage import Usage

LASTS = 120.0
"""Seconds that the whole takes at most, or fifteen times what one crowd takes if that is more."""

LEAST = 2.0
"""Messages a second that are posted even to a few people: from fewer there is nothing to learn in so short a time."""

PATIENCE = 5.0
"""Seconds after the last post in which everybody must have everything; what comes later counts as lost."""

GATHERING = 20.0
"""Seconds in which a crowd must be there."""

POSTERS, POSTING = 64, 5.0
"""Connections that post without a pause, and for how many seconds at most."""

PEOPLE = 2_000
"""People who are signed in. A larger crowd is the same people, with several windows each."""

SPARE = 200
"""Files that a process has open besides its connections, with room to breathe."""

FULL = 0.9
"""The share of its core from which on a process is taken to be at its limit."""


@dataclass(frozen=True)
class Asked:
    """What to measure: up to how many people, how many messages each of them sends in an hour, in how many ms 99 of
    100 deliveries are to be made, and for how many seconds each crowd is measured."""

    people: int | None = None
    talk: float = 3.0
    within: float = 250.0
    seconds: float = 8.0

    @property
    def lasts(self) -> float:
        """Seconds that the whole takes at most."""
        return max(LASTS, 15 * self.seconds)


@dataclass(frozen=True)
class Step:
    """One crowd. Times in ms, infinite where deliveries were lost; ``cpu`` in cores that the server used, ``load`` in
    cores of the busiest crowd, ``machine`` the share of all cores that was busy, ``memory`` the server's bytes."""

    people: int
    posts: float
    p50: float
    p99: float
    cpu: float | None
    memory: int | None
    machine: float | None
    load: float
    deliveries: int
    missing: int
    refused: str


@dataclass
class Report:
    """What was measured. ``end`` says why there is no larger crowd; see :mod:`.report` for what each word means."""

    asked: Asked
    engine: str
    workers: int
    steps: list[Step] = field(default_factory=list)
    end: str = ""
    kept: float | None = None

    @property
    def carries(self) -> int:
        """The largest crowd to which messages came in time; 0 if none was."""
        return max((step.people for step in self.steps if step.p99 <= self.asked.within), default=0)


def measure(config: Config, asked: Asked, say: Callable[[Step], None]) -> Report:
    """Measure this machine on engines like the configured ones; ``say`` is told every step as soon as it is done.

    Raises what making and starting a throw-away chat raises, and KeyboardInterrupt; nothing of it is left then either.
    """
    count = math.ceil(config.workers / 2)  # A crowd has half as much to do for a delivery as who makes it.
    signed_in = max(min(asked.people or PEOPLE, PEOPLE), count)
    with interrupted_once() as hear_no_more, ExitStack() as stack:
        there = stack.enter_context(place(config))
        stack.callback(hear_no_more)
        tokens, version = populate(there, signed_in)
        report = Report(asked, _engine(config, version), config.workers)
        server = stack.enter_context(serving(there))
        people = stack.enter_context(crowds(count, server.port, tokens))
        # What is left by an exit is left in the opposite order: from here on nothing interrupts it.
        stack.callback(hear_no_more)
        _Measuring(report, server, people, files=min(count, config.workers) * _files(), say=say).run()
    return report


class _Measuring:
    def __init__(
        self, report: Report, server: Server, crowds: Crowds, *, files: int, say: Callable[[Step], None]
    ) -> None:
        self._report, self._asked, self._server, self._crowds = report, report.asked, server, crowds
        self._files, self._say = files, say
        self._until = time.monotonic() + self._asked.lasts

    def run(self) -> None:
        report = self._report
        try:
            report.end = self._climb()
            report.kept = self._keep()
        except Broken:
            report.end = report.end or "broken"
        if not self._server.alive():
            report.end = "died"
        report.steps.sort(key=lambda step: step.people)

    def _climb(self) -> str:
        """Measure larger and larger crowds; returns why it ended."""
        for people in sizes(self._asked.people):
            if not self._time():
                return "over"
            step, obstacle = self._step(min(people, self._files))
            if step is None:
                return obstacle
            if step.p99 > self._asked.within:
                self._between(step.people)
                return self._bottleneck(step)
            if obstacle or people > self._files:
                return obstacle or "files"
        return "asked"

    def _between(self, failed: int) -> None:
        """Measure one crowd more, between the largest that was carried and the one that was not."""
        carried = self._report.carries
        middle = between(carried, failed)
        if carried < middle < failed and self._time():
            self._step(middle, falling=True)

    def _step(self, people: int, *, falling: bool = False) -> tuple[Step | None, str]:
        """Measure a crowd, or as much of it as can be had, which must be more than before; and what was in the way.

        ``falling``: after a larger one, whose memory the server still has.
        """
        there, obstacle = self._crowds.gather(people, min(GATHERING, self._left() - self._needed()))
        if obstacle and there <= self._report.carries:
            return None, obstacle
        step = self._measure(there)
        if step.p99 > self._asked.within and self._bottleneck(step) == "waits" and self._time():
            # Nothing of ours was busy: another program may have been, for a moment.
            step = min(step, self._measure(there), key=lambda step: step.p99)
        if falling:
            step = replace(step, memory=None)
        self._report.steps.append(step)
        self._say(step)
        return step, obstacle

    def _measure(self, people: int) -> Step:
        posts = max(self._asked.talk * people / 3600, LEAST)
        count = max(round(posts * self._asked.seconds), 2)
        before = Usage.of(self._server.process.pid)
        # One message to begin with, which does not count: whoever does not get it will not get the others.
        heard = self._crowds.talk(1, 0, PATIENCE)
        if not heard.missing:
            before = Usage.of(self._server.process.pid)
            heard = self._crowds.talk(count, self._asked.seconds, PATIENCE)
        after = Usage.of(self._server.process.pid)
        return Step(
            people=people,
            posts=count / self._asked.seconds,
            p50=heard.within(0.5),
            p99=heard.within(0.99),
            cpu=after.cores(before) if after and before else None,
            memory=(after.memory or None) if after else None,
            machine=after.machine(before) if after and before else None,
            load=heard.load,
            deliveries=heard.expected,
            missing=heard.missing,
            refused=heard.refused,
        )

    def _bottleneck(self, step: Step) -> str:
        """What is at its limit with a crowd that is too large."""
        if step.cpu is not None and step.cpu >= FULL * self._report.workers:
            return "server"
        if step.load >= FULL:
            return "load"
        if step.machine is not None and step.machine >= FULL:
            return "machine"
        return "waits"

    def _keep(self) -> float | None:
        """Posts that are kept in a second when nobody listens; None if the server has not got over the crowd."""
        self._crowds.gather(1, GATHERING)
        if self._crowds.talk(1, 0, PATIENCE).missing:
            return None
        self._crowds.gather(0, GATHERING)
        kept, _, refused = self._crowds.hammer(POSTERS, min(POSTING, self._asked.seconds))
        return None if refused else kept

    def _time(self) -> bool:
        """Whether there is time for another crowd."""
        return self._left() > self._needed() + PATIENCE

    def _left(self) -> float:
        return self._until - time.monotonic()

    def _needed(self) -> float:
        """Seconds that a crowd that is there takes, with all that comes after it."""
        return self._asked.seconds + 3 * PATIENCE + POSTING


def sizes(most: int | None) -> Iterator[int]:
    """100, 300, 1,000, 3,000 and so on; at last ``most`` if that is given."""
    people = 100
    while most is None or people < most:
        yield people
        people = people * 3 if str(people)[0] == "1" else people // 3 * 10
    yield most


def between(carried: int, failed: int) -> int:
    """The number in the middle, by factors, of two digits."""
    middle = math.sqrt(carried * failed)
    if middle < 10:
        return round(middle)
    unit: int = 10 ** (math.floor(math.log10(middle)) - 1)
    return round(middle / unit) * unit


def _files() -> int:
    return allow_connections() - SPARE


def _engine(config: Config, version: str) -> str:
    name = f"PostgreSQL {version}" if config.database_url else f"SQLite {version}"
    return f"{name} and Redis" if config.database_url and config.redis_url else name
