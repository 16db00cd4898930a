"""The owner's link: made once, and worthless once it was used."""

from __future__ import annotations

from pathlib import Path

import pytest

from flask_chat.datafolder import FolderKeep
from flask_chat.http.owner_link import OwnerLink


def test_the_link_is_the_same_until_it_is_used_up(tmp_path: Path) -> None:
    link = OwnerLink(FolderKeep(tmp_path))
    token = link.token()
    assert len(token) >= 43
    assert OwnerLink(FolderKeep(tmp_path)).token() == token
    assert link.fits(token)
    link.use_up()
    link.use_up()
    assert not link.fits(token)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("wrong", ["", "x", "\ud800", "é" * 64, "x" * 100_000])
def test_another_token_does_not_fit(tmp_path: Path, wrong: str) -> None:
    link = OwnerLink(FolderKeep(tmp_path))
    link.token()
    assert not link.fits(wrong)


def test_trying_makes_no_link(tmp_path: Path) -> None:
    assert not OwnerLink(FolderKeep(tmp_path)).fits("")
    assert list(tmp_path.iterdir()) == []
