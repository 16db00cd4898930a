"""``/up``: the cheapest answer there is, and in full how the chat is, for anybody who asks."""

from __future__ import annotations

import asyncio
import re
import socket
import threading
import time
from dataclasses import replace
from typing import Any

import msgspec
import pytest

from flask_chat import create_app
from flask_chat.bus.memory import MemoryBus
from flask_chat.chat.presence import Facts
from flask_chat.config import Config
from flask_chat.db import StorageUnavailable
from flask_chat.live import probe
from flask_chat.live.probe import Probe, Sign

from ..engines import Postgres
from ..http.gateway import Gateway, call, scope
from ..proxy import BytesProxy


@pytest.fixture
def asked_each_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "FRESH", 0)


def full(gateway: Gateway, status: int = 200) -> dict[str, Any]:
    answer = gateway.get("/up?full")
    assert answer.status == status, answer.text
    assert answer.headers["content-type"] == "application/json"
    assert answer.headers["cache-control"] == "no-store"
    state: dict[str, Any] = answer.json()
    return state


def test_plainly_asked_it_says_ok_and_asks_nobody(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Probe, "ask", None)
    for address in ("/up", "/up?", "/up?fuller", "/up?x=full"):
        answer = gateway.get(address)
        assert (answer.status, answer.body) == (200, b"ok\n")


@pytest.mark.parametrize("address", ["/up?full", "/up?full=", "/up?full=1", "/up?x=1&full"])
def test_asked_for_more_it_tells_how_the_chat_is(gateway: Gateway, address: str) -> None:
    ann = gateway.bearer("Ann")
    message = gateway.say("hello", ann)
    state = gateway.get(address).json()
    assert set(state) == {"status", "database", "bus", "streams", "log", "nodes"}
    assert state["status"] == "ok"
    assert (state["database"]["kind"], state["database"]["state"]) == ("sqlite", "up")
    assert 0 <= state["database"]["ms"] < 2000
    assert state["bus"] == {"kind": "memory", "state": "up"}
    assert state["streams"] == 0
    assert state["log"] == {"position": message["id"], "behind": 0}


def test_it_counts_connections_and_people_of_every_node(gateway: Gateway) -> None:
    bus = gateway.chat.bus
    assert isinstance(bus, MemoryBus)
    others = {"ip-10-1-2-3-77-abc123": Facts(3, [4, 5]), "cellar-1-0ff1ce": Facts(0, [])}
    for node, facts in others.items():
        bus._announcements.put(node, msgspec.json.encode(facts), time.monotonic())
    bus._announcements.put("of-tomorrow-2-beef00", b'{"connections":3}', time.monotonic())
    state = full(gateway)
    own = gateway.chat.node.rpartition("-")[2]
    assert state["nodes"] == {
        "abc123": {"streams": 3, "people": 2},
        "0ff1ce": {"streams": 0, "people": 0},
        own: {"streams": 0, "people": 0},
    }


def test_what_anybody_may_read_tells_no_name_no_machine_and_no_address(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    gateway.say("hello", ann)
    text = gateway.get("/up?full", {"x-forwarded-for": "192.0.2.7"}).text
    for private in ("Ann", "hello", socket.gethostname().partition(".")[0], "192.0.2", str(gateway.chat.config.data)):
        assert private not in text
    keys = {key for _, key in re.findall(r'([{,])"([^"]+)":', text)}
    assert keys >= {"streams", "people"}
    assert not keys & {"url", "path", "host", "id", "ids", "session"}


def test_a_bus_that_is_away_is_no_outage(gateway: Gateway, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(MemoryBus, "up", False)
    state = full(gateway)
    assert (state["status"], state["bus"]["state"]) == ("ok", "away")


@pytest.mark.usefixtures("asked_each_time")
def test_a_database_that_refuses_is_an_outage_until_it_does_not(
    gateway: Gateway, monkeypatch: pytest.MonkeyPatch
) -> None:
    def away() -> None:
        raise StorageUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(gateway.chat.db, "read", away)
        state = full(gateway, 503)
    assert state["status"] == "unavailable"
    assert state["database"] == {"kind": "sqlite", "state": "away", "ms": None}
    assert gateway.get("/up").status == 200
    assert full(gateway)["status"] == "ok"


@pytest.mark.usefixtures("asked_each_time")
def test_a_database_that_hangs_is_told_of_in_time_and_holds_up_nobody_else(postgres: Postgres, config: Config) -> None:
    url = postgres.create_database()
    with BytesProxy(postgres.port) as network:
        app = create_app(replace(config, database_url=network.through(url)))
        gateway = Gateway(app)
        try:
            assert full(gateway)["database"]["kind"] == "postgresql"
            network.partition()
            began = time.monotonic()

            async def ask() -> list[int]:
                asked = [call(gateway.door, scope("GET", "/up?full")) for _ in range(20)]
                plain = [call(gateway.door, scope("GET", "/up")) for _ in range(20)]
                return [answer.status for answer in await asyncio.gather(*asked, *plain)]

            assert gateway.run(ask()) == [503] * 20 + [200] * 20
            assert 1.5 < time.monotonic() - began < 4
            assert sum(thread.name == "apart" for thread in threading.enumerate()) == 1, "it is asked once for all"
            network.heal()
            until = time.monotonic() + 10
            while gateway.get("/up?full").status != 200:
                assert time.monotonic() < until
        finally:
            network.heal()
            gateway.close()
            app.extensions["flask_chat"].close()
    postgres.drop_database(url)


def test_the_database_is_asked_once_a_second_however_many_ask(gateway: Gateway) -> None:
    reads = 0
    database = gateway.chat.db

    class Counting:
        def read(self) -> Any:
            nonlocal reads
            reads += 1
            return database.read()

    async def ask() -> list[Sign]:
        probing = Probe(Counting())  # type: ignore[arg-type]
        first = await asyncio.gather(*(probing.ask() for _ in range(50)))
        return [*first, await probing.ask()]

    signs = gateway.run(ask())
    assert reads == 1
    assert all(sign.up for sign in signs)
