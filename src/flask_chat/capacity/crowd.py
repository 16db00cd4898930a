"""A crowd: people who hold an event stream open and people who post, in a process of their own.

It is told what to do by lines of JSON on its standard input, answers each with one on its standard output, and ends
when the input does. Posts carry the moment they were begun at, by a clock that all processes of a machine share, so
that every crowd knows how long each of them took to arrive, whoever made it.
"""

from __future__ import annotations

import asyncio
import errno
import gc
import json
import random
import resource
import sys
import time
from collections import Counter
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any

import uvloop

from .clients import Ear, Poster, Reader

TEXT = "We meet at seven by the old bridge. Bring something warm to drink, it will be late."

AT_ONCE = 200
"""Streams that are being opened in the same moment."""

PORTS = 20_000
"""Connections that are made from one address: a system has not many more ports for each."""

RESOLUTION = 100_000
"""Nanoseconds in which times are handed back."""


class Crowd:
    """Readers and posters of one chat. Its people are those of ``tokens``, who open several windows if need be."""

    def __init__(self, port: int, tokens: list[str]) -> None:
        self._port, self._tokens = port, tokens
        self._ear = Ear()
        self._readers: list[Reader] = []
        self._posters: list[Poster] = []
        self._chance = random.Random(1)  # noqa: S311

    async def gather(self, people: int, within: float) -> dict[str, Any]:
        """Be ``people`` readers, if they are all welcomed within so many seconds; says how many there are, and why."""
        # Those on whom the chat hung up must come anew.
        self._readers = [reader for reader in self._readers if not reader.transport.is_closing()]
        while len(self._readers) > people:
            self._readers.pop().transport.abort()
        until, trouble = time.monotonic() + within, ""
        while len(self._readers) < people and not trouble:
            have = len(self._readers)
            opening = [self._open(number) for number in range(have, min(people, have + AT_ONCE))]
            for outcome in await _all(opening, until - time.monotonic()):
                if isinstance(outcome, Reader):
                    self._readers.append(outcome)
                else:
                    trouble = _reason(outcome)
        return {"people": len(self._readers), "trouble": trouble}

    async def listen(self, window: str, posts: int) -> dict[str, Any]:
        """Count from now on what is posted in this window, which will be so many posts."""
        self._ear.listen(window, posts * len(self._readers))
        return {}

    async def talk(self, window: str, posts: int, mine: bool, seconds: float, patience: float) -> dict[str, Any]:
        """Hear ``posts`` posts, which come at random moments of so many seconds; ``mine``: this crowd makes them.

        Goes on for up to ``patience`` seconds until everybody has everything. ``times`` says how many deliveries took
        how long, in RESOLUTION; ``load`` is the share of a core that this process used.
        """
        began, worked = time.monotonic(), time.process_time()
        moments = sorted(self._chance.uniform(0, seconds) for _ in range(posts if mine else 0))
        sending = _all([self._post_at(began + moment, window) for moment in moments], seconds + patience)
        outcomes, _ = await asyncio.gather(sending, asyncio.sleep(seconds))
        with suppress(TimeoutError):
            await asyncio.wait_for(self._ear.all.wait(), began + seconds + patience - time.monotonic())
        return {
            "expected": posts * len(self._readers),
            "refused": next((_reason(each) for each in outcomes if each is not None), ""),
            "times": list(Counter(took // RESOLUTION for took in self._ear.heard).items()),
            "load": (time.process_time() - worked) / (time.monotonic() - began),
        }

    async def hammer(self, posters: int, seconds: float) -> dict[str, Any]:
        """Post over so many connections, on each anew as soon as it is answered; says how many posts were kept."""
        began, worked = time.monotonic(), time.process_time()
        kept = await _all([self._hammer(began + seconds) for _ in range(posters)], 2 * seconds + 5)
        took = time.monotonic() - began
        return {
            "kept": sum(each for each in kept if isinstance(each, int)) / took,
            "refused": next((_reason(each) for each in kept if isinstance(each, BaseException)), ""),
            "load": (time.process_time() - worked) / took,
        }

    async def _open(self, number: int) -> Reader:
        loop = asyncio.get_running_loop()
        welcomed: asyncio.Future[None] = loop.create_future()
        token = self._tokens[number % len(self._tokens)]
        transport, reader = await loop.create_connection(
            lambda: Reader(self._ear, token, welcomed),
            "127.0.0.1",
            self._port,
            local_addr=(f"127.0.0.{1 + number // PORTS}", 0) if number >= PORTS else None,
        )
        try:
            await welcomed
        except BaseException:
            transport.abort()
            raise
        return reader

    async def _post_at(self, moment: float, window: str) -> None:
        await asyncio.sleep(moment - time.monotonic())
        poster = await self._poster()
        await poster.post(self._chance.choice(self._tokens), TEXT, window)
        self._posters.append(poster)

    async def _hammer(self, until: float) -> int:
        poster, kept = await self._poster(), 0
        while time.monotonic() < until:
            await poster.post(self._chance.choice(self._tokens), TEXT, "p")
            kept += 1
        self._posters.append(poster)
        return kept

    async def _poster(self) -> Poster:
        """A connection that is free, the longest unused first; one that had trouble is never used again."""
        while self._posters:
            poster = self._posters.pop(0)
            if not poster.transport.is_closing():
                return poster
        loop = asyncio.get_running_loop()
        return (await loop.create_connection(Poster, "127.0.0.1", self._port))[1]


async def _all(doing: list[Coroutine[Any, Any, Any]], seconds: float) -> list[Any]:
    """What came of each: its result or its error, TimeoutError for what took too long."""
    tasks = [asyncio.ensure_future(each) for each in doing]
    if not tasks:
        return []
    _, late = await asyncio.wait(tasks, timeout=max(seconds, 0.0))
    for task in late:
        task.cancel()
    outcomes = await asyncio.gather(*tasks, return_exceptions=True)
    return [TimeoutError() if isinstance(each, asyncio.CancelledError) else each for each in outcomes]


def _reason(error: BaseException) -> str:
    """Why something could not be had: "time", "files", "ports", or what the chat said."""
    if isinstance(error, TimeoutError):
        return "time"
    if isinstance(error, OSError) and error.errno in (errno.EMFILE, errno.ENFILE):
        return "files"
    if isinstance(error, OSError) and error.errno == errno.EADDRNOTAVAIL:
        return "ports"
    return str(error) or type(error).__name__


def allow_connections() -> int:
    """Let this process hold as many sockets as the system grants it; returns how many."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    if soft == resource.RLIM_INFINITY or soft >= wanted:
        return wanted
    with suppress(ValueError, OSError):  # macOS has a lower limit than the one it names.
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return resource.getrlimit(resource.RLIMIT_NOFILE)[0]


async def _obey() -> None:
    orders = asyncio.StreamReader(limit=2**24)
    loop = asyncio.get_running_loop()
    await loop.connect_read_pipe(lambda: asyncio.StreamReaderProtocol(orders), sys.stdin)
    # Whoever started it may have been stopped before there was a word.
    if not (line := await orders.readline()):
        return
    crowd = Crowd(**json.loads(line))
    while line := await orders.readline():
        order = json.loads(line)
        answer = await getattr(crowd, order.pop("do"))(**order)
        print(json.dumps(answer), flush=True)


def main() -> None:
    """Be a crowd until nobody has orders any more."""
    allow_connections()
    # What it makes is short-lived or stays; looking for cycles among thousands of readers would hold them all up.
    gc.disable()
    uvloop.run(_obey())


if __name__ == "__main__":
    main()
