"""The server is killed, again and again, while people talk: nothing that was acknowledged is lost."""

from __future__ import annotations

import random
import re
import threading
import time
from contextlib import ExitStack

import httpx
import pytest

from ..checker import Checker
from ..servers import ChatServer
from . import storage
from .clients import PageReader, PollReader, Poster, Reader, StreamReader, cursor, history, program, token_of

BACK = 5.0
"""Seconds to serve again. The aim is 2; a machine that tests other things meanwhile gets more."""


@pytest.mark.parametrize("kills", [20, pytest.param(200, marks=[pytest.mark.slow, pytest.mark.timeout(1200)])])
def test_nothing_acknowledged_is_lost_however_often_the_server_is_killed(
    server: ChatServer, kills: int, closing_later: ExitStack, capsys: pytest.CaptureFixture[str]
) -> None:
    seed = random.randrange(2**32)
    chance = random.Random(seed)
    checker = Checker()
    listener = closing_later.enter_context(program(server, "Dora"))
    token, start = token_of(listener), cursor(listener)
    kinds: list[type[Reader]] = [StreamReader, StreamReader, PollReader, PageReader]
    readers = [kind(server, token, start) for kind in kinds]
    posters = [Poster(server, name, checker) for name in ("Ann", "Bob", "Cleo")]
    for thread in (*readers, *posters):
        thread.start()
    back: list[float] = []
    for _ in range(kills):
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
    with capsys.disabled():
        print(
            f"\n  {kills} kills, seed {seed}: {checker.acknowledged} messages acknowledged of {checker.attempted}, "
            f"{retries} retries, serving again after {sorted(back)[len(back) // 2]:.2f} s (longest {max(back):.2f} s)"
        )
    verdict = checker.verdict(kept)
    assert not verdict, f"seed {seed}: {verdict}"
    assert retries >= kills / 2, "hardly any post was under way when the server was killed"
    assert storage.integrity(server) == "ok"
    assert max(back) < BACK
    assert _page(listener) == [message["id"] for message in kept][-50:]


def _wait_for(checker: Checker, acknowledged: int) -> None:
    until = time.monotonic() + 60
    while checker.acknowledged < acknowledged:
        assert time.monotonic() < until, "nothing is acknowledged any more"
        threading.Event().wait(0.005)


def _page(client: httpx.Client) -> list[int]:
    """The messages of the room's page, in the order of reading."""
    return [int(id) for id in re.findall(r'<article [^>]*data-id="(\d+)"', client.get("/rooms/lobby").text)]
