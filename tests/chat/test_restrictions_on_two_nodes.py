"""What one node forbids is forbidden on the other with the very next message, whatever that one has in memory."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from flask_chat import create_app
from flask_chat.chat import moderation, people, settings
from flask_chat.chat.errors import Forbidden, TooFast
from flask_chat.config import Config
from flask_chat.http.services import Services

from .people_here import arrive, do, find, say


@pytest.fixture
def nodes(tmp_path: Path, migrated_url: str) -> Iterator[tuple[Services, Services]]:
    """Two nodes of one chat that hear nothing of each other but by the database."""
    made: list[Services] = []
    for name in ("one", "other"):
        app = create_app(Config(data=tmp_path / name, database_url=migrated_url, node=name, limits=False))
        made.append(app.extensions["flask_chat"])
    yield made[0], made[1]
    for chat in made:
        chat.close()


def test_slow_mode_a_mute_and_a_lockdown_hold_on_the_other_node_at_once(nodes: tuple[Services, Services]) -> None:
    one, other = nodes
    dora, ann, bob = (
        arrive(one, name, role) for name, role in (("Dora", people.MODERATOR), ("Ann", "guest"), ("Bob", "guest"))
    )
    say(other, ann, "Here I am")
    lobby = find(one, dora)
    do(one, lambda transaction: moderation.slow_down(transaction, dora, lobby, 600))
    with pytest.raises(TooFast):
        say(other, ann, "Again")
    say(one, bob, "Once")
    with pytest.raises(TooFast):
        say(other, bob, "Twice")
    slowed = find(one, dora)
    do(one, lambda transaction: moderation.slow_down(transaction, dora, slowed, 0))
    say(other, bob, "Twice")
    do(one, lambda transaction: moderation.mute(transaction, dora, ann))
    with pytest.raises(Forbidden, match="muted"):
        say(other, ann, "But")
    do(one, lambda transaction: settings.change(transaction, {"lockdown": True}))
    with pytest.raises(Forbidden, match="Only members"):
        say(other, bob, "Me too?")
