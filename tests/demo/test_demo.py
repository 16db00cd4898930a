"""The demonstration: believable, the same each time, and nobody's but this computer's."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import httpx
import pytest
from flask import Flask
from flask.testing import FlaskClient
from sqlalchemy import select

from flask_chat import create_app
from flask_chat.chat import messages, overview
from flask_chat.chat.messages import message
from flask_chat.chat.people import GUEST, MEMBER, MODERATOR, OWNER, person
from flask_chat.chat.rooms import DIRECT, GROUP, LOBBY, PRIVATE, PUBLIC, room
from flask_chat.config import Config
from flask_chat.demo import door, script
from flask_chat.demo.cast import CAST, PLACES, YOU
from flask_chat.demo.fill import Filled, fill
from flask_chat.http.services import Services

ROOT = Path(__file__).parents[2]
NOW = 1_795_424_000_000
DAY = 86_400_000


@pytest.fixture
def app(config: Config) -> Iterator[Flask]:
    """One of its own: it gets another door."""
    app = create_app(config)
    yield app
    app.extensions["flask_chat"].close()


@pytest.fixture
def filled(chat: Services) -> Filled:
    return fill(chat.db)


@pytest.fixture
def visitor(app: Flask, filled: Filled) -> FlaskClient:
    app.register_blueprint(door.blueprint(filled))
    return app.test_client()


def told(chat: Services) -> list[tuple[object, ...]]:
    """Everything that was said, by whom, in which room, and when."""
    said = (
        select(message.c.created_at, person.c.username, room.c.name, room.c.kind, message.c.text)
        .join(person, person.c.id == message.c.author_id)
        .join(room, room.c.id == message.c.room_id)
        .order_by(message.c.id)
    )
    with chat.db.read() as connection:
        return [tuple(row) for row in connection.execute(said)]


# What is said


def test_everybody_speaks_only_where_they_are_and_once_they_have_come() -> None:
    days = {who.name: who.days for who in CAST}
    made = {place.key: place.days for place in PLACES}
    inside = {(who.name, key) for who in CAST for key in who.rooms}
    for line in script.lines(NOW):
        if " + " in line.place:
            assert line.name in line.place.split(" + "), line
        elif line.place != LOBBY:
            assert (line.name, line.place) in inside, line
            assert NOW - line.at < (made[line.place] + 1) * DAY, line
        assert NOW - line.at < (days[line.name] + 1) * DAY, line


def test_days_of_talk_end_a_moment_ago_in_three_languages_and_all_sizes() -> None:
    said = script.lines(NOW)
    assert len({line.at // DAY for line in said}) > 7
    assert 5_000 <= NOW - max(line.at for line in said) < 60 * 60_000
    texts = [line.text for line in said]
    for word in ("Schwalbenschwanz", "Perfecto", "gutter", "https://", "height = opening", "🎉"):
        assert any(word in text for text in texts), word
    assert min(map(len, texts)) < 10
    assert max(map(len, texts)) > 250


@pytest.mark.parametrize("hour", range(0, 24, 3))
def test_whatever_the_time_nothing_is_still_to_come(hour: int) -> None:
    now = NOW + hour * 3_600_000
    assert all(line.at < now for line in script.lines(now))


# The chat


def test_one_seed_is_one_chat_and_another_seed_another(tmp_path: Path) -> None:
    chats = []
    for number, seed in enumerate((1, 1, 2)):
        app = create_app(Config(data=tmp_path / str(number)))
        with closing(app.extensions["flask_chat"]) as chat:
            fill(chat.db, seed, NOW)
            chats.append(told(chat))
    assert chats[0] == chats[1]
    assert [row[-1] for row in chats[0]] != []
    assert [row[0] for row in chats[0]] != [row[0] for row in chats[2]]
    assert sorted(str(row[-1]) for row in chats[0]) == sorted(str(row[-1]) for row in chats[2])


def test_it_is_filled_in_less_than_three_seconds(chat: Services) -> None:
    began = time.monotonic()
    fill(chat.db)
    assert time.monotonic() - began < 3


def test_there_are_people_of_every_role_and_rooms_of_every_kind(chat: Services, filled: Filled) -> None:
    with chat.db.read() as connection:
        roles = set(connection.execute(select(person.c.role)).scalars())
        kinds = set(connection.execute(select(room.c.kind)).scalars())
    assert roles == {GUEST, MEMBER, MODERATOR, OWNER}
    assert kinds == {PUBLIC, PRIVATE, DIRECT, GROUP}
    assert {who.name for who in CAST} == set(filled.people) == set(filled.tokens)
    assert len(told(chat)) == len(script.lines(NOW))


def test_you_have_read_most_of_it_and_not_all(chat: Services, filled: Filled) -> None:
    with chat.db.read() as connection:
        mine = overview.of(connection, filled.people[YOU])
    assert len(mine) > 9
    assert 3 <= sum(listed.unread > 0 for listed in mine) < len(mine) - 3
    assert max(listed.unread for listed in mine) < 10
    assert sum(listed.mentions for listed in mine) >= 1


# The door


def test_a_newcomer_chooses_who_to_be_and_is_them(visitor: FlaskClient, chat: Services, filled: Filled) -> None:
    page = visitor.get("/demo")
    assert page.status_code == 200
    for who in CAST:
        assert f'value="{who.name}"' in page.text
    assert visitor.post("/demo", data={"username": YOU}).headers["location"] == f"/rooms/{LOBBY}"
    lobby = visitor.get(f"/rooms/{LOBBY}")
    assert lobby.status_code == 200
    assert "The gutter is making a noise like a kettle" in lobby.text
    with chat.db.read() as connection:
        count = messages.count_by(connection, filled.people["Kit"])
    assert visitor.post("/demo", data={"username": "Kit"}).status_code == 303
    assert visitor.post("/rooms/lobby/messages", data={"message": "Hello"}).status_code == 303
    with chat.db.read() as connection:
        assert messages.count_by(connection, filled.people["Kit"]) == count + 1


def test_nobody_else_is_there_to_be(visitor: FlaskClient) -> None:
    for name in ("Mallory", "", "robin"):
        assert visitor.post("/demo", data={"username": name}).status_code == 404
    assert visitor.post("/demo", data={"username": YOU}, headers={"Sec-Fetch-Site": "cross-site"}).status_code == 403


def test_a_chat_that_is_no_demonstration_has_no_such_door(app: Flask) -> None:
    assert app.test_client().get("/demo").status_code == 404
    assert app.test_client().post("/demo", data={"username": YOU}).status_code in (404, 405)


# The command


@pytest.fixture
def running(tmp_path: Path) -> Iterator[tuple[subprocess.Popen[str], str]]:
    """The command in a process of its own, once it says where it is; and what it said."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FLASK_CHAT_")}
    environment |= {"PYTHONPATH": str(ROOT / "src"), "TMPDIR": str(tmp_path), "PYTHONUNBUFFERED": "1"}
    process = subprocess.Popen(
        [sys.executable, "-m", "flask_chat", "demo"], cwd=tmp_path, env=environment, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    said = ""
    for line in process.stdout:
        said += line
        if "Ctrl-C" in line:
            break
    with process:
        yield process, said
        if process.poll() is None:
            process.kill()


def test_it_says_where_it_is_serves_there_and_leaves_nothing(
    running: tuple[subprocess.Popen[str], str], tmp_path: Path
) -> None:
    process, said = running
    found = re.search(r"(http://127\.0\.0\.1:\d+)/demo", said)
    assert found, said
    with httpx.Client(base_url=found[1], follow_redirects=True) as you:
        assert you.post("/demo", data={"username": YOU}).status_code == 200
        rooms = you.get("/api/rooms").json()["rooms"]
    assert {"Woodwork", "Winter fair"} <= {each["name"] for each in rooms}
    assert len(list(tmp_path.iterdir())) == 1
    process.send_signal(signal.SIGINT)
    process.wait(20)
    assert list(tmp_path.iterdir()) == []
