"""What many people cost is only told of a town that has them."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from bench import visitor
from bench.measures import people
from bench.plan import QUICK
from bench.servers import OURS, Server

PLAN = replace(QUICK, people=40, rooms=12, in_rooms=7)


def test_the_town_has_as_many_people_and_rooms_as_are_planned(tmp_path: Path) -> None:
    there = people.found(PLAN, tmp_path / "town")
    assert len(there.cookies) == len(set(there.cookies)) == PLAN.people
    with closing(sqlite3.connect(tmp_path / "town" / "chat.db")) as database:

        def members(slug: str) -> int:
            query = "SELECT count(*) FROM membership JOIN room ON room.id = room_id WHERE slug = ?"
            return int(database.execute(query, (slug,)).fetchone()[0])

        assert members(there.busy) == PLAN.people
        assert members(there.quiet) == people.POSTERS
        assert database.execute("SELECT count(*) FROM room").fetchone() == (PLAN.rooms + 1,)
        first = "SELECT count(*) FROM membership JOIN person ON person.id = person_id WHERE username = ?"
        # And the lobby, like everybody.
        assert database.execute(first, (there.names[0],)).fetchone() == (PLAN.in_rooms,)


def test_a_page_without_the_rooms_is_no_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "open_page", lambda *_: "<article>" * people.SAID + 'href="/rooms/a"')
    there = people.Town(["a=1"], ["Ann"], "busy-room", "quiet-room")
    with pytest.raises(RuntimeError, match="leads to 1 rooms, not to 7"):
        people.visits(PLAN, Server(OURS, tmp_path), there)


def test_people_who_are_not_shown_as_online_are_no_measure(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(visitor, "call", lambda *_: {"presence": "offline"})
    monkeypatch.setattr(people, "PATIENCE", 0.0)
    there = people.Town(["a=1"], ["Ann", "Bob"], "busy-room", "quiet-room")
    with pytest.raises(RuntimeError, match="not shown as online"):
        people.wait_until_online(Server(OURS, tmp_path), there)
