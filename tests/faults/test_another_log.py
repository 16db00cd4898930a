"""PostgreSQL is started again, put back from a backup, or taken over by a copy, under nodes that go on: nobody is told
to begin anew who need not, and nobody goes on in another log."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from flask_chat import opening
from flask_chat.config import Config
from flask_chat.db import StorageUnavailable, metadata
from flask_chat.live import intake, watch

from ..engines import Postgres
from ..http.gateway import Stream
from ..nodes import LossyBus, Node, Sky

_CONNECTED = "FROM pg_stat_activity WHERE starts_with(application_name, 'flask-chat')"


@pytest.fixture
def nodes(monkeypatch: pytest.MonkeyPatch, migrated_url: str, tmp_path: Path) -> Iterator[list[Node]]:
    """Two nodes that hear of each other only when a test says so: no hint arrives, and they look when they are told."""
    monkeypatch.setattr(watch, "EVERY", 3600)
    monkeypatch.setattr(intake, "OUT_OF_ORDER", 0)
    sky = Sky()
    monkeypatch.setattr(opening, "_bus", lambda *_: LossyBus(sky))
    config = Config(data=tmp_path, limits=False, database_url=migrated_url)
    opened = [Node(config)]
    # What the second one did not see itself, it reads from the log.
    say(opened[0], opened[0].gateway.bearer("Ann"), "Long ago")
    opened.append(Node(config))
    yield opened
    for node in opened:
        node.stop()


def say(node: Node, headers: dict[str, str], text: str) -> dict[str, Any]:
    return node.gateway.say(text, headers)


def look(node: Node) -> None:
    """What a node does every second."""
    assert node.gateway.door.hub is not None
    node.gateway.run(watch.Watch(node.chat.db, node.chat.epochs, node.gateway.door.hub).look())


def start_again(postgres: Postgres, url: str, node: Node) -> None:
    """Make the database look as after a start to one node, which lost its connections; the other has not noticed."""
    postgres.sql("VACUUM FULL event", database=url)
    postgres.sql(
        f"SELECT pg_terminate_backend(pid) {_CONNECTED} AND application_name = %s", f"flask-chat {node.chat.node}"
    )
    with suppress(StorageUnavailable):
        node.last()


def told_anew(node: Node, headers: dict[str, str], cursor: str) -> bool:
    """Whether somebody who comes with a cursor is told to begin anew."""
    answer = node.gateway.get(f"/api/events?after={cursor}", headers)
    assert answer.status == 200, answer.text
    return [event["type"] for event in answer.json()["events"]] == ["resync"]


def test_what_a_page_shows_just_after_a_start_has_a_cursor_that_is_good(
    postgres: Postgres, migrated_url: str, nodes: list[Node]
) -> None:
    first, second = nodes
    bob = first.gateway.bearer("Bob")
    start_again(postgres, migrated_url, first)
    said = say(first, bob, "First of a new life")
    page = second.gateway.get("/rooms/lobby", bob).text
    assert f'data-id="{said["id"]}"' in page
    cursor = page.partition('data-cursor="')[2].partition('"')[0]
    for node in nodes:
        assert not told_anew(node, bob, cursor)


def test_who_catches_up_just_after_a_start_gets_a_cursor_that_is_good(
    postgres: Postgres, migrated_url: str, nodes: list[Node]
) -> None:
    first, second = nodes
    bob = first.gateway.bearer("Bob")
    start_again(postgres, migrated_url, first)
    said = say(first, bob, "First of a new life")
    answer = second.gateway.get("/api/events?after=0&wait=5", bob).json()
    assert answer["events"][-1]["message"] == said
    for node in nodes:
        assert not told_anew(node, bob, answer["cursor"])


def test_who_is_connected_through_a_start_goes_on(postgres: Postgres, migrated_url: str, nodes: list[Node]) -> None:
    first, second = nodes
    bob = first.gateway.bearer("Bob")
    look(second)
    second.level()
    stream = second.gateway.run(_open(second, bob))
    start_again(postgres, migrated_url, first)
    said = say(first, bob, "First of a new life")
    # The second node knew already that something is missing, and reads it before it hears of anything else.
    second.gateway.run(_missing(second, said["id"]))
    second.gateway.run(stream.until(lambda: bool(stream.events)))
    look(second)
    more = say(second, bob, "Second")
    second.gateway.run(stream.until(lambda: len(stream.events) >= 2))
    assert [event["message"] for event in stream.events] == [said, more]
    assert not stream.ended
    for line in stream.body.decode().splitlines():
        if line.startswith("id: "):
            assert not told_anew(first, bob, line.removeprefix("id: "))


def test_a_session_that_ended_in_a_log_that_was_lost_ends_nobody_elses(
    postgres: Postgres, migrated_url: str, nodes: list[Node]
) -> None:
    first = nodes[0]
    put_back = _backed_up(postgres, migrated_url, nodes)
    bob = first.gateway.bearer("Bob")
    assert first.gateway.request("DELETE", "/api/sessions/current", bob).status == 204
    for node in nodes:
        look(node)
        node.level()
    put_back()
    for node in nodes:
        look(node)
    cleo = first.gateway.bearer("Cleo")
    for node in nodes:
        look(node)
        stream = node.gateway.run(_open(node, cleo))
        said = say(node, cleo, "I am new here")
        node.gateway.run(stream.until(partial(_heard_or_ended, stream)))
        assert [event["message"] for event in stream.events] == [said]
        assert not stream.ended


def test_a_log_that_lost_its_end_and_grew_again_before_anybody_looked_is_another_one(
    postgres: Postgres, migrated_url: str, nodes: list[Node]
) -> None:
    first, second = nodes
    bob = first.gateway.bearer("Bob")
    put_back = _backed_up(postgres, migrated_url, nodes)
    lost = say(first, bob, "Said to the one that broke")
    look(second)
    stream = second.gateway.run(_open(second, bob, "0"))
    second.gateway.run(stream.until(lambda: any(event["id"] == lost["id"] for event in stream.events)))
    put_back()
    other = [say(first, bob, text) for text in ("Said to the one that took over", "And more", "And more")]
    assert other[0]["id"] == lost["id"]
    look(second)
    second.gateway.run(stream.until(lambda: stream.ended))
    cursor = [line for line in stream.body.decode().splitlines() if line.startswith("id: ")][-1].removeprefix("id: ")
    for node in nodes:
        assert told_anew(node, bob, cursor)
    assert second.gateway.get("/rooms/lobby", bob).text.count("Said to the one that broke") == 0


async def _open(node: Node, headers: dict[str, str], cursor: str = "") -> Stream:
    """A stream that is there, and live."""
    stream = node.gateway.stream(f"/api/events?after={cursor}", {**headers, "accept": "text/event-stream"})
    hub = node.gateway.door.hub
    assert hub is not None
    before = len([each for each in hub.connections if each.live])
    await stream.until(lambda: len([each for each in hub.connections if each.live]) > before or stream.ended)
    return stream


async def _missing(node: Node, id: int) -> None:
    assert node.gateway.door.hub is not None
    node.gateway.door.hub.intake.note(id)


def _heard_or_ended(stream: Stream) -> bool:
    return bool(stream.events) or stream.ended


def _backed_up(postgres: Postgres, url: str, nodes: list[Node]) -> Callable[[], None]:
    """Keep what the database has; calling what is returned puts it back, under nodes whose connections it breaks."""
    tables = [table.name for table in metadata.sorted_tables]
    postgres.sql("CREATE SCHEMA backup", database=url)
    for table in tables:
        postgres.sql(f"CREATE TABLE backup.{table} AS TABLE public.{table}", database=url)
    numbers = postgres.sql(
        "SELECT format('setval(%L, %s, %L)', sequencename, coalesce(last_value, 1), last_value IS NOT NULL) "
        "FROM pg_sequences WHERE schemaname = 'public'",
        database=url,
    )

    def put_back() -> None:
        statements = [
            f"TRUNCATE {', '.join(tables)}",
            *(f"INSERT INTO public.{table} SELECT * FROM backup.{table}" for table in tables),
            *(f"SELECT {setval}" for (setval,) in numbers),
            f"SELECT pg_terminate_backend(pid) {_CONNECTED} AND datname = current_database()",
        ]
        postgres.sql("; ".join(statements), database=url)
        for node in nodes:
            # The first to use a broken connection notices.
            with suppress(StorageUnavailable):
                node.last()

    return put_back
