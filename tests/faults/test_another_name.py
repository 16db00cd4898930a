"""Two nodes, and hints that are lost: whoever is called otherwise is so on both."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_chat import opening
from flask_chat.config import Config
from flask_chat.live import watch

from ..nodes import LossyBus, Node, Sky


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, tmp_path: Path, migrated_url: str) -> Iterator[list[Node]]:
    sky = Sky()
    monkeypatch.setattr(opening, "_bus", lambda *_: LossyBus(sky))
    monkeypatch.setattr(watch, "EVERY", 0.02)
    config = Config(data=tmp_path, limits=False, database_url=migrated_url)
    nodes = [Node(config), Node(config)]
    yield nodes
    for node in nodes:
        node.stop()


def test_another_name_is_another_name_on_every_node(nodes: list[Node]) -> None:
    here, there = (node.gateway for node in nodes)
    ann = here.bearer("Ann")
    here.say("Hello", ann)
    nodes[1].level()
    assert 'data-author="Ann"' in there.get("/rooms/lobby", ann).text
    body = json.dumps({"username": "Anna"})
    answer = here.request("PATCH", "/api/people/Ann", {**ann, "content-type": "application/json"}, body)
    assert answer.status == 200
    # The page of the room is kept in memory there, and nobody has told.
    assert 'data-author="Anna"' in there.get("/rooms/lobby", ann).text
    nodes[1].level()
    assert there.say("Still me", ann)["author"] == "Anna"


def test_an_account_that_is_deleted_here_is_gone_there(nodes: list[Node]) -> None:
    here, there = (node.gateway for node in nodes)
    ann, bob = here.bearer("Ann"), there.bearer("Bob")
    here.say("Hello", ann)
    nodes[1].level()
    assert there.get("/api/people/Bob", ann).status == 200
    form = {"content-type": "application/x-www-form-urlencoded"}
    assert here.request("POST", "/account/delete", {**ann, **form}, "username=Ann&messages=erase").status == 303
    nodes[1].level()
    assert there.get("/api/people/Bob", ann).status == 401
    assert there.get("/api/people/Ann", bob).status == 404
    assert there.get("/api/rooms/lobby/messages", bob).json() == {"messages": []}
