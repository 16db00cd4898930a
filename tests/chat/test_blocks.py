"""Blocks: between two people, known to the one who blocks alone."""

from __future__ import annotations

import pytest

from flask_chat.chat import blocks, memberships, rooms
from flask_chat.chat.errors import Forbidden, Invalid
from flask_chat.chat.people import Person
from flask_chat.http.services import Services

from .people_here import arrive, do, listen, say


def test_a_block_is_told_to_the_blocker_alone(chat: Services, ann: Person, bob: Person) -> None:
    told = listen(chat)
    assert do(chat, lambda transaction: blocks.add(transaction, ann, bob))
    assert not do(chat, lambda transaction: blocks.add(transaction, ann, bob))
    assert do(chat, lambda transaction: blocks.remove(transaction, ann, bob))
    assert not do(chat, lambda transaction: blocks.remove(transaction, ann, bob))
    assert [(each.type, each.audience) for each in told] == [
        ("block.added", -ann.id),
        ("block.removed", -ann.id),
    ]


def test_a_block_stands_between_both_but_is_one_persons(chat: Services, ann: Person, bob: Person) -> None:
    cleo = arrive(chat, "Cleo")
    do(chat, lambda transaction: blocks.add(transaction, ann, bob))
    with chat.db.read() as connection:
        assert blocks.between(connection, ann, bob)
        assert blocks.between(connection, bob, ann)
        assert not blocks.between(connection, ann, cleo)
        assert blocks.of(connection, ann) == ["Bob"]
        assert blocks.of(connection, bob) == []


def test_the_blocked_are_listed_by_name(chat: Services, ann: Person, bob: Person) -> None:
    for name in ("Zoe", "cleo"):
        other = arrive(chat, name)
        do(chat, lambda transaction, other=other: blocks.add(transaction, ann, other))  # type: ignore[misc]
    do(chat, lambda transaction: blocks.add(transaction, ann, bob))
    with chat.db.read() as connection:
        assert blocks.of(connection, ann) == ["Bob", "cleo", "Zoe"]


def test_nobody_blocks_themselves(chat: Services, ann: Person) -> None:
    with pytest.raises(Invalid):
        do(chat, lambda transaction: blocks.add(transaction, ann, ann))


def test_between_two_of_whom_one_has_blocked_the_other_no_direct_message_passes(
    chat: Services, ann: Person, bob: Person
) -> None:
    talk = do(chat, lambda transaction: rooms.make(transaction, ann, "", rooms.DIRECT, f"{ann.id}-{bob.id}"))
    do(chat, lambda transaction: memberships.add(transaction, talk, bob))
    say(chat, bob, "Hello", talk)
    do(chat, lambda transaction: blocks.add(transaction, ann, bob))
    for who in (ann, bob):
        with pytest.raises(Forbidden, match="not possible"):
            say(chat, who, "Still there?", talk)
        say(chat, who, "In the lobby as ever")
    do(chat, lambda transaction: blocks.remove(transaction, ann, bob))
    say(chat, bob, "Thank you", talk)
