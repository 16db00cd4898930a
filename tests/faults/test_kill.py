"""The server is killed, again and again, while people talk: nothing that was acknowledged is lost.

Where there are two nodes, they are killed in turn.
"""

from __future__ import annotations

import random
import re
import threading
import time
from contextlib import ExitStack

import httpx
import pytest

from ..checker import Checker
from ..figures import Tell
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
    token_of,
    with_token,
)

BACK = 5.0
"""Seconds to serve again. The aim is 2; a machine that tests other things meanwhile gets more."""


SLOWLY = [pytest.mark.slow, pytest.mark.timeout(1200)]


@pytest.mark.parametrize(
    ("set_up", "kills"),
    [
        ("one", 20),
        ("two", 10),
        pytest.param("one", 200, marks=SLOWLY),
        pytest.param("two", 200, marks=SLOWLY),
    ],
    indirect=["set_up"],
)
def test_nothing_acknowledged_is_lost_however_often_the_server_is_killed(
    set_up: SetUp, kills: int, closing_later: ExitStack, tell: Tell
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    checker = Checker()
    listener = closing_later.enter_context(program(set_up.nodes[0], "Dora"))
    token, start = token_of(listener), cursor(listener)
    kinds: list[type[Reader]] = [StreamReader, StreamReader, PollReader, PageReader]
    readers = [kind(set_up.around(at), token, start) for at, kind in enumerate(kinds)]
    posters = [Poster(set_up.around(at), name, checker) for at, name in enumerate(("Ann", "Bob", "Cleo"))]
    for thread in (*readers, *posters):
        thread.start()
    back: list[float] = []
    for number in range(kills):
        server = set_up.nodes[number % len(set_up.nodes)]
        _wait_for(checker, checker.acknowledged + chance.randint(1, 60))
        # A moment that no request chooses.
        threading.Event().wait(chance.random() * 0.01)
        server.kill()
        began = time.monotonic()
        server.start()
        back.append(time.monotonic() - began)
    for poster in posters:
        poster.finish()
    kept = history(listener)
    for reader in readers:
        reader.wait_for(kept[-1]["id"])
        reader.finish()
        checker.read(f"{reader.name} {id(reader)}", reader.messages)
    retries = sum(poster.retries for poster in posters)
    tell(
        f"{kills} kills, seed {seed}: {checker.acknowledged} messages acknowledged of {checker.attempted}, "
        f"{retries} retries, serving again after {sorted(back)[len(back) // 2]:.2f} s (longest {max(back):.2f} s)"
    )
    verdict = checker.verdict(kept)
    assert not verdict, f"seed {seed}: {verdict}"
    assert retries >= kills / 2, "hardly any post was under way when the server was killed"
    assert set_up.sound()
    assert max(back) < BACK
    for node in set_up.nodes:
        with with_token(node, token) as client:
            assert _page(client) == [message["id"] for message in kept][-50:]


def _wait_for(checker: Checker, acknowledged: int) -> None:
    until = time.monotonic() + 60
    while checker.acknowledged < acknowledged:
        assert time.monotonic() < until, "nothing is acknowledged any more"
        threading.Event().wait(0.005)


def _page(client: httpx.Client) -> list[int]:
    """The messages of the room's page, in the order of reading."""
    return [int(id) for id in re.findall(r'<article [^>]*data-id="(\d+)"', client.get("/rooms/lobby").text)]
