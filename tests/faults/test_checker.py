"""The checker sees what it is there for: each kind of fault, put in by hand."""

from __future__ import annotations

from typing import Any

import pytest

from ..checker import Checker


def message(id: int, text: str = "Hello", author: str = "Ann") -> dict[str, Any]:
    return {"id": id, "author": author, "client_id": f"c{id}", "text": text}


@pytest.fixture
def checker() -> Checker:
    """Ann sent three messages, one after the other, and all were acknowledged."""
    checker = Checker()
    for id in (1, 2, 3):
        checker.answered(checker.sending("Ann", f"c{id}", "Hello"), message(id))
    return checker


KEPT = [message(1), message(2), message(3)]


def test_all_is_well_when_everybody_sees_what_was_sent(checker: Checker) -> None:
    checker.read("Bob", KEPT)
    checker.read("Cleo, who came later", KEPT[2:], after=2)
    assert not checker.verdict(KEPT)
    assert (checker.attempted, checker.acknowledged) == (3, 3)


def test_what_was_never_answered_may_be_kept_or_not(checker: Checker) -> None:
    checker.sending("Ann", "c4", "Hello")
    assert not checker.verdict(KEPT)
    assert not checker.verdict([*KEPT, message(4)])


@pytest.mark.parametrize(
    ("kept", "fault"),
    [
        (KEPT[:2], "lost"),
        ([*KEPT, {**message(4), "client_id": "c3"}], "duplicated"),
        ([message(2), message(1), message(3)], "reordered"),
        ([*KEPT, message(4, author="Mallory")], "phantom"),
        ([*KEPT[:2], message(3, "Hullo")], "changed"),
    ],
)
def test_a_fault_of_the_history_has_its_name(checker: Checker, kept: list[dict[str, Any]], fault: str) -> None:
    assert getattr(checker.verdict(kept), fault)


@pytest.mark.parametrize(
    ("seen", "fault"),
    [
        ([KEPT[0], KEPT[2]], "lost"),
        ([*KEPT, KEPT[2]], "duplicated"),
        ([KEPT[1], KEPT[0], KEPT[2]], "reordered"),
        ([*KEPT, message(4)], "phantom"),
        ([*KEPT[:2], message(3, "Hullo")], "changed"),
    ],
)
def test_a_fault_of_one_reader_has_its_name(checker: Checker, seen: list[dict[str, Any]], fault: str) -> None:
    checker.read("Bob", seen)
    assert getattr(checker.verdict(KEPT), fault)


def test_what_was_sent_later_has_the_larger_id() -> None:
    checker = Checker()
    checker.answered(checker.sending("Ann", "c2", "Hello"), message(2))
    checker.answered(checker.sending("Ann", "c1", "Hello"), message(1))
    assert checker.verdict(KEPT[:2]).reordered


def test_a_retry_that_is_told_another_id_is_noticed(checker: Checker) -> None:
    checker.answered(checker.sending("Ann", "c3", "Hello"), {**message(3), "id": 4})
    assert checker.verdict(KEPT).changed
