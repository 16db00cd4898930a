"""A session that its person ends on one node is worth nothing on another, whatever the bus has lost."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_chat import opening
from flask_chat.chat import sessions
from flask_chat.chat.errors import Taken
from flask_chat.config import Config

from ..nodes import LossyBus, Node, Sky

WITHIN = 5.0
"""Seconds in which the streams of a session that was ended must stop on every node."""


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, migrated_url: str, tmp_path: Path) -> Iterator[list[Node]]:
    """Two nodes that no hint reaches: they hear of each other by the log alone."""
    sky = Sky()
    monkeypatch.setattr(opening, "_bus", lambda *_: LossyBus(sky))
    config = Config(data=tmp_path, limits=False, database_url=migrated_url)
    opened = [Node(config), Node(config)]
    yield opened
    for node in opened:
        node.stop()


def test_a_session_that_is_revoked_on_one_node_ends_on_the_other_and_gives_up_the_name(nodes: list[Node]) -> None:
    here, there = nodes
    lost, kept = here.gateway.bearer("Ann"), here.gateway.bearer("Bob")
    token = lost["authorization"].removeprefix("Bearer ")
    (session,) = here.gateway.get("/api/sessions", lost).json()["sessions"]
    assert there.gateway.get("/api/sessions", lost).status == 200, "the second node knows the session"

    async def end_while_streaming() -> None:
        streams = [there.gateway.stream("/api/events", {**who, "accept": "text/event-stream"}) for who in (lost, kept)]
        for stream in streams:
            await stream.until(lambda stream=stream: bool(stream.body))  # type: ignore[misc]
        person = here.chat.sessions.find(token)
        assert person is not None
        await asyncio.to_thread(
            here.chat.db.write,
            lambda transaction: sessions.revoke_own(transaction, person.person.id, session["id"]),
        )
        await streams[0].until(lambda: streams[0].ended, WITHIN)
        assert not streams[1].ended, "another's stream goes on"
        await streams[1].hang_up()

    there.gateway.run(end_while_streaming())
    for node in nodes:
        assert node.gateway.get("/api/sessions", lost).status == 401
        assert node.gateway.get("/api/sessions", kept).status == 200
        assert node.gateway.post("/api/sessions", {"username": "Ann"}).status == 409
    with pytest.raises(Taken):
        there.chat.db.write(lambda transaction: sessions.begin(transaction, "Ann", [token]))
