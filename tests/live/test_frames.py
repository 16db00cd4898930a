"""How events look on a stream: server-sent events to the letter, and a document that goes on."""

from __future__ import annotations

import json
import re

import pytest

from flask_chat.events import Event
from flask_chat.live.frames import Document, ServerSentEvents


def event(id: int, at: str = "2026-11-23T12:00:00.000Z", room_id: int | None = 1, html: str = "") -> Event:
    person = None if room_id else 1
    return Event(id, "message.posted", room_id, person, id, b'{"id":%d}' % id, html or f"<p>{id}</p>", at)


@pytest.fixture
def frames() -> ServerSentEvents:
    return ServerSentEvents(lambda id: f"abcdefgh-{id}")


def test_each_event_is_a_block_whose_id_is_the_cursor_after_it(frames: ServerSentEvents) -> None:
    assert frames.encode([event(6), event(7)]) == (
        b'id: abcdefgh-6\ndata: {"id":6}\n\nid: abcdefgh-7\ndata: {"id":7}\n\n'
    )
    assert frames.encode([]) == b""


def test_the_welcome_says_where_the_reader_stands_and_carries_no_event(frames: ServerSentEvents) -> None:
    assert re.fullmatch(rb": welcome\nretry: \d{3,4}\nid: abcdefgh-5\n\n", frames.welcome(5))


def test_a_reader_of_another_history_is_told_to_load_everything_anew(frames: ServerSentEvents) -> None:
    head, data = frames.resync(9).rstrip().split(b"\n")
    assert head == b"id: abcdefgh-9"
    assert json.loads(data.removeprefix(b"data: ")) == {"id": 9, "type": "resync", "room": None}


def test_a_sign_of_life_is_a_comment(frames: ServerSentEvents) -> None:
    assert frames.heartbeat == b":\n\n"


def test_readers_are_asked_to_come_back_at_different_times(frames: ServerSentEvents) -> None:
    waits = [int(re.fullmatch(rb"retry: (\d+)\n\n", frames.farewell())[1]) for _ in range(200)]  # type: ignore[index]
    assert len(set(waits)) > 50
    assert 100 <= min(waits) <= max(waits) <= 1000


def test_a_document_has_a_day_only_where_it_changes(monkeypatch: pytest.MonkeyPatch) -> None:
    document = Document(1, "2026-11-22")
    first = document.encode([event(1, "2026-11-22T12:00:00.000Z")]).decode()
    second = document.encode([event(2), event(3)]).decode()
    third = document.encode([event(4)]).decode()
    fourth = document.encode([event(5, "2026-11-25T12:00:00.000Z")]).decode()
    assert [part.count('class="day"') for part in (first, second, third, fourth)] == [0, 1, 0, 1]
    assert second.index("2026-11-23") < second.index("<p>2</p>") < second.index("<p>3</p>")


def test_a_document_shows_its_own_room_and_nothing_else() -> None:
    document = Document(1, "2026-11-23")
    personal = Event(9, "session.revoked", None, 1, 1, b"{}")
    assert document.encode([event(1, room_id=2), personal]) == b""
    assert document.encode([event(1, room_id=2), event(2), personal]) == b"<p>2</p>"


def test_a_document_that_has_shown_nothing_yet_begins_with_a_day() -> None:
    assert b'class="day"' in Document(1, "").encode([event(1)])


def test_signs_of_life_and_the_end_of_a_document_show_nothing() -> None:
    document = Document(1, "")
    assert re.fullmatch(rb"<!--.*-->\n", document.heartbeat)
    assert document.farewell() == b""


def test_each_message_of_a_document_leads_to_where_it_is_reported_or_deleted() -> None:
    article = (
        '<article class="message" id="message-7"><div class="byline">Bob <time>12:00</time></div>a</time></article>'
    )
    shown = (
        Document(1, "2026-11-23").encode([event(7, html=article), event(8, html=article.replace("7", "8"))]).decode()
    )
    assert re.findall(r'</time><a class="fix" href="([^"]*)"', shown) == ["messages/7/report", "messages/8/report"]
