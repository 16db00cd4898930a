"""The figures: for who has the token, true, complete in the documents, and free where nobody may ask."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import httpx
import pytest
from prometheus_client import Metric
from prometheus_client.parser import text_string_to_metric_families as parse

from flask_chat import metrics
from flask_chat.chat.errors import TooFast
from flask_chat.config import Config
from flask_chat.db import StorageUnavailable
from flask_chat.live.figures import levels
from flask_chat.live.frames import Document
from flask_chat.metrics import Counts, Levels, Metrics

from .engines import Redis
from .http.conftest import gateway
from .http.gateway import Gateway, Stream
from .live.readers import LOBBY, Log, LogHub, Reader, a_hub, person, tell, turns
from .servers import ROOT, ChatServer, serving

__all__ = ["gateway"]

TOKEN = "a token of 27 characters"
KNOWN = {"authorization": f"Bearer {TOKEN}"}


@pytest.fixture
def config(config: Config) -> Config:
    return replace(config, metrics_token=TOKEN)


def counts() -> Counts:
    made = metrics.metrics("here-1-f00", {"database": "sqlite", "bus": "memory"}, asked=True)
    assert isinstance(made, Counts)
    return made


class Figures(dict[str, float]):
    """Every figure by its name, with its labels as Prometheus writes them; 0 for what is not there."""

    def __init__(self, text: str) -> None:
        super().__init__()
        for family in parse(text):
            for sample in family.samples:
                labels = ",".join(f'{name}="{value}"' for name, value in sample.labels.items())
                self[f"{sample.name.removeprefix('flask_chat_')}{{{labels}}}".removesuffix("{}")] = sample.value

    def __missing__(self, name: str) -> float:
        return 0.0


def figures(gateway: Gateway) -> Figures:
    answer = gateway.get("/metrics", KNOWN)
    assert answer.status == 200, answer.text
    return Figures(answer.text)


def test_they_are_for_who_has_the_token(gateway: Gateway) -> None:
    answer = gateway.get("/metrics", KNOWN)
    assert answer.headers["content-type"] == "text/plain; version=0.0.4; charset=utf-8"
    assert answer.headers["cache-control"] == "no-store"
    assert "flask_chat_info{" in answer.text
    for wrong in ({}, {"authorization": "Bearer x"}, {"authorization": TOKEN}, {"authorization": "Bearer \xe9"}):
        refused = gateway.get("/metrics", wrong)
        assert refused.status == 401
        assert refused.headers["www-authenticate"] == "Bearer"
        assert "flask_chat_" not in refused.text
    assert gateway.get("/metrics", gateway.bearer("Ann")).status == 401


def test_a_session_of_the_chat_is_no_token_and_a_token_is_no_session(gateway: Gateway) -> None:
    assert gateway.get("/api/events", KNOWN).status == 401


class TestWithoutToken:
    """Where none is set."""

    @pytest.fixture
    def config(self, tmp_path: Path) -> Config:
        return Config(data=tmp_path / "data", limits=False)

    def test_there_is_nothing_to_see_and_nothing_is_counted(self, gateway: Gateway) -> None:
        for headers in ({}, KNOWN, {"authorization": "Bearer "}, {"authorization": "Bearer None"}):
            assert gateway.get("/metrics", headers).status == 404
        assert type(gateway.chat.metrics) is Metrics
        gateway.say("hello", gateway.bearer("Ann"))


def test_what_counts_is_loaded_only_where_somebody_may_ask(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from flask_chat import asgi, create_app, server
from flask_chat.config import Config
create_app(Config(data=Path(sys.argv[1]))).extensions["flask_chat"].close()
sys.exit("prometheus_client" in sys.modules)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path / "data")], env={**os.environ, "PYTHONPATH": str(ROOT / "src")}
    )
    assert done.returncode == 0


def test_posts_are_counted_by_what_came_of_them_whatever_door_they_came_by(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    ann = gateway.bearer("Ann")
    form = {**ann, "content-type": "application/x-www-form-urlencoded"}

    def post(text: str, client_id: str | None = None) -> int:
        return gateway.post("/api/rooms/lobby/messages", {"text": text, "client_id": client_id}, ann).status

    def send(body: str) -> int:
        return gateway.request("POST", "/rooms/lobby/messages", form, body).status

    assert [post("tea", "1"), post("tea", "1"), post("coffee", "1"), post("")] == [201, 200, 409, 422]
    assert [send("message=tea"), send("message="), send("message=milk&client_id=1")] == [303, 422, 409]
    assert [send("message=more&client_id=2"), send("message=more&client_id=2")] == [303, 303]

    def too_fast(_person: int) -> None:
        raise TooFast("Wait.", 1)

    with monkeypatch.context() as patch:
        patch.setattr(gateway.chat.limits, "posting", too_fast)
        assert [post("tea"), send("message=tea")] == [429, 429]

    def fail(*_: object) -> None:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(type(gateway.chat.db), "submit_from_loop", fail)
        patch.setattr(type(gateway.chat.db), "submit", fail)
        assert [post("tea"), send("message=tea")] == [503, 503]
    seen = figures(gateway)
    outcomes = {name: seen[f'posts_total{{outcome="{name}"}}'] for name in ("kept", "again", "refused", "too_fast")}
    assert outcomes == {"kept": 3, "again": 2, "refused": 4, "too_fast": 2}
    assert seen['posts_total{outcome="failed"}'] == 2


def test_commits_are_counted_with_the_events_in_them(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    before = figures(gateway)
    gateway.say("tea", ann)
    gateway.say("coffee", ann)
    after = figures(gateway)
    assert after["commit_seconds_count"] - before["commit_seconds_count"] == 2
    assert after["commit_events_sum"] - before["commit_events_sum"] == 2
    assert 0 < after["commit_seconds_sum"] < 60


def test_deliveries_are_counted_by_the_way_they_went(gateway: Gateway) -> None:
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")
    start = gateway.get("/api/events", ann).json()["cursor"]
    gateway.say("before", ann)
    streaming = {"accept": "text/event-stream"}

    async def follow() -> list[Stream]:
        streams = [gateway.stream("/api/events", {**who, **streaming}) for who in (ann, bob)]
        streams.append(gateway.stream(f"/api/events?after={start}", {**ann, **streaming}))
        for stream in streams:
            await stream.until(lambda stream=stream: stream.body != b"")  # type: ignore[misc]
        await streams[2].until(lambda: len(streams[2].events) == 1)
        return streams

    async def hear(streams: list[Stream], count: int) -> None:
        for stream in streams:
            await stream.until(lambda stream=stream: len(stream.events) >= count)  # type: ignore[misc]

    streams = gateway.run(follow())
    seen = figures(gateway)
    assert seen['connections{kind="stream"}'] == 3
    assert seen["streams_catching_up"] == 0
    assert seen['deliveries_total{way="log"}'] == 1
    before = seen['deliveries_total{way="live"}']
    gateway.say("after", ann)
    gateway.run(hear(streams, 1))
    gateway.get(f"/api/events?after={start}", ann)
    seen = figures(gateway)
    assert seen['deliveries_total{way="live"}'] - before == 3
    assert seen['deliveries_total{way="poll"}'] == 2
    assert seen["fan_out_seconds_count"] >= 2
    for stream in streams:
        gateway.run(stream.hang_up())
    assert figures(gateway)['connections{kind="stream"}'] == 0


def test_a_poll_that_waits_is_a_connection(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    start = gateway.get("/api/events", ann).json()["cursor"]

    async def wait() -> Stream:
        stream = gateway.stream(f"/api/events?after={start}&wait=20", ann)
        assert gateway.door.hub is not None
        while not gateway.door.hub.polls:
            await turns(1)
        return stream

    stream = gateway.run(wait())
    assert figures(gateway)['connections{kind="poll"}'] == 1
    gateway.run(stream.hang_up())
    assert figures(gateway)['connections{kind="poll"}'] == 0


def test_requests_are_counted_by_route_and_outcome_and_nothing_tells_what_was_said_or_by_whom(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    gateway.say("a secret", ann)
    for address in ("/Ann/a%20secret", "/secret", "/secret/secret/secret", "/chat/Ann", "/rooms/secret"):
        gateway.get(address, ann)
    text = gateway.get("/metrics", KNOWN).text
    seen = Figures(text)
    assert seen['request_seconds_count{route="/api/rooms/{room}/messages",status="2xx"}'] == 1
    assert seen['request_seconds_count{route="/chat/<username>",status="2xx"}'] == 1
    assert seen['request_seconds_count{route="/rooms/<slug>",status="4xx"}'] == 1
    assert not re.search("secret|Ann", text)
    assert not any("events" in name for name in seen if name.startswith("request_seconds")), "that one stays open"


def test_the_database_and_the_bus_are_told_to_be_away_when_they_are(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = figures(gateway)
    assert (seen['database_up{kind="sqlite"}'], seen['bus_up{kind="memory"}']) == (1, 1)

    def away() -> None:
        raise StorageUnavailable("away")

    monkeypatch.setattr("flask_chat.live.probe.FRESH", 0)
    monkeypatch.setattr(type(gateway.chat.bus), "up", False)
    monkeypatch.setattr(gateway.chat.db, "read", away)
    seen = figures(gateway)
    assert (seen['database_up{kind="sqlite"}'], seen['bus_up{kind="memory"}']) == (0, 0)


def test_every_figure_is_in_the_documents_and_no_other() -> None:
    text = (ROOT / "docs" / "operating.md").read_text()
    documented = re.findall(r"^\| `(flask_chat_\w+)` \| (\w+) \| ([^|]*) \|", text, re.MULTILINE)
    made = counts()
    made.answered("/", 200, 0.1)
    made.note(Levels(0, 0, 0, 0, 0, 0, True, True))

    def written(family: Metric) -> tuple[str, str, str]:
        labels = {label for sample in family.samples for label in sample.labels} - {"le"}
        name = f"{family.name}_total" if family.type == "counter" else family.name
        return name, family.type, ", ".join(f"`{label}`" for label in sorted(labels))

    assert sorted(documented) == sorted(written(family) for family in made.registry.collect())


def hub_with(counts: Metrics, log: Log, scene: Callable[[LogHub], object]) -> None:
    """Run a scene with a hub that counts."""

    async def run() -> None:
        async with a_hub(log) as hub, asyncio.timeout(10):
            hub.rounds.metrics = hub.intake._metrics = counts
            await scene(hub)  # type: ignore[misc]

    asyncio.run(run())


def test_deliveries_are_counted_once_for_a_batch_however_many_read() -> None:
    calls: list[tuple[str, int]] = []

    class Noted(Metrics):
        def delivered(self, way: str, events: int) -> None:
            calls.append((way, events))

    async def scene(hub: LogHub) -> None:
        readers = [Reader(hub) for _ in range(20)]
        nowhere = Reader(hub, audience=person(2))
        page = Reader(hub, encoder=Document(LOBBY + 1, ""))
        await turns()
        slow = readers[0]
        slow.connection.live = False
        tell(hub, log.append(LOBBY, LOBBY))
        await turns()
        assert not nowhere.got
        assert not page.got
        assert calls == [("live", 19 * 2)], "who is not live, and to whom there is nothing to say, is not counted"

    log = Log()
    hub_with(Noted(), log, scene)


def test_hints_that_never_came_are_counted_and_how_long_they_have_been_missing() -> None:
    made, log = counts(), Log()

    async def scene(hub: LogHub) -> None:
        log.append(LOBBY, LOBBY)
        tell(hub, log.append(LOBBY))
        while not hub.intake.behind:
            await turns(1)
        assert hub.intake.behind == 3
        now = time.perf_counter()
        assert hub.intake.oldest(now + 7) >= 7
        while hub.intake.oldest(now):
            await turns(1)
        assert hub.intake.behind == 0

    hub_with(made, log, scene)
    assert Figures(made.text().decode())["hints_missed_total"] == 3


def test_what_waits_for_a_round_grows_old_until_it_is_written() -> None:
    made, log = counts(), Log()

    async def scene(hub: LogHub) -> None:
        reader = Reader(hub)
        await turns()
        hub.rounds.arrived(log.append(LOBBY))
        now = time.perf_counter()
        assert hub.rounds.oldest(now + 5) >= 5
        with hub.rounds:
            assert hub.rounds.oldest(now + 5) >= 5
        assert hub.rounds.oldest(now + 5) == 0
        hub.rounds.arrived(log.events)
        hub.rounds.forget()
        assert hub.rounds.oldest(now + 5) == 0
        await reader.leave()

    hub_with(made, log, scene)
    assert Figures(made.text().decode())["fan_out_seconds_count"] == 1


def test_several_processes_answer_for_all_of_them_and_not_for_the_dead(
    tmp_path: Path, migrated_url: str, redis: Redis
) -> None:
    settings = {"DATABASE_URL": migrated_url, "REDIS_URL": redis.url, "FLASK_CHAT_METRICS_TOKEN": TOKEN}
    with serving(tmp_path / "data", **settings, WEB_CONCURRENCY="2", FLASK_CHAT_LIMITS="off") as server:
        seen = settled(server, lambda seen: len(nodes(seen)) == 2)
        first, second = nodes(seen)
        with contextlib.closing(server.client("Ann")) as ann:
            for number in range(3):
                assert ann.post("/rooms/lobby/messages", data={"message": f"{number}"}).status_code == 303
            with ann.stream("GET", "/api/events", headers={"accept": "text/event-stream"}) as stream:
                parts = stream.iter_raw()
                next(parts)
                for _ in range(4):  # Whichever of the two answers.
                    seen = settled(server, lambda seen: seen['connections{kind="stream"}'] == 1)
                    assert seen['posts_total{outcome="kept"}'] == 3
                    assert seen['database_up{kind="postgresql"}'] == 1
        os.kill(int(first.split("-")[-2]), signal.SIGKILL)
        seen = settled(server, lambda seen: first not in nodes(seen) and len(nodes(seen)) == 2)
        assert second in nodes(seen)
        assert seen['posts_total{outcome="kept"}'] == 3, "what was counted stays counted"


def nodes(seen: Figures) -> list[str]:
    return re.findall(r'info{.*?node="(.+?)"', " ".join(seen))


def settled(server: ChatServer, true: Callable[[Figures], bool], seconds: float = 15) -> Figures:
    """The figures once something holds; each time over a new connection, which any process may take."""
    until = time.monotonic() + seconds
    while True:
        with contextlib.suppress(httpx.TransportError):
            seen = Figures(httpx.get(f"{server.url}/metrics", headers=KNOWN).text)
            if true(seen):
                return seen
        assert time.monotonic() < until, sorted(seen)
        time.sleep(0.05)


def test_levels_are_those_of_the_hub(gateway: Gateway) -> None:
    gateway.say("hello", gateway.bearer("Ann"))
    assert gateway.door.hub is not None
    now = levels(gateway.chat, gateway.door.hub)
    assert (now.streams, now.catching_up, now.polls, now.behind, now.bus, now.database) == (0, 0, 0, 0, True, None)
    assert now.position == gateway.door.hub.position
