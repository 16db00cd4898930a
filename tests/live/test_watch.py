"""A log that other processes write to: what no hint told of is seen all the same."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import delete, text

from flask_chat import events
from flask_chat.chat import messages, sessions
from flask_chat.config import Config
from flask_chat.db import Database, StorageUnavailable
from flask_chat.db.postgresql import PostgreSQL
from flask_chat.events import Epochs, event
from flask_chat.http.services import Services
from flask_chat.live.hub import Hub
from flask_chat.live.watch import Watch

Scene = Callable[[Watch, Hub], Coroutine[Any, Any, None]]


@pytest.fixture
def config(config: Config, migrated_url: str) -> Config:
    return replace(config, database_url=migrated_url)


@pytest.fixture
def other(migrated_url: str) -> Iterator[Database]:
    """Another process's writer, that no bus connects with this one."""
    database = Database(PostgreSQL(migrated_url))
    database.openers.append(Epochs().begin)
    database.start()
    yield database
    database.close()


def play(chat: Services, scene: Scene) -> None:
    async def run() -> None:
        with chat.db.read() as connection:
            hub = Hub(chat.db, events.last_id(connection), heard=chat.hear, missed=chat.missed, epochs=chat.epochs)
        async with asyncio.timeout(20):
            await scene(Watch(chat.db, chat.epochs, hub), hub)

    asyncio.run(run())


def test_what_another_process_wrote_is_read(chat: Services, other: Database) -> None:
    async def scene(watch: Watch, hub: Hub) -> None:
        ann, _ = other.write(lambda transaction: sessions.begin(transaction, "Ann"))
        messages.post(other, messages.draft(ann, "lobby", "hello")).result()
        before = hub.position
        await watch.look()
        while hub.position < before + 2:
            await hub.polls.wait(5, asyncio.get_running_loop().create_future())

    play(chat, scene)


def test_an_end_of_a_session_elsewhere_is_an_end_here(chat: Services, other: Database) -> None:
    _, token = chat.db.write(lambda transaction: sessions.begin(transaction, "Ann"))
    session = chat.sessions.find(token)
    assert session is not None

    async def scene(watch: Watch, hub: Hub) -> None:
        other.write(lambda transaction: sessions.revoke(transaction, session.id))
        await watch.look()
        while chat.sessions.find(token) is not None:
            await hub.polls.wait(0.1, asyncio.get_running_loop().create_future())

    play(chat, scene)


def test_a_process_that_joins_begins_no_epoch(chat: Services, other: Database, migrated_url: str) -> None:
    other.write(lambda _: None)
    with chat.db.read() as connection:
        known = Epochs()
        known.load(connection)
    assert known.current == chat.epochs.current

    async def scene(watch: Watch, hub: Hub) -> None:
        await watch.look()
        assert known.current == chat.epochs.current

    play(chat, scene)


def test_a_log_put_in_this_ones_place_begins_an_epoch_and_the_hub_goes_back(chat: Services, other: Database) -> None:
    chat.db.write(lambda transaction: sessions.begin(transaction, "Ann"))
    chat.db.write(lambda transaction: sessions.begin(transaction, "Bob"))
    before, cursor = chat.epochs.current, chat.epochs.cursor(2)

    async def scene(watch: Watch, hub: Hub) -> None:
        assert hub.position == 2

        def restore(transaction: Any) -> None:
            transaction.connection.execute(delete(event).where(event.c.id == 2))
            # What a restored table has in common with this one: it is another file.
            transaction.connection.execute(text("ALTER TABLE event SET UNLOGGED"))
            transaction.connection.execute(text("ALTER TABLE event SET LOGGED"))

        other.write(restore)
        await watch.look()
        assert hub.position == 1
        assert chat.epochs.current != before
        assert chat.epochs.parse(cursor, 1) is None, "its holder is told to resync"
        assert chat.epochs.parse(f"{before}-1", 1) == 1

    play(chat, scene)


def test_an_epoch_that_another_process_began_is_learnt(chat: Services, other: Database) -> None:
    async def scene(watch: Watch, hub: Hub) -> None:
        def begin(transaction: Any) -> None:
            transaction.connection.execute(text("UPDATE epoch SET history = 'another'"))
            Epochs().begin(transaction)

        other.write(begin)
        chat.epochs.history = ""
        before = chat.epochs.current
        await watch.look()
        assert chat.epochs.current != before
        with chat.db.read() as connection:
            assert chat.epochs.current == events.newest_epoch(connection)

    play(chat, scene)


def test_a_database_that_does_not_answer_is_said_once_and_so_is_its_return(
    chat: Services, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    looks: list[bool] = [False, False, True, True, False]
    monkeypatch.setattr("flask_chat.live.watch.EVERY", 0.001)

    async def scene(watch: Watch, hub: Hub) -> None:
        done = asyncio.Event()

        async def look() -> None:
            if not looks:
                done.set()
            elif not looks.pop(0):
                raise StorageUnavailable

        monkeypatch.setattr(watch, "look", look)
        task = asyncio.ensure_future(watch.run())
        await done.wait()
        task.cancel()

    play(chat, scene)
    said = capsys.readouterr().out
    assert (said.count("database.away"), said.count("database.back")) == (2, 2)
