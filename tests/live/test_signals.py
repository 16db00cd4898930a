"""Signals: what is so for the moment reaches those who look, and is no event."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Coroutine
from typing import Any

import pytest
from flask import Flask

from flask_chat.chat import blocks, conversations, memberships, people, restrictions, rooms, signals
from flask_chat.chat.rooms import Room
from flask_chat.chat.signals import Resting, Typing
from flask_chat.live import announce
from flask_chat.live.signals import MOST_TYPING, Signals, frame

from ..http.gateway import Answer, Gateway, Stream, call, scope
from .readers import KITCHEN, LOBBY, Log, LogHub, Reader, a_hub, person, turns

SSE = {"accept": "text/event-stream"}


def typing(room_id: int, person_id: int = 9, slug: str = "lobby") -> bytes:
    return signals.encode(Typing(room_id, slug, person_id, "Cleo"))


def hints(stream: Stream) -> list[dict[str, str]]:
    """The hints that a stream has brought."""
    return [
        json.loads(block.partition("data: ")[2])
        for block in stream.body.decode().split("\n\n")
        if block.startswith("event: typing\n")
    ]


def test_a_hint_is_a_frame_without_a_cursor() -> None:
    assert frame(Typing(1, "lobby", 9, "Zoé")) == (
        'event: typing\ndata: {"room":"lobby","username":"Zoé"}\n\n'.encode()
    )


def test_a_signal_of_another_release_is_passed_over() -> None:
    assert signals.decode(b"\x81\xa4type\xa5later") is None
    assert signals.decode(b"hello") is None
    assert signals.decode(signals.encode(Resting(4, True))) == Resting(4, True)


Scene = Callable[[LogHub, Signals], Coroutine[Any, Any, None]]


def play(scene: Scene) -> None:
    async def run() -> None:
        async with a_hub(Log()) as hub, asyncio.timeout(10):
            await scene(hub, Signals(hub))

    asyncio.run(run())


def test_those_in_the_room_are_told_but_not_the_writer_and_not_who_does_not_look() -> None:
    async def scene(hub: LogHub, heard: Signals) -> None:
        ann = Reader(hub, audience=person(1, LOBBY))
        bob = Reader(hub, audience=person(2, KITCHEN))
        away = Reader(hub, audience=person(3, LOBBY))
        elsewhere = Reader(hub, audience=person(4, LOBBY, KITCHEN))
        await turns()
        ann.connection.looking = bob.connection.looking = None
        elsewhere.connection.looking = frozenset({"kitchen"})
        heard.receive(typing(LOBBY))
        heard.receive(typing(KITCHEN, slug="kitchen"))
        heard.receive(typing(LOBBY, person_id=1))
        await turns()
        assert [reader.text.count("event: typing") for reader in (ann, bob, away, elsewhere)] == [1, 1, 0, 1]

    play(scene)


def test_who_is_slow_never_hears_of_it_and_stays_where_they_are() -> None:
    async def scene(hub: LogHub, heard: Signals) -> None:
        ann = Reader(hub, audience=person(1, LOBBY))
        await turns()
        ann.connection.looking = None
        ann.connection.live = False
        heard.receive(typing(LOBBY))
        await turns()
        assert "typing" not in ann.text
        assert ann.connection.cursor == 0

    play(scene)


def test_a_crowd_that_writes_is_not_told_name_by_name() -> None:
    async def scene(hub: LogHub, _: Signals) -> None:
        now = [100.0]
        heard = Signals(hub, clock=lambda: now[0])
        ann = Reader(hub, audience=person(1, LOBBY))
        await turns()
        ann.connection.looking = None
        for number in range(20):
            heard.receive(typing(LOBBY, person_id=50 + number))
        await turns()
        assert ann.text.count("event: typing") == MOST_TYPING
        now[0] += 3.1
        heard.receive(typing(LOBBY))
        await turns()
        assert ann.text.count("event: typing") == MOST_TYPING + 1

    play(scene)


def attic(gateway: Gateway, *names: str) -> Room:
    """A private room of some people."""
    with gateway.chat.db.read() as connection:
        owner, *others = [people.find(connection, name) for name in names]
    made = gateway.chat.db.write(lambda transaction: rooms.create(transaction, owner, "Attic", rooms.PRIVATE))
    for other in others:
        gateway.chat.db.write(lambda transaction, other=other: memberships.add(transaction, made, other))  # type: ignore[misc]
    return made


async def post(gateway: Gateway, room: str, headers: dict[str, str]) -> Answer:
    return await call(gateway.door, scope("POST", f"/api/rooms/{room}/typing", headers))


def test_a_hint_goes_from_a_request_to_the_streams_of_the_room(gateway: Gateway) -> None:
    ann, bob, cleo = (gateway.bearer(name) for name in ("Ann", "Bob", "Cleo"))
    room = attic(gateway, "Ann", "Bob").slug

    async def scene() -> None:
        streams = {
            name: gateway.stream(f"/api/events?looking=lobby,{room}", {**SSE, **headers})
            for name, headers in {"Ann": ann, "Bob": bob, "Cleo": cleo}.items()
        }
        program = gateway.stream("/api/events", {**SSE, **bob})
        document = gateway.stream("/rooms/lobby/timeline", bob)
        for stream in (*streams.values(), program, document):
            await stream.until(lambda stream=stream: bool(stream.body))  # type: ignore[misc]
        await turns()
        before = document.body
        assert (await post(gateway, room, ann)).status == 204
        assert (await post(gateway, room, ann)).status == 204
        assert (await post(gateway, "lobby", ann)).status == 204
        await streams["Bob"].until(lambda: len(hints(streams["Bob"])) == 2)
        await turns()
        assert hints(streams["Bob"]) == [{"room": room, "username": "Ann"}, {"room": "lobby", "username": "Ann"}]
        assert hints(streams["Cleo"]) == [{"room": "lobby", "username": "Ann"}]
        assert hints(streams["Ann"]) == []
        assert hints(program) == [], "a program hears of it only if it asks"
        assert document.body == before
        for stream in (*streams.values(), program, document):
            await stream.hang_up()

    gateway.run(scene())


def test_who_is_not_in_the_room_gives_no_hint_there(gateway: Gateway) -> None:
    gateway.bearer("Ann")
    cleo = gateway.bearer("Cleo")
    room = attic(gateway, "Ann").slug
    for _ in range(2):
        assert gateway.request("POST", f"/api/rooms/{room}/typing", cleo).status == 404
    assert gateway.request("POST", "/api/rooms/nowhere/typing", cleo).status == 404
    assert gateway.request("POST", "/api/rooms/lobby/typing").status == 401


def test_who_may_not_write_gives_no_hint_that_they_do(gateway: Gateway) -> None:
    ann, bob, mallory = (gateway.bearer(name) for name in ("Ann", "Bob", "Mallory"))
    chat = gateway.chat
    told: list[bytes] = []
    with chat.db.read() as connection:
        muted, blocker, blocked = (people.find(connection, name) for name in ("Ann", "Bob", "Mallory"))
    chat.db.write(lambda transaction: restrictions.add(transaction, restrictions.MUTE, blocker, person_id=muted.id))
    talk = chat.db.write(lambda transaction: conversations.begin(transaction, blocker, ["Mallory"])).room
    chat.db.write(lambda transaction: blocks.add(transaction, blocker, blocked))
    chat.bus.subscribe_signals(told.append)
    for token, room in ((ann, "lobby"), (mallory, talk.slug), (bob, talk.slug)):
        assert gateway.request("POST", f"/api/rooms/{room}/typing", token).status == 204
    assert not told
    assert gateway.request("POST", "/api/rooms/lobby/typing", mallory).status == 204
    assert len(told) == 1


def test_a_hint_is_never_kept(gateway: Gateway) -> None:
    ann = gateway.bearer("Ann")
    cursor = gateway.get("/api/events", ann).json()["cursor"]
    gateway.request("POST", "/api/rooms/lobby/typing", ann)
    assert gateway.get("/api/events", ann).json()["cursor"] == cursor


def test_presence_follows_streams_and_what_a_browser_says(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "AT_ONCE", 0.01)
    gateway = Gateway(app)
    ann, bob = gateway.bearer("Ann"), gateway.bearer("Bob")

    async def states() -> dict[str, str]:
        answer = await call(gateway.door, scope("GET", "/api/presence?people=Ann,Bob,Nobody", bob))
        found: dict[str, str] = answer.json()["people"]
        return found

    async def until(wanted: dict[str, str]) -> None:
        for _ in range(1_000):
            if await states() == wanted:
                return
            await asyncio.sleep(0.01)
        raise AssertionError(await states())

    async def say(active: bool) -> None:
        headers = {**ann, "content-type": "application/json"}
        body = json.dumps({"active": active}).encode()
        assert (await call(gateway.door, scope("PUT", "/api/presence", headers), body)).status == 204

    async def scene() -> None:
        await until({"Ann": "offline", "Bob": "offline"})
        stream = gateway.stream("/api/events", {**SSE, **ann})
        await until({"Ann": "online", "Bob": "offline"})
        await say(False)
        await until({"Ann": "away", "Bob": "offline"})
        await say(True)
        await until({"Ann": "online", "Bob": "offline"})
        await stream.hang_up()

    gateway.run(scene())
    gateway.close()
