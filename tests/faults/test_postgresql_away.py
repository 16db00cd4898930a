"""PostgreSQL goes away and comes back while people talk: what was not kept is refused, and sent again."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest

from .. import setups
from ..checker import Checker
from ..engines import Postgres, Redis
from ..figures import Tell
from ..proxy import BytesProxy
from ..setups import SetUp
from .clients import PollReader, Poster, Reader, StreamReader, cursor, history, program, say, token_of, within

BACK = 10.0
"""Seconds to take posts again. The aim is 2; a machine that tests other things meanwhile gets more."""

SLOWLY = [pytest.mark.slow, pytest.mark.timeout(600)]


@dataclass(frozen=True)
class Cut:
    """A chat of two nodes, the database under them, and the network on the first one's way there."""

    set_up: SetUp
    postgres: Postgres
    network: BytesProxy


@pytest.fixture(scope="module")
def cut(redis: Redis, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cut]:
    folder: Path = tmp_path_factory.mktemp("cut")
    with (
        Postgres() as postgres,
        BytesProxy(postgres.port) as network,
        setups.two(folder, postgres, redis.url, through=network.through) as set_up,
    ):
        yield Cut(set_up, postgres, network)


class Talk:
    """Two people talk on each node, while readers follow on both; nobody may notice but by waiting."""

    def __init__(self, cut: Cut, name: str) -> None:
        nodes = cut.set_up.nodes
        self.checker = Checker()
        self._set_up, self._pids = cut.set_up, [node.pid for node in nodes]
        self._dora = program(nodes[0], f"Dora-{name}")
        start = cursor(self._dora)
        self._after = int(start.rpartition("-")[2])
        self.readers: list[Reader] = [
            kind(cut.set_up.around(at), token_of(self._dora), start)
            for at in (0, 1)
            for kind in (StreamReader, PollReader)
        ]
        self.posters = [
            Poster(cut.set_up.around(at)[:1], f"{who}-{name}", self.checker)
            for at, who in enumerate(("Ann", "Bob", "Cleo", "Eve"))
        ]
        for thread in (*self.readers, *self.posters):
            thread.start()

    def until(self, count: Callable[[Poster], int], posters: list[Poster] | None = None, by: int = 1) -> float:
        """Wait until a count of each poster has grown; returns how long it took, in seconds."""
        before = [(poster, count(poster)) for poster in posters or self.posters]
        return within(30, lambda: all(count(poster) >= had + by for poster, had in before), "posts go on")

    def judge(self) -> list[dict[str, Any]]:
        """End it, and look whether everybody saw the same; returns what was said."""
        for poster in self.posters:
            poster.finish(60)
        kept = [message for message in history(self._dora) if message["id"] > self._after]
        for number, reader in enumerate(self.readers):
            reader.wait_for(kept[-1]["id"])
            reader.finish()
            assert not [event for event in reader.events if event["type"] == "resync"], "nobody needed to begin anew"
            self.checker.read(f"{reader.name} {number}", reader.messages)
        verdict = self.checker.verdict(kept)
        assert not verdict, verdict
        assert [node.pid for node in self._set_up.nodes] == self._pids
        assert all(node.process is not None and node.process.poll() is None for node in self._set_up.nodes)
        assert self._set_up.sound()
        self._dora.close()
        return kept


def answered(poster: Poster) -> int:
    return poster.answered


def unavailable(poster: Poster) -> int:
    return poster.unavailable


@pytest.mark.parametrize("times", [2, pytest.param(30, marks=SLOWLY)])
def test_nothing_acknowledged_is_lost_while_postgresql_stops_and_starts(cut: Cut, times: int, tell: Tell) -> None:
    talk = Talk(cut, f"stops{times}")
    back = []
    for number in range(times):
        talk.until(answered, by=20)
        # In turn: as somebody stops it who does not want to wait, and as a power cut would.
        cut.postgres.kill() if number % 2 else cut.postgres.stop()
        talk.until(unavailable)
        for node in cut.set_up.nodes:
            assert httpx.get(f"{node.url}/up").status_code == 200
            assert httpx.get(f"{node.url}/up?full").json()["database"]["state"] == "away"
            late = httpx.post(f"{node.url}/api/sessions", json={"username": "Late"})
            assert (late.status_code, late.headers.get("retry-after", "").isdigit()) == (503, True)
        cut.postgres.start()
        back.append(talk.until(answered))
    kept = talk.judge()
    tell(
        f"PostgreSQL away {times} times: {len(kept)} messages, {sum(map(unavailable, talk.posters))} refusals, "
        f"all posts taken again {max(back):.2f} s after it is back at most"
    )
    assert max(back) < BACK


@pytest.mark.parametrize("seconds", [2, pytest.param(40, marks=SLOWLY)])
def test_a_node_that_is_cut_off_from_postgresql_goes_on_where_it_was(cut: Cut, seconds: int, tell: Tell) -> None:
    talk = Talk(cut, f"cut{seconds}")
    here, there = talk.posters[::2], talk.posters[1::2]
    talk.until(answered)
    cut.network.partition()
    assert cut.network.held.wait(10)
    began = time.monotonic()
    # The first node may have had the log's lock: the database takes that away from one that says nothing.
    held = talk.until(answered, there)
    while time.monotonic() < began + seconds:
        talk.until(answered, there)
    cut.network.heal()
    back = talk.until(answered, here)
    kept = talk.judge()
    tell(
        f"one node cut off from PostgreSQL for {time.monotonic() - began:.1f} s: {len(kept)} messages, "
        f"the other went on after {held:.2f} s, it itself {back:.2f} s after the network was back"
    )
    assert held < 10
    assert back < 2 * BACK


def test_a_commit_whose_answer_never_comes_is_kept_once_and_told_to_everybody(
    cut: Cut, closing_later: ExitStack
) -> None:
    first, second = cut.set_up.nodes
    ann, bob = (closing_later.enter_context(program(first, name)) for name in ("Ann", "Bob"))
    start = cursor(bob)
    readers = [StreamReader(node, token_of(bob), start) for node in (first, second)]
    for reader in readers:
        reader.start()
    before = say(ann, "Before", "before").json()
    # Commits now wait for a standby that there is not, with everything on the disk.
    cut.postgres.sql("ALTER SYSTEM SET synchronous_standby_names = 'nobody'")
    cut.postgres.sql("SELECT pg_reload_conf()")
    answers: list[httpx.Response] = []
    sending = threading.Thread(target=lambda: answers.append(say(ann, "Kept?", "kept")))
    sending.start()
    waiting = "SELECT pid FROM pg_stat_activity WHERE wait_event = 'SyncRep'"
    within(10, lambda: bool(cut.postgres.sql(waiting)), "a commit waits")
    cut.postgres.sql(f"SELECT pg_terminate_backend(pid) FROM ({waiting}) AS waiting")
    cut.postgres.sql("ALTER SYSTEM RESET synchronous_standby_names")
    cut.postgres.sql("SELECT pg_reload_conf()")
    sending.join(30)
    assert [answer.status_code for answer in answers] == [503]
    again = say(ann, "Kept?", "kept")
    assert again.status_code == 200, "it was kept"
    last = say(ann, "After", "after").json()
    for reader in readers:
        reader.wait_for(last["id"])
        reader.finish()
        assert reader.messages == [before, again.json(), last]
