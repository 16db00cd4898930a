"""A curve in text, both axes by their logarithm: how late messages are with how many people."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from itertools import pairwise

WIDTH, HEIGHT = 56, 12
"""Characters of the drawing, without its labels."""

# By which quarters of a character are dark: 1 and 2 are above, 4 and 8 below, left before right.
_QUARTERS = " ▘▝▀▖▌▞▛▗▚▐▜▄▙▟█"

Points = Sequence[tuple[float, float]]


def plot(points: Points, limit: float, *, blocks: bool) -> list[str]:
    """Lines of a drawing of (people, ms), two at least, with a level line at ``limit``.

    What is infinite is drawn at the upper edge. ``blocks``: with block characters, else in ASCII.
    """
    known = [limit, *(ms for _, ms in points if math.isfinite(ms))]
    x = _Axis([people for people, _ in points], WIDTH)
    y = _Axis([min(known) / 1.3, max(known) * 1.3], HEIGHT)
    shown = [(people, min(ms, y.most)) for people, ms in points]
    rows = _curve(x, y, shown, blocks=blocks)
    level = y.cell(limit)
    rows[level] = [("┄" if blocks else "-") if each == " " else each for each in rows[level]]
    finite, infinite = "●▲" if blocks else "*^"
    for (people, ms), (_, true) in zip(shown, points, strict=True):
        rows[y.cell(ms)][x.cell(people)] = finite if math.isfinite(true) else infinite
    return _framed(rows, x, y, limit, [people for people, _ in points], "│└─" if blocks else "|+-")


class _Axis:
    """Puts values from the least to the most of some on so many characters."""

    def __init__(self, values: Iterable[float], size: int) -> None:
        ordered = sorted(values)
        self.least, self.most = ordered[0], ordered[-1]
        self._size = size

    def half(self, value: float) -> int:
        """The half of a character that a value falls on."""
        share = math.log(value / self.least) / math.log(self.most / self.least)
        return round(share * (2 * self._size - 1))

    def cell(self, value: float) -> int:
        """The character that a value falls on."""
        return self.half(value) // 2

    def ticks(self) -> list[float]:
        """1, 3, 10, 30 and so on, as far as the axis goes."""
        powers = range(math.floor(math.log10(self.least)), math.ceil(math.log10(self.most)) + 1)
        ticks = [digit * 10.0**power for power in powers for digit in (1, 3)]
        return [tick for tick in ticks if self.least <= tick <= self.most]


def _curve(x: _Axis, y: _Axis, points: Points, *, blocks: bool) -> list[list[str]]:
    """Rows of characters, the lowest first, in which the points are joined."""
    dark: set[tuple[int, int]] = set()
    for begin, end in pairwise([(x.half(people), y.half(ms)) for people, ms in points]):
        across, up = end[0] - begin[0], end[1] - begin[1]
        steps = max(abs(across), abs(up), 1)
        dark |= {(begin[0] + round(across * n / steps), begin[1] + round(up * n / steps)) for n in range(steps + 1)}
    return [[_character(dark, column, row, blocks=blocks) for column in range(WIDTH)] for row in range(HEIGHT)]


def _character(dark: set[tuple[int, int]], column: int, row: int, *, blocks: bool) -> str:
    corners = [(2 * column + right, 2 * row + upper) for upper in (1, 0) for right in (0, 1)]
    quarters = sum(1 << number for number, corner in enumerate(corners) if corner in dark)
    return _QUARTERS[quarters] if blocks else "." if quarters else " "


def _framed(rows: list[list[str]], x: _Axis, y: _Axis, limit: float, people: Iterable[float], edges: str) -> list[str]:
    side, corner, floor = list(edges)
    labels = {y.cell(tick): f"{tick:,g}" for tick in y.ticks()} | {y.cell(limit): f"{limit:,g}"}
    margin = max(map(len, labels.values()))
    return [
        f"{'p99 ms':>{margin}}",
        *(f"{labels.get(row, ''):>{margin}} {side}{''.join(rows[row])}".rstrip() for row in reversed(range(HEIGHT))),
        f"{'':>{margin}} {corner}{floor * WIDTH}",
        f"{'':>{margin}}  {_scale(x, people)}",
        f"{'people':>{margin + 2 + WIDTH}}",
    ]


def _scale(x: _Axis, values: Iterable[float]) -> str:
    """The values under their places, the outer ones first, without those that there is no room for."""
    first, *inner, last = sorted(values)
    line = " " * WIDTH
    for value in (first, last, *inner):
        label = f"{value:,g}"
        start = min(max(x.cell(value) - len(label) // 2, 0), WIDTH - len(label))
        around = line[max(start - 1, 0) : start + len(label) + 1]
        if not around.strip():
            line = line[:start] + label + line[start + len(label) :]
    return line.rstrip()
