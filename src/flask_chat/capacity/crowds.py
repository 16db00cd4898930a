"""The crowds from outside: as many processes as it takes, told what to do together, their answers put together."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from .crowd import RESOLUTION


class Broken(Exception):
    """A crowd has ended by itself."""


@dataclass(frozen=True)
class Heard:
    """What the readers heard of some posts. Times in ms; ``load`` is the share of a core of the busiest crowd."""

    times: Counter[float]
    expected: int
    load: float
    refused: str

    @property
    def missing(self) -> int:
        """Deliveries that never came, or not in time."""
        return max(self.expected - self.times.total(), 0)

    def within(self, share: float) -> float:
        """The milliseconds in which this share of all deliveries, from 0 to 1, was made; infinite if it was not."""
        wanted, counted = share * self.expected, 0
        for took, count in sorted(self.times.items()):
            counted += count
            if counted >= wanted:
                return took
        return float("inf")


class Crowds:
    """Readers and posters in processes of their own."""

    def __init__(self, processes: list[subprocess.Popen[str]]) -> None:
        self._processes = processes
        self._window = 0

    def gather(self, people: int, within: float) -> tuple[int, str]:
        """Be so many readers; returns how many there are, and what stood in the way of more."""
        share, more = divmod(people, len(self._processes))
        answers = self._ask(
            [{"do": "gather", "people": share + (place < more), "within": within} for place in self._places]
        )
        return sum(each["people"] for each in answers), _first(answers, "trouble")

    def talk(self, posts: int, seconds: float, patience: float) -> Heard:
        """Have posts made at random moments of so many seconds, and wait up to ``patience`` more for the last."""
        self._window += 1
        window = f"t{self._window}"
        self._ask([{"do": "listen", "window": window, "posts": posts} for _ in self._places])
        order = {"do": "talk", "window": window, "posts": posts, "seconds": seconds, "patience": patience}
        answers = self._ask([{**order, "mine": place == 0} for place in self._places])
        times: Counter[float] = Counter()
        for answer in answers:
            for took, count in answer["times"]:
                # Rounded up: nothing took no time.
                times[round((took + 1) * RESOLUTION / 1e6, 1)] += count
        return Heard(
            times,
            sum(each["expected"] for each in answers),
            max(each["load"] for each in answers),
            _first(answers, "refused"),
        )

    def hammer(self, posters: int, seconds: float) -> tuple[float, float, str]:
        """Post without a pause; returns posts kept in a second, the busiest crowd's load, and what was refused."""
        share, more = divmod(posters, len(self._processes))
        answers = self._ask(
            [{"do": "hammer", "posters": share + (place < more), "seconds": seconds} for place in self._places]
        )
        kept = sum(each["kept"] for each in answers)
        return kept, max(each["load"] for each in answers), _first(answers, "refused")

    @property
    def _places(self) -> range:
        return range(len(self._processes))

    def _ask(self, orders: list[dict[str, Any]]) -> list[Any]:
        for process, order in zip(self._processes, orders, strict=True):
            _tell(process, order)
        return [_answer(process) for process in self._processes]


@contextmanager
def crowds(count: int, port: int, tokens: list[str]) -> Iterator[Crowds]:
    """``count`` crowds for a chat on this machine, who share its people; they are gone in the end."""
    command = [sys.executable, *(["-P"] if sys.flags.safe_path else []), "-m", "flask_chat.capacity.crowd"]
    processes: list[subprocess.Popen[str]] = []
    try:
        for number in range(count):
            processes.append(
                subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, process_group=0)
            )
            _tell(processes[-1], {"port": port, "tokens": tokens[number::count]})
        yield Crowds(processes)
    finally:
        for process in processes:
            process.kill()
            with suppress(BrokenPipeError), process:
                pass


def _tell(process: subprocess.Popen[str], order: dict[str, Any]) -> None:
    assert process.stdin is not None
    try:
        process.stdin.write(json.dumps(order) + "\n")
        process.stdin.flush()
    except BrokenPipeError:
        raise Broken from None


def _answer(process: subprocess.Popen[str]) -> Any:
    assert process.stdout is not None
    line = process.stdout.readline()
    if not line:
        raise Broken
    return json.loads(line)


def _first(answers: list[Any], name: str) -> str:
    return next((str(each[name]) for each in answers if each[name]), "")
