"""Hints of several processes, put in the order of the log again."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from flask_chat.events import Event, plain
from flask_chat.live import order
from flask_chat.live.order import Order


def told(*ids: int) -> list[Event]:
    return [Event(id, "message.posted", 1, None, id, plain(id, "message.posted")) for id in ids]


def ids(order: Order, *given: int) -> list[int]:
    return [event.id for event in order.take(told(*given))]


def test_what_comes_in_its_turn_goes_on_as_it_is() -> None:
    order = Order(4)
    hint = told(5, 6)
    assert order.take(hint) is hint
    assert (order.position, order.gap) == (6, False)


def test_what_comes_early_waits_for_what_is_before_it() -> None:
    order = Order(0)
    assert ids(order, 3) == []
    assert order.gap
    assert ids(order, 1) == [1]
    assert ids(order, 2) == [2, 3]
    assert (order.position, order.gap) == (3, False)


def test_what_comes_again_is_nothing_new() -> None:
    order = Order(5)
    assert ids(order, 4, 5) == []
    assert ids(order, 5, 6) == [6]
    assert ids(order, 8, 8) == []
    assert ids(order, 7) == [7, 8]


def test_it_is_known_that_something_is_missing_when_somebody_says_how_far_the_log_is() -> None:
    order = Order(5)
    order.note(5)
    assert not order.gap
    order.note(7)
    order.note(6)
    assert (ids(order, 6), order.gap) == ([6], True)
    assert (ids(order, 7), order.gap) == ([7], False)


def test_a_jump_forgets_what_waits(monkeypatch: pytest.MonkeyPatch) -> None:
    order = Order(0)
    ids(order, 5)
    order.jump(9)
    assert (order.position, order.gap) == (9, False)
    order.jump(3)
    assert ids(order, 4) == [4], "5 is of another log"


def test_no_more_waits_than_there_is_room_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(order, "MOST_EARLY", 3)
    made = Order(0)
    for id in range(2, 12):
        ids(made, id)
    assert len(made._early) <= 3
    assert made.gap
    assert made.known == 11


@given(st.permutations(range(1, 30)), st.lists(st.integers(0, 28), max_size=10), st.integers(1, 6))
def test_in_whatever_order_they_come_all_go_on_once_in_the_order_of_the_log(
    order: list[int], again: list[int], together: int
) -> None:
    made = Order(0)
    for place in again:
        order = [*order, order[place]]
    got = []
    for start in range(0, len(order), together):
        got += ids(made, *sorted(order[start : start + together]))
        assert got == list(range(1, len(got) + 1))
    assert got == list(range(1, 30))
