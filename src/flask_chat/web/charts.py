"""Charts: bars drawn on the server, as the numbers that a template puts into an SVG picture."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

WIDTH, HEIGHT = 600, 150
"""The size of the picture without the labels below, in its own units."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: where it is in the picture, and what it says."""

    label: str
    value: int
    x: float
    y: float
    width: float
    height: float


@dataclass(frozen=True, slots=True)
class Chart:
    """A picture of some numbers, with the words that say the same: ``about`` in one sentence."""

    id: str
    title: str
    about: str
    column: str
    bars: tuple[Bar, ...]
    top: int


def chart(id: str, title: str, column: str, values: Sequence[tuple[str, int]], *, adds: bool = False) -> Chart:
    """The bars of labelled numbers, side by side.

    ``column`` says what the labels are, and ``adds`` that the sum of the numbers says something.
    """
    top = max([1, *(value for _, value in values)])
    room = WIDTH / max(1, len(values))
    bars = tuple(
        Bar(
            label,
            value,
            round(place * room + room * 0.15, 1),
            round(HEIGHT - _height(value, top), 1),
            round(room * 0.7, 1),
            round(_height(value, top), 1),
        )
        for place, (label, value) in enumerate(values)
    )
    label, most = max(values, key=lambda each: each[1])
    if not most:
        about = "Nothing yet."
    else:
        about = f"The most, {most:,}, {'on' if column == 'Day' else 'at'} {label}."
        if adds:
            about = f"{sum(value for _, value in values):,} in all. {about}"
    return Chart(id, title, about, column, bars, top)


def _height(value: int, top: int) -> float:
    """Something must be seen of the smallest number that is one."""
    return max(2.0, HEIGHT * value / top) if value else 0.0
