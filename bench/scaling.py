"""What a chat costs from a hundred people to a million: measured where one machine reaches, calculated beyond.

`bin/bench` writes it into docs/scaling.md when it has measured what goes into the arithmetic.
"""

import math
import re
from dataclasses import dataclass
from typing import Any

BEGIN, END = "<!-- cost:begin -->", "<!-- cost:end -->"

CROWDS = (100, 1_000, 10_000, 100_000, 1_000_000)
TALK = 3  # messages of each person an hour, as `flask-chat capacity` has it
ROOM = 100  # people in a room, where they are not all in one
FULL = 0.5  # of a core is as much as is planned with: the rest is for pages, bursts and those who come back
READERS = 10_000  # streams of one process: as many as the idle measure has


NEEDED = frozenset({"node-posts", "node-fanout", "idle-readers"})
"""The measures that go into it."""


@dataclass(frozen=True)
class Costs:
    """What one thing costs: µs of CPU, KiB of memory; ``posts`` is how many a second one log takes."""

    delivery: float
    reader: float
    post: float
    posts: float


def costs(results: dict[str, Any]) -> Costs:
    measured = {each["key"]: each["flask_chat"]["median"] for each in results["measures"]}
    posts = measured["node-posts"]
    return Costs(measured["node-fanout"], measured["idle-readers"], 1_000_000 / posts, posts)


def table(cost: Costs) -> str:
    """One line a crowd, for one room of all, and for rooms of a hundred."""
    lines = [
        (
            "| people | messages/s | deliveries/s, one room | cores for it | deliveries/s, rooms of 100 | cores for it "
            "| memory for readers | processes |"
        ),
        "|--:|--:|--:|--:|--:|--:|--:|--:|",
    ]
    for people in CROWDS:
        messages = people * TALK / 3600
        together, apart = messages * people, messages * min(people, ROOM)
        processes = max(math.ceil(cores(cost, messages, apart) / FULL), math.ceil(people / READERS))
        lines.append(
            f"| {people:,} | {number(messages)} | {number(together)} | {number(cores(cost, messages, together))} "
            f"| {number(apart)} | {number(cores(cost, messages, apart))} "
            f"| {memory(people * cost.reader)} | {processes:,} |"
        )
    return "\n".join(lines)


def cores(cost: Costs, messages: float, deliveries: float) -> float:
    return (deliveries * cost.delivery + messages * cost.post) / 1_000_000


def number(value: float) -> str:
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.2f}"


def memory(kib: float) -> str:
    for unit in ("KiB", "MiB", "GiB"):
        if kib < 1024:
            return f"{number(kib)} {unit}"
        kib /= 1024
    return f"{number(kib)} TiB"


def written(page: str, results: dict[str, Any]) -> str:
    """The page with the figures of a run between its marks."""
    cost = costs(results)
    said = (
        f"A delivery costs {number(cost.delivery)} µs, a reader {number(cost.reader)} KiB, "
        f"a post {number(cost.post)} µs; "
        f"one log takes {number(cost.posts)} posts a second "
        f"([measured](performance.md) on PostgreSQL and Redis, on a core of {results['machine']['cpu']})."
    )
    found = f"{BEGIN}\n\n{said}\n\n{table(cost)}\n\n{END}"
    return re.sub(f"{BEGIN}.*{END}", lambda _: found, page, flags=re.DOTALL)
