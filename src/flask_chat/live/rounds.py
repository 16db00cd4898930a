"""The hub's work as it is watched: rounds of writing, each taking along what has arrived by then."""

from __future__ import annotations

import time
from collections.abc import Sequence
from types import TracebackType

import structlog

from ..events import Event
from ..metrics import Metrics

log = structlog.get_logger("flask_chat.live")


class Rounds:
    """Notes when events arrive, and, as a context, the round in which all that have arrived are written."""

    def __init__(self, metrics: Metrics) -> None:
        self.metrics = metrics
        self._waits_since: float | None = None
        self._since: float | None = None
        self._waiting: list[str] = []
        self._requests: list[str] = []
        self._through = 0

    def arrived(self, events: Sequence[Event]) -> None:
        """Events are to be written in the next round."""
        if self._waits_since is None:
            self._waits_since = time.perf_counter()
        self._through = events[-1].id

    def asked_by(self, requests: Sequence[str]) -> None:
        """What arrives now is what these requests have done."""
        self._waiting += requests

    def forget(self) -> None:
        """What arrived will not be written."""
        self._waits_since = None
        self._waiting = []

    def oldest(self, now: float) -> float:
        """How long the oldest event that is not written yet has been here, in seconds."""
        return max((now - since for since in (self._since, self._waits_since) if since is not None), default=0.0)

    def __enter__(self) -> None:
        self._since, self._waits_since = self._waits_since, None
        self._requests, self._waiting = self._waiting, []

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        since, self._since = self._since, None
        if since is not None and kind is None:
            seconds = time.perf_counter() - since
            self.metrics.fanned_out(seconds)
            log.debug("delivered", through=self._through, ms=round(seconds * 1000, 1), request_ids=self._requests)
