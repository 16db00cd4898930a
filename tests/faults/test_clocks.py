"""Clocks are wrong, and jump: the order of messages, sessions and limits does not depend on them."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from .. import setups
from ..engines import Postgres, Redis
from ..servers import ChatServer, serving
from .clients import PollReader, StreamReader, cursor, history, program, say, token_of, with_token, within
from .hooks import Clock

HOUR, DAY = 3600.0, 86_400.0


@pytest.fixture
def clock(tmp_path: Path) -> Clock:
    return Clock(tmp_path)


@pytest.fixture
def clocked(tmp_path: Path, clock: Clock) -> Iterator[ChatServer]:
    """A chat as people have it, with its limits on."""
    with serving(tmp_path / "data", clock.before) as server:
        yield server


def test_a_clock_set_back_by_an_hour_changes_no_order_and_signs_nobody_out(
    clocked: ChatServer, clock: Clock, closing_later: ExitStack
) -> None:
    bob = closing_later.enter_context(program(clocked, "Bob"))
    ann = closing_later.enter_context(_browser(clocked, "Ann"))
    readers = [kind(clocked, token_of(bob), cursor(bob)) for kind in (StreamReader, PollReader)]
    for reader in readers:
        reader.start()
    expected = []

    def talk(when: str) -> None:
        for number in range(3):
            expected.append(f"{when} {number}")
            sent = ann.post("/rooms/lobby/messages", data={"message": expected[-1]})
            assert (sent.status_code, sent.headers["location"]) == (303, "/rooms/lobby"), f"{when}: Ann is signed out"
            expected.append(f"{when} {number}, answered")
            assert say(bob, expected[-1]).status_code == 201, f"{when}: Bob is signed out"

    talk("at first")
    clock.set(-HOUR)
    talk("an hour back")
    clocked.restart()
    talk("an hour back, after a restart")
    clock.set(+HOUR)
    talk("an hour ahead")
    clock.set(-HOUR)
    clocked.restart()
    talk("an hour back again")

    kept = history(bob)
    assert [message["text"] for message in kept] == expected
    times = [message["created_at"] for message in kept]
    assert times != sorted(times), "the clock was never set back"
    for reader in readers:
        reader.wait_for(kept[-1]["id"])
        reader.finish()
        assert reader.messages == kept
    page = ann.get("/rooms/lobby").text
    assert [page.index(f">{text}<") for text in expected] == sorted(page.index(f">{text}<") for text in expected)


def test_a_node_whose_clock_is_wrong_by_an_hour_changes_no_order_and_signs_nobody_out(
    postgres: Postgres, redis: Redis, tmp_path: Path, clock: Clock, closing_later: ExitStack
) -> None:
    with setups.two(tmp_path, postgres, redis.url, before=(clock.before, "")) as set_up:
        wrong, right = set_up.nodes
        bob = closing_later.enter_context(program(right, "Bob"))
        start, expected = cursor(bob), []
        readers = [StreamReader(node, token_of(bob), start) for node in set_up.nodes]
        for reader in readers:
            reader.start()
        for hour in (-HOUR, +HOUR):
            clock.set(hour)
            cleo = closing_later.enter_context(program(wrong, "Cleo" if hour < 0 else "Dora"))
            for number in range(6):
                with with_token(set_up.around(number)[0], token_of((bob, cleo)[number // 2 % 2])) as client:
                    expected.append(f"{hour} {number}")
                    assert say(client, expected[-1]).status_code == 201, f"{expected[-1]}: signed out"
        kept = history(bob)
        assert [message["text"] for message in kept] == expected
        for reader in readers:
            reader.wait_for(kept[-1]["id"])
            reader.finish()
            assert reader.messages == kept
        for node in set_up.nodes:
            with with_token(node, token_of(bob)) as client:
                page = client.get("/rooms/lobby").text
            assert [page.index(f">{text}<") for text in expected] == sorted(
                page.index(f">{text}<") for text in expected
            )


def test_limits_neither_open_nor_shut_when_the_clock_jumps(
    clocked: ChatServer, clock: Clock, closing_later: ExitStack
) -> None:
    ann = closing_later.enter_context(program(clocked, "Ann"))
    bob = closing_later.enter_context(program(clocked, "Bob"))
    answers = _until_refused(ann)
    assert answers[-1].status_code == 429
    for jump in (+HOUR, -HOUR, +300 * DAY):
        clock.set(jump)
        burst = [say(ann, "again").status_code for _ in range(30)]
        assert burst.count(429) > 10, "a jump of the clock opened the limit"
        wait = int(say(ann, "and again").headers.get("retry-after", "1"))
        assert 1 <= wait <= 60, "a jump of the clock shut the limit"
        assert say(bob, "Bob was never fast").status_code == 201


def test_a_session_that_went_unused_for_a_year_ends_cleanly_and_its_browser_may_come_back(
    clocked: ChatServer, clock: Clock, closing_later: ExitStack
) -> None:
    ann = closing_later.enter_context(_browser(clocked, "Ann"))
    bob = closing_later.enter_context(program(clocked, "Bob"))
    ann.post("/rooms/lobby/messages", data={"message": "See you next year"})
    # Whoever claims their name keeps it, however long they stay away.
    claimed = ann.post("/account/password", data={"password": "four small boats at anchor"})
    assert claimed.status_code in (200, 303), claimed.text
    clock.set(+400 * DAY)

    page = ann.get("/rooms/lobby")
    assert (page.status_code, page.headers["location"]) == (303, "/?next=/rooms/lobby")
    assert ann.get("/").status_code == 200
    late = say(bob, "Still there?")
    assert (late.status_code, late.headers["content-type"]) == (401, "application/problem+json")
    assert bob.get("/api/events").status_code == 401
    assert ann.get("/api/rooms/lobby/messages").status_code == 401
    kept = ann.post("/rooms/lobby/messages", data={"message": "Typed before I saw it"})
    assert kept.status_code == 401
    assert "Typed before I saw it" in kept.text, "what was typed is lost"

    with httpx.Client(base_url=clocked.url) as stranger:
        assert stranger.post("/", data={"username": "Ann"}).status_code == 422
    assert ann.post("/", data={"username": "Ann"}).status_code == 303
    assert "See you next year" in ann.get("/chat/Ann").text


def test_an_open_stream_ends_when_its_session_runs_out(tmp_path: Path, clock: Clock) -> None:
    hasty = f"{clock.before}\nimport flask_chat.config\nflask_chat.config.HEARTBEAT = 0.2"
    with serving(tmp_path / "data", hasty) as server, program(server, "Bob") as bob:
        stream = StreamReader(server, token_of(bob), cursor(bob))
        stream.start()
        stream.wait_open()
        clock.set(+400 * DAY)
        within(5, lambda: bool(stream.refused), "the stream of a session that ran out is ended")
        assert stream.refused[0].startswith("401")
        stream.refused.clear()
        stream.finish()


def test_somebody_who_talks_every_day_stays_signed_in_for_years(
    clocked: ChatServer, clock: Clock, closing_later: ExitStack
) -> None:
    ann = closing_later.enter_context(_browser(clocked, "Ann"))
    for days in range(200, 1001, 200):
        clock.set(days * DAY)
        sent = ann.post("/rooms/lobby/messages", data={"message": f"Day {days}"})
        assert sent.headers["location"] == "/rooms/lobby", f"signed out on day {days}"
        assert "set-cookie" in sent.headers, "the browser would forget the session"
        # The cookie's own age is by the server's clock; this browser's clock is the real one.
        assert ann.cookies.get("flask_chat")


def _browser(server: ChatServer, username: str) -> httpx.Client:
    """Signed in, and not yet opened for ``with``."""
    client = httpx.Client(base_url=server.url, timeout=20)
    answer = httpx.post(f"{server.url}/", data={"username": username})
    assert answer.status_code == 303
    client.cookies.set("flask_chat", answer.cookies["flask_chat"], domain="127.0.0.1")
    return client


def _until_refused(client: httpx.Client) -> list[httpx.Response]:
    answers = []
    until = time.monotonic() + 20
    while time.monotonic() < until:
        answers.append(say(client, "quickly"))
        if answers[-1].status_code != 201:
            break
    return answers
