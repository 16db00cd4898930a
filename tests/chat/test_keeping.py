"""What all processes of a chat keep together."""

from __future__ import annotations

from pathlib import Path

import pytest

from flask_chat.chat import keeping
from flask_chat.chat.keeping import DatabaseKeep
from flask_chat.datafolder import FolderKeep
from flask_chat.db import Transaction
from flask_chat.http.owner_link import Keep
from flask_chat.http.services import Services

HOUR = 3_600_000


@pytest.fixture(params=["folder", "database"])
def keep(request: pytest.FixtureRequest, chat: Services, tmp_path: Path) -> Keep:
    """Both places keep the same contract."""
    return FolderKeep(tmp_path) if request.param == "folder" else DatabaseKeep(chat.db)


def test_a_text_is_made_once_and_stays(keep: Keep) -> None:
    assert keep.find("tea") is None
    made = keep.ensure("tea")
    assert len(made) == 64
    assert keep.ensure("tea") == keep.find("tea") == made
    assert keep.ensure("milk") != made


def test_a_text_that_was_dropped_is_gone_and_made_anew(keep: Keep) -> None:
    made = keep.ensure("tea")
    keep.drop("tea")
    keep.drop("tea")
    assert keep.find("tea") is None
    assert keep.ensure("tea") != made


@pytest.mark.parametrize(
    ("hours", "claimed"), [(0, False), (1, False), (-1, False), (23, False), (-23, False), (25, True), (-25, True)]
)
def test_a_clock_that_is_off_makes_nobody_do_it_twice_or_wait_for_long(
    chat: Services, hours: int, claimed: bool
) -> None:
    def at(hours: int) -> bool:
        def claim(transaction: Transaction) -> bool:
            transaction.now += hours * HOUR
            return keeping.claim(transaction, "dishes")

        return chat.db.write(claim)

    assert at(0)
    assert at(hours) is claimed
    assert not at(hours)
