"""What stays open, and who is here because of it."""

from __future__ import annotations

from flask_chat.chat.people import Person
from flask_chat.chat.sessions import Session
from flask_chat.live.open import LINGERS, Open


class Clock:
    def __init__(self) -> None:
        self.now = 100.0

    def __call__(self) -> float:
        return self.now


def session(id: int, person: int) -> Session:
    return Session(id, Person(person, f"Person {person}", "member", 0), 0)


def test_streams_are_counted_for_each_session() -> None:
    open = Open()
    ann = session(1, 7)
    open.add(ann)
    open.add(ann)
    assert (open.of(1), open.of(2)) == (2, 0)
    open.remove(ann)
    open.remove(ann)
    assert open.of(1) == 0


def test_somebody_is_here_from_their_first_stream_until_a_while_after_the_last() -> None:
    clock = Clock()
    open, ann = Open(clock), session(1, 7)
    assert open.people() == (set(), set())
    open.add(ann)
    assert open.people() == ({7}, set())
    open.remove(ann)
    clock.now += LINGERS - 0.1
    assert open.people() == ({7}, set())
    open.add(ann)
    clock.now += 2 * LINGERS
    assert open.people() == ({7}, set())
    open.remove(ann)
    clock.now += LINGERS
    assert open.people() == (set(), set())


def test_who_comes_is_news_and_who_loads_a_page_anew_is_not() -> None:
    open, ann = Open(), session(1, 7)
    open.add(ann)
    assert open.changed.is_set()
    open.changed.clear()
    open.remove(ann)
    open.add(ann)
    open.add(ann)
    assert not open.changed.is_set()


def test_somebody_is_away_once_all_of_their_sessions_say_so() -> None:
    open = Open()
    open.add(session(1, 7))
    open.add(session(2, 7))
    open.add(session(3, 8))
    open.rest(1, True)
    assert open.people() == ({7, 8}, set())
    open.changed.clear()
    open.rest(2, True)
    assert open.people() == ({7, 8}, {7})
    assert open.changed.is_set()
    open.rest(1, False)
    assert open.people() == ({7, 8}, set())


def test_what_a_session_said_is_forgotten_when_it_has_gone() -> None:
    clock = Clock()
    open, ann = Open(clock), session(1, 7)
    open.rest(1, True)
    open.add(ann)
    assert open.people() == ({7}, set())
    open.rest(1, True)
    open.remove(ann)
    open.add(ann)
    assert open.people() == ({7}, {7}), "a connection that broke is no sign of life"
    open.remove(ann)
    clock.now += LINGERS
    open.people()
    open.add(ann)
    assert open.people() == ({7}, set())
