"""What the one who runs a chat wants to see at a glance, counted for Prometheus. Nobody's words, nobody's name."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import NamedTuple

from . import config

DIRECTORY = "PROMETHEUS_MULTIPROC_DIR"
"""Set where several processes share a port: the folder in which they put their figures together."""

LIVE, LOG, POLL = "live", "log", "poll"
"""How an event reaches a reader: as it happens; read from the log by one who was behind; in answer to a long poll."""

KEPT, AGAIN, REFUSED, TOO_FAST, FAILED = "kept", "again", "refused", "too_fast", "failed"
"""What becomes of a message that somebody sends."""


class Levels(NamedTuple):
    """What goes up and down, as it is now. ``oldest`` is in seconds; ``database`` None where it was not asked."""

    streams: int
    catching_up: int
    polls: int
    position: int
    behind: int
    oldest: float
    bus: bool
    database: bool | None = None


class Metrics:
    """Counts nothing, at no cost: for a chat whose figures nobody may ask for. :func:`metrics` makes the right kind.

    ``together`` says that other processes answer with this one's figures, which must be noted all the time.
    """

    together = False

    def committed(self, seconds: float, events: int) -> None:
        """A commit took so long, and appended so many events. Called in the writer's thread."""

    def posted(self, outcome: str) -> None:
        """Somebody's message came to one of :data:`KEPT` to :data:`FAILED`."""

    def delivered(self, way: str, events: int) -> None:
        """So many events went out, an event to each of two readers being two. Not called for each reader."""

    def fanned_out(self, seconds: float) -> None:
        """What arrived at the hub together was written to the last live reader so long after."""

    def missed(self, events: int) -> None:
        """So many events had to be read from the log, for everybody, because no hint had brought them."""

    def answered(self, route: str, status: int, seconds: float) -> None:
        """A request was answered. ``route`` is a pattern, never an address."""

    def note(self, levels: Levels) -> None:
        """Keep what goes up and down, for the next who asks."""

    def text(self) -> bytes:
        """All figures in Prometheus' text format, those of the processes beside this one too."""
        return b""


def metrics(node: str, kinds: Mapping[str, str], *, asked: bool) -> Metrics:
    """What counts for a process. ``kinds`` names its "database" and its "bus"; ``asked`` says that somebody may ask."""
    # The library behind it is loaded only where it has something to do.
    return Counts(node, kinds) if asked else Metrics()


class Counts(Metrics):
    """Counts, in a registry of its own.

    Where :data:`DIRECTORY` is set, every process writes its figures there too, and any of them answers for all.
    """

    def __init__(self, node: str, kinds: Mapping[str, str]) -> None:
        self._folder = os.environ.get(DIRECTORY)
        self.together = self._folder is not None
        import prometheus_client
        from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

        prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]
        self.registry = of = CollectorRegistry()
        posts = Counter(
            "flask_chat_posts",
            "Messages that people and programs sent, by what came of them.",
            ["outcome"],
            registry=of,
        )
        deliveries = Counter(
            "flask_chat_deliveries", "Events written to readers, counted for each reader, by way.", ["way"], registry=of
        )
        self._posts = {each: posts.labels(each) for each in (KEPT, AGAIN, REFUSED, TOO_FAST, FAILED)}
        self._deliveries = {each: deliveries.labels(each) for each in (LIVE, LOG, POLL)}
        self._commits = Histogram(
            "flask_chat_commit_seconds", "From the beginning of a commit to its end.", buckets=_MOMENTS, registry=of
        )
        self._together = Histogram(
            "flask_chat_commit_events", "Events that one commit appended to the log.", buckets=_SIZES, registry=of
        )
        self._fan_out = Histogram(
            "flask_chat_fan_out_seconds",
            "From an event's arrival at the hub to its last write to a live reader.",
            buckets=_MOMENTS,
            registry=of,
        )
        self._missed = Counter(
            "flask_chat_hints_missed", "Events that no hint brought, and that were read from the log.", registry=of
        )
        self._requests = Histogram(
            "flask_chat_request_seconds",
            "From a request's head to the end of its answer, without those that stay open.",
            ["route", "status"],
            buckets=_WAITS,
            registry=of,
        )
        # Looking one up by its labels takes longer than counting.
        self._answers: dict[tuple[str, int], Histogram] = {}

        def level(name: str, help: str, *labels: str, mode: str = "livesum") -> Gauge:
            return Gauge(f"flask_chat_{name}", help, labels, registry=of, multiprocess_mode=mode)  # type: ignore[arg-type]

        connections = level("connections", "Streams that are open, and long polls that wait.", "kind")
        self._streams, self._polls = connections.labels("stream"), connections.labels("poll")
        self._catching_up = level("streams_catching_up", "Open streams that read the log until they are level.")
        self._position = level("log_position", "The last event that the hub has handed on.", mode="livemin")
        self._behind = level("log_behind_events", "Events that the hub knows of and has not got.", mode="livemax")
        self._oldest = level(
            "log_oldest_seconds", "How long the oldest event that was not handed on has waited.", mode="livemax"
        )
        self._bus = level("bus_up", "1 while hints get through to other processes.", "kind", mode="livemin").labels(
            kinds["bus"]
        )
        # Only the process that answers asks the database: what the others last heard of it is old.
        self._database = level(
            "database_up", "1 if the database answered just now.", "kind", mode="livemostrecent"
        ).labels(kinds["database"])
        level("info", "1 for each process.", "version", "node", mode="livemax").labels(config.VERSION, node).set(1)

    def committed(self, seconds: float, events: int) -> None:
        self._commits.observe(seconds)
        self._together.observe(events)

    def posted(self, outcome: str) -> None:
        self._posts[outcome].inc()

    def delivered(self, way: str, events: int) -> None:
        self._deliveries[way].inc(events)

    def fanned_out(self, seconds: float) -> None:
        self._fan_out.observe(seconds)

    def missed(self, events: int) -> None:
        self._missed.inc(events)

    def answered(self, route: str, status: int, seconds: float) -> None:
        key = (route, status // 100)
        answers = self._answers.get(key)
        if answers is None:
            answers = self._answers[key] = self._requests.labels(route, f"{key[1]}xx")
        answers.observe(seconds)

    def note(self, levels: Levels) -> None:
        self._streams.set(levels.streams)
        self._polls.set(levels.polls)
        self._catching_up.set(levels.catching_up)
        self._position.set(levels.position)
        self._behind.set(levels.behind)
        self._oldest.set(levels.oldest)
        self._bus.set(levels.bus)
        if levels.database is not None:
            self._database.set(levels.database)

    def text(self) -> bytes:
        from prometheus_client import CollectorRegistry, generate_latest

        registry = self.registry
        if self._folder is not None:
            from prometheus_client.multiprocess import MultiProcessCollector

            registry = CollectorRegistry()
            MultiProcessCollector(registry, self._folder)  # type: ignore[no-untyped-call]
        return generate_latest(registry)


TYPE = "text/plain; version=0.0.4; charset=utf-8"
"""The content type of :meth:`Metrics.text`."""

_MOMENTS = (0.0005, 0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10)
_WAITS = (0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 5)
_SIZES = (0, 1, 2, 5, 10, 20, 50, 100, 200, 500)
