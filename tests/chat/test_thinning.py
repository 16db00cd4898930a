"""Thinning the log: what a mark passed on its way goes, everything else stays, and numbers go on."""

from __future__ import annotations

import pytest
from sqlalchemy import select, update

from flask_chat import events
from flask_chat.chat import messages, people, reading, thinning
from flask_chat.chat.keeping import DAY
from flask_chat.chat.people import Person
from flask_chat.chat.reading import Mark
from flask_chat.db import Transaction
from flask_chat.events import event
from flask_chat.http.services import Services

Row = tuple[int, str, int | None]


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(thinning, "SPAN", 10)


def log(chat: Services) -> list[Row]:
    with chat.db.read() as connection:
        rows = connection.execute(select(event.c.id, event.c.type, event.c.person_id).order_by(event.c.id))
        return [(id, type, person_id) for id, type, person_id in rows]


def say_and_read(chat: Services, author: Person, *readers: Person) -> None:
    said = messages.post(chat.db, messages.draft(author, "lobby", "hello")).result()
    assert isinstance(said, messages.Posted)
    for each in readers:
        mark = Mark(each, "lobby", said.message.id)
        assert chat.db.submit(reading.mark_together, mark).result() is True


def grow_old(chat: Services) -> None:
    def change(transaction: Transaction) -> None:
        transaction.connection.execute(update(event).values(created_at=transaction.now - DAY - 1))

    chat.db.write(change)


def sweep(chat: Services) -> int:
    return chat.db.write(thinning.sweep)


def test_of_a_part_the_last_move_of_each_mark_stays_and_all_else(chat: Services) -> None:
    ann, bob, cleo = (
        chat.db.write(lambda transaction, name=name: people.add(transaction, name))  # type: ignore[misc]
        for name in ("Ann", "Bob", "Cleo")
    )
    for _ in range(12):
        say_and_read(chat, ann, bob, cleo)
    before = log(chat)
    assert sweep(chat) == 0
    grow_old(chat)
    looked = 0
    while step := sweep(chat):
        looked += step
    last = before[-1][0]
    assert looked == last - last % 10
    after = log(chat)
    wanted = []
    for row in before:
        part = (row[0] - 1) // 10
        later = (
            other for other in before if other[0] > row[0] and other[1:] == row[1:] and (other[0] - 1) // 10 == part
        )
        if row[1] != reading.MOVED or row[0] > looked or not any(later):
            wanted.append(row)
    assert after == wanted
    assert len(after) < len(before)
    with chat.db.read() as connection:
        assert events.last_id(connection) == last


def test_the_number_after_a_thinned_end_is_a_new_one(chat: Services) -> None:
    ann, bob = (
        chat.db.write(lambda transaction, name=name: people.add(transaction, name))  # type: ignore[misc]
        for name in ("Ann", "Bob")
    )
    while (last := log(chat)[-1])[0] % 10:
        say_and_read(chat, ann, *([bob] if last[0] % 10 == 8 else []))
    assert last[:2] == (last[0], reading.MOVED)
    grow_old(chat)
    while sweep(chat):
        pass
    say_and_read(chat, ann)
    assert log(chat)[-1][0] == last[0] + 1
