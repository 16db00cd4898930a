"""Two nodes of one chat: they start, stop and end sessions for each other, and find each other without Redis."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, closing
from pathlib import Path

import httpx
import pytest
from alembic import command
from alembic.config import Config

from flask_chat import schema
from flask_chat.db.postgresql import PostgreSQL

from .. import setups
from ..checker import Checker
from ..engines import Postgres, Redis
from ..figures import Tell
from ..proxy import BytesProxy
from ..servers import ROOT, ChatServer, free_port
from ..setups import SetUp
from .clients import (
    PageReader,
    PollReader,
    Poster,
    Reader,
    StreamReader,
    cursor,
    history,
    program,
    say,
    token_of,
    with_token,
    within,
)

SLOWLY = [pytest.mark.slow, pytest.mark.timeout(600)]


@pytest.mark.parametrize("rounds", [2, pytest.param(25, marks=SLOWLY)])
def test_nodes_that_are_restarted_in_turn_lose_nothing_and_fail_nobody(
    two_nodes: SetUp, rounds: int, closing_later: ExitStack, tell: Tell
) -> None:
    dora = closing_later.enter_context(program(two_nodes.nodes[0], "Dora"))
    start, checker = cursor(dora), Checker()
    kinds: list[type[Reader]] = [StreamReader, StreamReader, PollReader, PollReader, PageReader]
    readers = [kind(two_nodes.around(at), token_of(dora), start) for at, kind in enumerate(kinds)]
    posters = [Poster(two_nodes.around(at), name, checker) for at, name in enumerate(("Ann", "Bob", "Cleo", "Eve"))]
    for thread in (*readers, *posters):
        thread.start()
    began = time.monotonic()
    for _ in range(rounds):
        for node in two_nodes.nodes:
            before = checker.acknowledged
            within(20, lambda before=before: checker.acknowledged > before + 40, "posts go on")  # type: ignore[misc]
            node.restart()
    took = time.monotonic() - began
    for poster in posters:
        poster.finish()
    kept = history(dora)
    late = []
    for number, reader in enumerate(readers):
        reader.wait_for(kept[-1]["id"])
        reader.finish()
        assert not [event for event in reader.events if event["type"] == "resync"]
        checker.read(f"{reader.name} {number}", reader.messages)
        late += reader.lateness(checker)
    late.sort()
    tell(
        f"{rounds} rounds of restarts in {took:.0f} s: {len(kept)} messages, "
        f"{sum(poster.retries for poster in posters)} sent again, p95 {late[int(len(late) * 0.95)]:.2f} s late"
    )
    verdict = checker.verdict(kept)
    assert not verdict, verdict
    assert two_nodes.sound()


@pytest.fixture(scope="module")
def far_apart(postgres: Postgres, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[SetUp, BytesProxy]]:
    """Two nodes, and the network between them and Redis."""
    folder: Path = tmp_path_factory.mktemp("far-apart")
    with (
        Redis() as redis,
        BytesProxy(redis.port) as network,
        setups.two(folder, postgres, network.through(redis.url)) as set_up,
    ):
        yield set_up, network


@pytest.mark.parametrize("redis_is", ["there", "away"])
def test_a_session_that_ends_on_one_node_ends_on_the_other_within_five_seconds(
    far_apart: tuple[SetUp, BytesProxy], redis_is: str, closing_later: ExitStack, tell: Tell
) -> None:
    set_up, network = far_apart
    first, second = set_up.nodes
    bob = closing_later.enter_context(program(first, f"Bob-{redis_is}"))
    ann = closing_later.enter_context(program(first, f"Ann-{redis_is}"))
    there = closing_later.enter_context(with_token(second, token_of(bob)))
    assert there.get("/api/rooms/lobby/messages").status_code == 200, "the second node knows the session"
    stream, poll = (kind(second, token_of(bob), cursor(bob)) for kind in (StreamReader, PollReader))
    others = StreamReader(second, token_of(ann), cursor(ann))
    for reader in (stream, poll, others):
        reader.start()
    stream.wait_open()
    others.wait_open()
    if redis_is == "away":
        network.partition()
    began = time.monotonic()
    assert bob.delete("/api/sessions/current").status_code == 204
    within(5, lambda: bool(stream.refused and poll.refused), "the streams of the session have ended")
    took = time.monotonic() - began
    tell(f"a session's streams on the other node ended after {took:.2f} s, Redis {redis_is}")
    secret = say(ann, "Not for Bob any more").json()
    others.wait_for(secret["id"])
    network.heal()
    for reader in (stream, poll):
        assert [each[:3] for each in reader.refused] == ["401"]
        reader.refused.clear()
        reader.finish()
        assert reader.messages == []
    others.finish()
    for method, path in (
        ("GET", "/api/events"),
        ("GET", "/api/rooms/lobby/messages"),
        ("DELETE", "/api/sessions/current"),
    ):
        assert there.request(method, path).status_code == 401
    assert say(there, "Still here?").status_code == 401


def test_two_nodes_without_redis_hear_of_each_other_by_the_log(
    postgres: Postgres, tmp_path: Path, closing_later: ExitStack, tell: Tell
) -> None:
    with setups.two(tmp_path, postgres, None) as set_up:
        first, second = set_up.nodes
        ann, bob = program(first, "Ann"), program(second, "Bob")
        closing_later.enter_context(ann), closing_later.enter_context(bob)
        reader = StreamReader(second, token_of(bob), cursor(bob))
        reader.start()
        reader.wait_open()
        late = []
        for number in range(5):
            sent = say(ann, f"Do you hear me? {number}").json()
            began = time.monotonic()
            reader.wait_for(sent["id"])
            late.append(time.monotonic() - began)
        reader.finish()
        assert reader.messages == history(bob)
        tell(f"without Redis the other node hears after {sum(late) / 5:.2f} s, {max(late):.2f} s at most")
        assert max(late) < 2.5
        # A page, and what is asked for, is never late.
        sent = say(ann, "Look now").json()
        assert history(bob)[-1] == sent
        assert f'id="message-{sent["id"]}"' in bob.get("/rooms/lobby").text


@pytest.mark.parametrize("times", [1, pytest.param(25, marks=SLOWLY)])
def test_two_nodes_that_start_at_the_same_moment_in_an_empty_database_share_it(
    postgres: Postgres, redis: Redis, tmp_path: Path, times: int
) -> None:
    for number in range(times):
        (folder := tmp_path / str(number)).mkdir()
        with setups.two(folder, postgres, redis.url) as set_up:
            first, second = set_up.nodes
            with program(first, "Ann") as ann, with_token(second, token_of(ann)) as there:
                said = [say(ann, "Here").json(), say(there, "And there").json()]
                assert history(ann) == history(there) == said
            with closing(first.client("Bob")) as bob, httpx.Client(base_url=second.url, cookies=bob.cookies) as there:
                assert there.get("/chat/Bob").status_code == 200, "one secret signs the cookies of both"
            links = {_owner_link(node) for node in set_up.nodes}
            assert len(links) == 1, "one owner's link"
            counts = "SELECT (SELECT count(*) FROM room), (SELECT count(*) FROM epoch), (SELECT count(*) FROM kept)"
            assert set_up.rows(counts) == [(1, 1, 3)]


def test_an_older_schema_is_refused_until_somebody_upgrades_it_once(
    postgres: Postgres, database_url: str, tmp_path: Path
) -> None:
    _make_old(database_url)
    environment = {"DATABASE_URL": database_url}
    with _flask_chat(tmp_path, "serve", "--host", "127.0.0.1", "--port", str(free_port()), **environment) as refused:
        told, _ = refused.communicate(timeout=30)
    assert (refused.returncode, len(told.splitlines())) == (2, 1), told
    assert "flask-chat upgrade" in told
    assert _revision(postgres, database_url) == "0001", "nothing was changed"

    with _flask_chat(tmp_path, "upgrade", **environment) as one, _flask_chat(tmp_path, "upgrade", **environment) as two:
        told_both = sorted(process.communicate(timeout=30)[0].strip() for process in (one, two))
    assert told_both == ["The database is up to date.", "The database is upgraded."]
    assert (one.returncode, two.returncode) == (0, 0)
    assert _revision(postgres, database_url) == schema.head()
    server = ChatServer(tmp_path / "data", **environment)
    try:
        server.start()
        with program(server, "Ann") as ann:
            assert say(ann, "As before").status_code == 201
    finally:
        server.stop()


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_node_that_freezes_holds_the_others_up_for_no_longer_than_the_database_lets_it(
    two_nodes: SetUp, closing_later: ExitStack, tell: Tell
) -> None:
    first, second = two_nodes.nodes
    dora = closing_later.enter_context(program(second, "Dora"))
    start, checker = cursor(dora), Checker()
    readers = [StreamReader(node, token_of(dora), start) for node in two_nodes.nodes]
    posters = [
        Poster(node, name, checker)
        for node, name in zip(two_nodes.nodes * 2, ("Ann", "Bob", "Cleo", "Eve"), strict=True)
    ]
    for thread in (*readers, *posters):
        thread.start()
    held = []
    for _ in range(6):
        before = checker.acknowledged
        within(20, lambda before=before: checker.acknowledged > before + 40, "posts go on")  # type: ignore[misc]
        os.kill(first.pid, signal.SIGSTOP)
        try:
            answered = posters[1].answered
            held.append(within(30, lambda answered=answered: posters[1].answered > answered + 1, "the other goes on"))  # type: ignore[misc]
            threading.Event().wait(11)
        finally:
            os.kill(first.pid, signal.SIGCONT)
    for poster in posters:
        poster.finish(60)
    kept = history(dora)
    for number, reader in enumerate(readers):
        reader.wait_for(kept[-1]["id"])
        reader.finish()
        checker.read(f"{reader.name} {number}", reader.messages)
    tell(f"a frozen node held the other up for {max(held):.1f} s at most, {sum(held) / 6:.1f} s on average")
    verdict = checker.verdict(kept)
    assert not verdict, verdict
    assert max(held) < 15


def _owner_link(node: ChatServer) -> str:
    return node.log.read_text().partition("/owner/")[2].split()[0]


def _make_old(url: str) -> None:
    """The schema as the first release made it."""
    backend = PostgreSQL(url)
    configuration = Config()
    configuration.set_main_option("script_location", str(schema.MIGRATIONS))
    with backend.writer.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "0001")
    backend.close()


def _revision(postgres: Postgres, url: str) -> str:
    return str(postgres.sql("SELECT version_num FROM alembic_version", database=url)[0][0])


def _flask_chat(folder: Path, *arguments: str, **environment: str) -> subprocess.Popen[str]:
    """A command of the operator's, under way."""
    return subprocess.Popen(
        [sys.executable, "-m", "flask_chat", *arguments],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "FLASK_CHAT_DATA": str(folder / "data"), **environment},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
