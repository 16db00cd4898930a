"""What was measured, for people: a table, the answer in a few words, a plot; and for programs."""

from __future__ import annotations

import math
import os
import platform
import time
from typing import Any

from .measure import GATHERING, POSTERS, Asked, Report, Step
from .plot import plot

_ENDS = {
    "server": "{with_more}, the server's processor is at its limit.",
    "load": "{with_more}, the load generator is at its limit: the chat may carry more.",
    "machine": "{with_more}, every core is busy, also with the load and other programs: the chat alone may carry more.",
    "waits": "{with_more}, messages wait, though no processor is at its limit: for the disk, the database or others.",
    "asked": "More were not asked for.",
    "files": "More would need more open files than this user may have: see ulimit -n.",
    "ports": "For more, this system has not enough ports.",
    "time": f"More could not connect within {GATHERING:.0f} seconds.",
    "over": "Then the time for measuring was up.",
    "died": "{with_more}, the server ended by itself: is there enough memory?",
    "broken": "{with_more}, the load generator ended by itself: is there enough memory?",
}
"""Why there is no larger crowd; any other word is what the chat answered instead of letting somebody in."""

_TOO_MANY = frozenset({"server", "load", "machine", "waits"})


def text(report: Report, *, blocks: bool) -> str:
    """The whole report; ``blocks``: the output shows more than ASCII."""
    parts = [described(report), "\n".join(table(report)), answer(report)]
    if report.kept is not None:
        parts.append(f"Posts kept in a second, from {POSTERS} connections without a pause: {report.kept:,.0f}.")
    points = [(step.people, step.p99) for step in report.steps]
    if len(points) > 1:
        parts.append("\n".join(plot(points, report.asked.within, blocks=blocks)))
    said = "\n\n".join(parts)
    return said if blocks else said.replace("≤", "<=")


def described(report: Report) -> str:
    """What was measured on what."""
    cores = os.cpu_count() or 1
    return (
        f"{report.engine}, {_count(report.workers, 'process', 'processes')} on {_count(cores, 'core', 'cores')}.\n"
        f"{_person(report.asked)}"
    )


def table(report: Report) -> list[str]:
    """A line for each crowd, under a head. CPU in percent of one core."""
    head = ["people", "messages/s", "p50 ms", "p99 ms", "CPU %", "MiB"]
    rows = [head, *(_row(step) for step in report.steps)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(head))]
    return ["  ".join(cell.rjust(width) for cell, width in zip(row, widths, strict=True)) for row in rows]


def answer(report: Report) -> str:
    """How many people this machine carries, and why not more."""
    carries, within = report.carries, f"p99 ≤ {report.asked.within:,g} ms"
    if not carries:
        smallest = report.steps[0].people if report.steps else report.asked.people or 100
        said = f"This machine does not carry {smallest:,} people at {within}."
    elif report.end in _TOO_MANY:
        said = f"This machine carries about {carries:,} people at {within}."
    else:
        said = f"This machine carries at least {carries:,} people at {within}."
    why = _ENDS.get(report.end, f"More were refused: {report.end}.")
    return f"{said}\n{why.replace('{with_more}', 'With more' if carries else 'With so many')}"


def ms(value: float) -> str:
    """Milliseconds as people read them."""
    if not math.isfinite(value):
        return "lost"
    return f"{value:.1f}" if value < 10 else f"{value:,.0f}"


def figures(report: Report) -> dict[str, Any]:
    """Everything, for programs. Times in ms; None for what was not measured, or never arrived."""
    asked = report.asked
    return {
        "date": time.strftime("%Y-%m-%d", time.gmtime()),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "engine": report.engine,
        "workers": report.workers,
        "messages_per_person_and_hour": asked.talk,
        "within_ms": asked.within,
        "seconds": asked.seconds,
        "steps": [
            {
                "people": step.people,
                "messages_per_second": step.posts,
                "p50_ms": _finite(step.p50),
                "p99_ms": _finite(step.p99),
                "server_cores": _rounded(step.cpu),
                "server_bytes": step.memory,
                "busy_share_of_machine": _rounded(step.machine),
                "load_cores": _rounded(step.load),
                "deliveries": step.deliveries,
                "missing": step.missing,
                "refused": step.refused or None,
            }
            for step in report.steps
        ],
        "carries": report.carries,
        "ended_by": report.end,
        "posts_per_second": _rounded(report.kept),
        "answer": answer(report),
    }


def _person(asked: Asked) -> str:
    said = f"Each person follows the chat live and sends {_count(asked.talk, 'message', 'messages')} an hour"
    together = 60 / asked.talk
    return f"{said}: one a minute from every {together:,.0f}." if together >= 1.5 else f"{said}."


def _row(step: Step) -> list[str]:
    return [
        f"{step.people:,}",
        f"{step.posts:.1f}",
        ms(step.p50),
        ms(step.p99),
        "-" if step.cpu is None else f"{step.cpu:.0%}".rstrip("%"),
        "-" if step.memory is None else f"{step.memory / 2**20:,.0f}",
    ]


def _count(number: float, one: str, more: str) -> str:
    return f"{number:,g} {one if number == 1 else more}"


def _finite(value: float) -> float | None:
    return value if math.isfinite(value) else None


def _rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 3)
