"""How far a long work has got: a bar on a terminal, elsewhere a line now and then."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from typing import Any, Self, TextIO

import click

from .rows import Chunks, Row

NOW_AND_THEN = 5.0
"""Seconds between two lines where there is no terminal."""


class Progress:
    """Says on standard error how many of ``total`` rows went through; ``doing`` and ``done`` are what to call it."""

    def __init__(self, doing: str, done: str, total: int, stream: TextIO | None = None) -> None:
        self._doing, self._done, self._total = doing, done, total
        self._stream = stream or sys.stderr
        self._rows = 0
        self._began = self._said = time.monotonic()
        self._bar: Any = None

    def __enter__(self) -> Self:
        if self._stream.isatty():
            self._bar = click.progressbar(
                length=self._total,
                label=self._doing,
                show_pos=True,
                item_show_func=lambda _: f"{self._rate:,.0f} rows a second",
                file=self._stream,
            )
            self._bar.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        if self._bar is not None:
            self._bar.__exit__(kind, *rest)
        elif kind is None:
            seconds = time.monotonic() - self._began
            self._say(f"{self._done} {self._rows:,} rows in {seconds:.1f} s, {self._rate:,.0f} a second.")

    def through(self, chunks: Chunks) -> Iterator[list[Row]]:
        """Hand rows on, and count them when the next ones are asked for."""
        for rows in chunks:
            yield rows
            self._rows += len(rows)
            if self._bar is not None:
                self._bar.update(len(rows))
            elif time.monotonic() - self._said > NOW_AND_THEN:
                self._said = time.monotonic()
                left = max(self._total - self._rows, 0) / self._rate
                self._say(
                    f"{self._doing}: {self._rows:,} of {self._total:,} rows, {self._rate:,.0f} a second, "
                    f"{left:.0f} s left."
                )

    @property
    def _rate(self) -> float:
        return self._rows / max(time.monotonic() - self._began, 0.001)

    def _say(self, line: str) -> None:
        click.echo(line, file=self._stream)
