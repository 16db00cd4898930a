"""The last stretch of the log in memory: bounded, and never with a gap."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.events import Event
from flask_chat.live import history
from flask_chat.live.history import History


def event(id: int, size: int = 10) -> Event:
    return Event(id, "message.posted", 1, None, id, b"x" * size)


def ids(events: list[Event] | None) -> list[int] | None:
    return None if events is None else [each.id for each in events]


def test_it_answers_from_its_floor_on_and_not_before() -> None:
    made = History(5)
    made.add([event(6), event(7)])
    made.add([event(8)])
    assert [ids(made.after(cursor)) for cursor in (4, 5, 6, 8, 99)] == [None, [6, 7, 8], [7, 8], [], []]


def test_it_keeps_so_many_events_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_EVENTS", 3)
    made = History(0)
    made.add([event(id) for id in range(1, 6)])
    assert made.floor == 2
    assert ids(made.after(1)) is None
    assert ids(made.after(2)) == [3, 4, 5]


def test_it_keeps_so_many_bytes_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 100)
    made = History(0)
    made.add([event(1, 60), event(2, 30), event(3, 20)])
    assert (made.floor, ids(made.after(1))) == (1, [2, 3])
    made.add([event(4, 1000)])
    assert (made.floor, ids(made.after(4)), ids(made.after(3))) == (4, [], None)
    made.add([event(5, 100)])
    assert ids(made.after(4)) == [5], "what went is counted out"


def test_after_a_gap_it_begins_anew() -> None:
    made = History(0)
    made.add([event(1), event(2)])
    made.restart(9)
    assert (ids(made.after(2)), ids(made.after(9))) == (None, [])
    made.add([event(10)])
    assert ids(made.after(9)) == [10]


@given(st.lists(st.integers(1, 7), max_size=40), st.integers(0, 200))
def test_what_it_answers_is_all_there_is(batches: list[int], cursor: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(history, "MOST_EVENTS", 10)
        made, last = History(0), 0
        for size in batches:
            made.add([event(last + step) for step in range(1, size + 1)])
            last += size
        answer = ids(made.after(cursor))
        if answer is None:
            assert cursor < last - 10
        else:
            assert answer == list(range(cursor + 1, last + 1))


TAKEN_BACK = ("message.deleted", "message.edited", "person.departed", "room.cleared")


@pytest.mark.parametrize("type", TAKEN_BACK)
def test_what_was_taken_back_is_not_told_again_from_memory(type: str) -> None:
    made = History(0)
    made.add([event(1), event(2)])
    made.add([event(3), Event(4, type, 1, None, 2, b"x"), event(5)])
    assert [ids(made.after(cursor)) for cursor in (0, 3, 4, 5)] == [None, None, [5], []]
    made.add([event(6)])
    assert ids(made.after(4)) == [5, 6]
