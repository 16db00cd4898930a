"""The script of the demonstration: who says what, where, and how long ago."""

from __future__ import annotations

import random
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from .talk import TALK
from .whispers import WHISPERS

SEED = 12

_HEADING = re.compile(
    r"(?P<place>[^,:]+), (?:(?P<days>\d+) days at (?P<hour>\d\d):(?P<minute>\d\d)|(?P<ago>\d+) minutes)"
)
_LINE = re.compile(r"(?P<name>[^:]{1,32}): (?P<text>.+)")


@dataclass(frozen=True, slots=True)
class Line:
    """One message; ``place`` is the key of a room or the names of those who talk; ``at`` in milliseconds, UTC."""

    at: int
    place: str
    name: str
    text: str


def lines(now: int, seed: int = SEED) -> list[Line]:
    """Everything that is said, oldest first, so that it ends at ``now`` (milliseconds since 1970, UTC)."""
    chance = random.Random(seed)  # noqa: S311 (how long people think before they answer is no secret)
    return sorted(_said(now, chance), key=lambda line: line.at)


def _said(now: int, chance: random.Random) -> Iterator[Line]:
    for scene in f"{TALK}\n{WHISPERS}".strip().split("\n\n"):
        heading, *said = scene.strip().split("\n")
        match = _HEADING.fullmatch(heading)
        assert match is not None, heading
        at = _begins(now, match)
        for name, text in _spoken(said):
            # Somebody reads what was said, thinks, and writes; but nobody writes in times to come.
            at = min(at + chance.randint(9_000, 20_000) + chance.randint(40, 160) * min(len(text), 300), now - 5_000)
            yield Line(at, match["place"], name, text)


def _begins(now: int, heading: re.Match[str]) -> int:
    if heading["ago"]:
        return now - int(heading["ago"]) * 60_000
    today = datetime.fromtimestamp(now / 1000, UTC).astimezone()
    day = today - timedelta(days=int(heading["days"]))
    begins = day.replace(hour=int(heading["hour"]), minute=int(heading["minute"]), second=0, microsecond=0)
    return int(begins.timestamp() * 1000)


def _spoken(said: list[str]) -> Iterator[tuple[str, str]]:
    name, text = "", ""
    for line in said:
        if line.startswith("  "):
            text += "\n" + line[2:]
            continue
        if name:
            yield name, text
        match = _LINE.fullmatch(line)
        assert match is not None, line
        name, text = match["name"], match["text"]
    yield name, text
