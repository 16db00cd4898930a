"""What is so for the moment, over real sockets and between nodes: typing, presence, how far one has read."""

from __future__ import annotations

import json
import threading
from contextlib import ExitStack
from typing import Any

import httpx

from ..setups import SetUp
from .clients import program, say, token_of, with_token, within


class Blocks(threading.Thread):
    """Reads a stream block by block until it is closed; ``opened`` once it has begun."""

    def __init__(self, client: httpx.Client, address: str) -> None:
        super().__init__(daemon=True)
        self.blocks: list[str] = []
        self.opened = threading.Event()
        self._client, self._address = client, address
        self._closing = threading.Event()

    def run(self) -> None:
        headers = {"accept": "text/event-stream"}
        with self._client.stream("GET", self._address, headers=headers, timeout=30) as answer:
            self.opened.set()
            block = ""
            for line in answer.iter_lines():
                if line:
                    block += line + "\n"
                else:
                    self.blocks.append(block)
                    block = ""
                if self._closing.is_set():
                    return

    def close(self) -> None:
        """Stop with the next line."""
        self._closing.set()

    @property
    def hints(self) -> list[dict[str, str]]:
        return [json.loads(each.partition("data: ")[2]) for each in self.blocks if each.startswith("event: typing\n")]

    @property
    def events(self) -> list[dict[str, Any]]:
        return [json.loads(each.partition("data: ")[2]) for each in self.blocks if each.startswith("id: ")]


def states(client: httpx.Client) -> dict[str, str]:
    found: dict[str, str] = client.get("/api/presence?people=Ann,Bob").json()["people"]
    return found


def test_nodes_tell_each_other_who_types_who_is_here_and_what_was_read(
    two_nodes: SetUp, closing_later: ExitStack
) -> None:
    here, there = two_nodes.nodes
    ann = closing_later.enter_context(program(here, "Ann"))
    bob = closing_later.enter_context(program(here, "Bob"))
    ann_there = closing_later.enter_context(with_token(there, token_of(ann)))
    bob_there = closing_later.enter_context(with_token(there, token_of(bob)))
    assert states(ann) == {"Ann": "offline", "Bob": "offline"}
    streams = [Blocks(client, "/api/events?looking=lobby") for client in (bob_there, bob, ann_there)]
    for stream in streams:
        stream.start()
        assert stream.opened.wait(10)
    at_there, at_here, anns = streams
    for client in (ann, ann_there):
        within(10, lambda client=client: states(client) == {"Ann": "online", "Bob": "online"}, "they are here")  # type: ignore[misc]
    assert ann.put("/api/presence", json={"active": False}).status_code == 204
    within(10, lambda: states(bob) == {"Ann": "away", "Bob": "online"}, "the other node says that Ann is away")

    assert ann.post("/api/rooms/lobby/typing").status_code == 204
    for stream in (at_there, at_here):
        within(10, lambda stream=stream: bool(stream.hints), "a hint")  # type: ignore[misc]
        assert stream.hints == [{"room": "lobby", "username": "Ann"}]

    said = say(bob, "hello").json()["id"]
    assert ann.put("/api/rooms/lobby/read", json={"through": said}).status_code == 204
    within(10, lambda: "read.moved" in [event["type"] for event in anns.events], "the mark is told")
    assert anns.events[-1]["read_id"] == said
    assert anns.hints == [], "nobody is told that they type themselves"
    assert "read.moved" not in [event["type"] for event in at_here.events + at_there.events]
    for stream in streams:
        stream.close()
    say(bob, "goodbye")
    for stream in streams:
        stream.join(10)
        assert not stream.is_alive()
