"""The log: what is appended, and which cursors are of its history."""

from __future__ import annotations

import ast
import re
from collections.abc import Callable
from pathlib import Path

import pytest
from flask import Flask
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.exc import IntegrityError

from flask_chat import create_app, events
from flask_chat.config import Config
from flask_chat.db import Transaction
from flask_chat.events import BadCursor, Epochs, Event
from flask_chat.http.services import Services

ROOT = Path(__file__).parents[1]
IN_THE_PAST = re.compile(r"[a-z]+\.([a-z]+ed|left)", re.ASCII)
A, B, C = "aaaaaaaa", "bbbbbbbb", "cccccccc"


def test_a_cursor_is_understood_where_it_was_given_out() -> None:
    epochs = Epochs([(A, 0)])
    assert epochs.cursor(7) == f"{A}-7"
    assert epochs.parse(epochs.cursor(7), last=7) == 7
    assert epochs.parse(epochs.cursor(0), last=7) == 0


def test_the_beginning_is_zero_in_every_history() -> None:
    assert Epochs([(A, 5)]).parse("0", last=9) == 0


def test_a_cursor_from_before_a_restart_is_still_good() -> None:
    epochs = Epochs([(A, 0), (B, 10)])
    assert epochs.current == B
    assert epochs.parse(f"{A}-10", last=20) == 10


@pytest.mark.parametrize("cursor", [f"{A}-11", f"{B}-21", f"{C}-3"])
def test_a_cursor_that_this_log_never_reached_asks_for_a_resync(cursor: str) -> None:
    assert Epochs([(A, 0), (B, 10)]).parse(cursor, last=20) is None


@pytest.mark.parametrize(
    "cursor",
    ["", "7", "00", "-1", f"{A}-", f"{A}-01", f"{A}--1", f"{A}-1 ", f"{A}-1\n", f"{A.upper()}-1", f"{A}-١", f"{A}-1.0",
     f"{A[:7]}-1", f"{A}-1234567890123456789", "x" * 100_000],
)  # fmt: skip
def test_a_text_that_was_never_a_cursor_is_refused(cursor: str) -> None:
    with pytest.raises(BadCursor) as refused:
        Epochs([(A, 0)]).parse(cursor, last=7)
    assert len(str(refused.value)) <= 40


class Chat:
    """A chat that is restarted, backed up and restored; every event has a name that no other history gives."""

    def __init__(self) -> None:
        self.rows: list[tuple[str, int]] = []
        self.log: list[int] = []
        self.backups: list[tuple[list[tuple[str, int]], list[int]]] = []
        self.given: list[tuple[str, list[int]]] = []
        self.names = self.tokens = 0
        self.restart()

    def restart(self) -> None:
        self.tokens += 1
        self.rows = [*self.rows, (f"{self.tokens:08d}", len(self.log))]

    def post(self) -> None:
        self.names += 1
        self.log = [*self.log, self.names]

    def give(self) -> None:
        self.given.append((Epochs(self.rows).cursor(len(self.log)), self.log))

    def back_up(self) -> None:
        self.backups.append((self.rows, self.log))

    def restore(self) -> None:
        if self.backups:
            self.rows, self.log = self.backups[-1]
            self.restart()


STEPS: list[Callable[[Chat], None]] = [Chat.restart, Chat.post, Chat.post, Chat.give, Chat.back_up, Chat.restore]


@given(st.lists(st.sampled_from(STEPS), max_size=60))
def test_a_cursor_is_never_taken_for_a_place_in_another_history(steps: list[Callable[[Chat], None]]) -> None:
    chat = Chat()
    for step in steps:
        step(chat)
        epochs = Epochs(chat.rows)
        for cursor, had in chat.given:
            place = epochs.parse(cursor, len(chat.log))
            assert place is None or chat.log[:place] == had, "it would be shown another history"


@given(st.lists(st.sampled_from([Chat.restart, Chat.post, Chat.give]), max_size=60))
def test_without_a_restore_nobody_is_asked_to_resync(steps: list[Callable[[Chat], None]]) -> None:
    chat = Chat()
    for step in steps:
        step(chat)
    for cursor, had in chat.given:
        assert Epochs(chat.rows).parse(cursor, len(chat.log)) == len(had)


def test_every_start_begins_an_epoch_where_the_log_has_got_to(app: Flask, chat: Services) -> None:
    chat.db.write(lambda transaction: events.record(transaction, "person.joined", person_id=1, subject_id=1))
    first, data = chat.epochs, chat.config.data
    chat.db.close()
    again = create_app(Config(data=data)).extensions["flask_chat"]
    try:
        assert re.fullmatch("[a-z0-9]{8}", again.epochs.current)
        assert again.epochs.current != first.current
        assert again.epochs.parse(first.cursor(1), 1) == 1
        assert again.epochs.parse(first.cursor(2), 2) is None, "the first epoch ended at 1"
    finally:
        again.db.close()


def test_events_are_numbered_without_a_gap_and_told_as_they_are_kept(chat: Services) -> None:
    told: list[Event] = []
    chat.db.listeners.append(told.extend)
    for _ in range(3):
        chat.db.write(lambda transaction: events.record(transaction, "session.revoked", person_id=4, subject_id=9))
    with chat.db.read() as connection:
        rows = connection.execute(select(events.event).order_by(events.event.c.id)).all()
        assert events.last_id(connection) == 3
    assert [row.id for row in rows] == [event.id for event in told] == [1, 2, 3]
    assert (rows[0].type, rows[0].room_id, rows[0].person_id, rows[0].subject_id) == ("session.revoked", None, 4, 9)
    assert told[0].body == b'{"id":1,"type":"session.revoked","room":null}'


def test_a_number_of_the_log_is_given_once(chat: Services) -> None:
    def twice(transaction: Transaction) -> None:
        for _ in range(2):
            events.append(transaction, [Event(1, "person.joined", None, 1, 1, b"{}")])

    with pytest.raises(IntegrityError):
        chat.db.write(twice)
    with chat.db.read() as connection:
        assert events.last_id(connection) == 0


def test_the_types_that_are_listed_are_those_that_are_recorded() -> None:
    named: set[str] = set()
    for path in (ROOT / "src/flask_chat/chat").glob("*.py"):
        nodes = ast.walk(ast.parse(path.read_text()))
        texts = {node.value for node in nodes if isinstance(node, ast.Constant) and isinstance(node.value, str)}
        named |= {text for text in texts if IN_THE_PAST.fullmatch(text)}
    assert named == events.TYPES
    assert all(IN_THE_PAST.fullmatch(name) for name in events.TYPES), "dotted, in the past tense"
