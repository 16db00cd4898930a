"""What a running chat is made of, handed to every door when the house is wired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..bus import Bus
from ..chat.sessions import Directory
from ..chat.timelines import Timelines
from ..config import Config
from ..db import Database
from ..events import Epochs, Event
from ..metrics import Metrics
from .assets import Assets
from .identity import Identity
from .limits import Limits
from .owner_link import OwnerLink


@dataclass(frozen=True, slots=True)
class Services:
    """One running chat. ``node`` is this process's name; ``throwaway`` says that its disk does not outlive it."""

    config: Config
    node: str
    db: Database
    bus: Bus
    epochs: Epochs
    sessions: Directory
    identity: Identity
    timelines: Timelines
    limits: Limits
    assets: Assets
    owner_link: OwnerLink
    metrics: Metrics
    throwaway: bool

    def hear(self, events: Sequence[Event]) -> None:
        """Let what is kept in memory follow the log."""
        self.sessions.hear(events)
        self.timelines.hear(events)

    def missed(self, last: int) -> None:
        """Forget what is kept in memory: the log went on to ``last``, and nobody heard how."""
        self.sessions.clear()
        self.timelines.clear(last)

    def close(self) -> None:
        """Finish what waits and let go of everything."""
        self.bus.close()
        self.db.close()
