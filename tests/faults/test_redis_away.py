"""Redis goes away, forgets, or is cut off while people talk on both nodes: the log brings what no hint did."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import httpx
import pytest

from .. import setups
from ..checker import Checker
from ..engines import Postgres, Redis
from ..figures import Tell
from ..proxy import BytesProxy
from ..servers import ChatServer
from ..setups import SetUp
from .clients import Poster, StreamReader, cursor, history, program, token_of, within

LATE = 2.0
"""Seconds within which the log is looked at anyway; 95 of 100 messages come sooner."""


@dataclass(frozen=True)
class Cut:
    """A chat of two nodes, the Redis between them, and the network on the way there."""

    set_up: SetUp
    redis: Redis
    network: BytesProxy


@pytest.fixture(scope="module")
def cut(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cut]:
    with Redis() as redis, BytesProxy(redis.port) as network:
        folder: Path = tmp_path_factory.mktemp("cut")
        with setups.two(folder, postgres, network.through(redis.url)) as set_up:
            yield Cut(set_up, redis, network)


@contextmanager
def stopped(cut: Cut) -> Iterator[None]:
    cut.redis.stop()
    try:
        yield
    finally:
        cut.redis.start()


@contextmanager
def flushed(cut: Cut) -> Iterator[None]:
    cut.redis.flush()
    try:
        yield
    finally:
        cut.redis.flush()


@contextmanager
def partitioned(cut: Cut) -> Iterator[None]:
    cut.network.partition()
    try:
        yield
    finally:
        cut.network.heal()


@contextmanager
def refusing(cut: Cut) -> Iterator[None]:
    """Every connection is reset, and there is nobody to connect to."""
    cut.network.refuse()
    try:
        yield
    finally:
        cut.network.heal()


FAULTS: dict[str, Callable[[Cut], AbstractContextManager[None]]] = {
    "stopped": stopped,
    "flushed": flushed,
    "partitioned": partitioned,
    "refusing": refusing,
}


def bus_is(node: ChatServer, state: str) -> bool:
    """Whether a node, which serves all the while, says that of its bus."""
    answer = httpx.get(f"{node.url}/up?full")
    assert answer.status_code == 200
    return bool(answer.json()["bus"]["state"] == state)


def said(node: ChatServer, event: str, since: int = 0) -> int:
    """How often a node wrote that line, after so many bytes of its log."""
    return node.log.read_bytes()[since:].count(f'"event":"{event}"'.encode())


@pytest.mark.parametrize("seconds", [2, pytest.param(60, marks=[pytest.mark.slow, pytest.mark.timeout(300)])])
@pytest.mark.parametrize("what", FAULTS)
def test_while_redis_is_away_posts_succeed_and_the_log_delivers_them(
    cut: Cut,
    what: str,
    seconds: int,
    closing_later: ExitStack,
    tell: Tell,
) -> None:
    nodes = cut.set_up.nodes
    name = f"{what}{seconds}"
    dora = closing_later.enter_context(program(nodes[0], f"Dora-{name}"))
    began_after = int(cut.set_up.value("SELECT max(id) FROM event"))
    start, checker = cursor(dora), Checker()
    readers = [StreamReader(node, token_of(dora), start) for node in nodes]
    # Nobody talks on the second node for a while: what one's own posts show to be missing is no proof.
    posters = [
        Poster(node, f"{who}-{name}", checker, pace=0.4) for who, node in zip(("Ann", "Bob"), nodes, strict=True)
    ]
    for thread in (*readers, posters[0]):
        thread.start()
    for reader in readers:
        reader.wait_open()
    logs = [len(node.log.read_bytes()) for node in nodes]
    away = what != "flushed"
    with FAULTS[what](cut):
        threading.Event().wait(seconds / 2)
        posters[1].start()
        threading.Event().wait(seconds / 2)
        for node in nodes:
            within(10, partial(bus_is, node, "away" if away else "up"), "each node tells how its bus is")
    for node in nodes:
        within(15, partial(bus_is, node, "up"), "Redis is back")
    for poster in posters:
        poster.finish()
    kept = [message for message in history(dora) if message["id"] > began_after]
    late = []
    for number, reader in enumerate(readers):
        reader.wait_for(kept[-1]["id"])
        reader.finish()
        checker.read(f"reader on node {number + 1}", reader.messages)
        late += reader.lateness(checker, posters[1 - number].username)
        assert not [event for event in reader.events if event["type"] == "resync"]
    late.sort()
    p95 = late[int(len(late) * 0.95)]
    tell(
        f"Redis {what} for {seconds} s: {len(kept)} messages, on the other node "
        f"p50 {late[len(late) // 2]:.2f} s, p95 {p95:.2f} s late, at most {late[-1]:.2f} s"
    )
    verdict = checker.verdict(kept)
    assert not verdict, verdict
    assert not any(poster.retries for poster in posters), "a post did not succeed"
    assert p95 < LATE
    for node, since in zip(nodes, logs, strict=True):
        assert (said(node, "bus.away", since), said(node, "bus.back", since)) == (away, away), "said once"
