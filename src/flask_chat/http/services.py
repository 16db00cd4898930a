"""What a running chat is made of, handed to every door when the house is wired."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..bus import Bus
from ..chat.presence import Presence
from ..chat.sessions import Directory
from ..chat.settings import Current
from ..chat.timelines import Timelines
from ..config import Config
from ..db import Database
from ..events import Epochs, Event
from ..metrics import Metrics
from .assets import Assets
from .identity import Identity
from .limits import Limits
from .openid import Provider
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
    settings: Current
    presence: Presence
    limits: Limits
    assets: Assets
    owner_link: OwnerLink
    openid: Provider | None
    metrics: Metrics
    throwaway: bool

    def hear(self, events: Sequence[Event]) -> None:
        """Let what is kept in memory follow the log."""
        self.sessions.hear(events)
        self.timelines.hear(events)
        self.settings.hear(events)

    def missed(self, last: int) -> None:
        """Forget what is kept in memory: the log went on to ``last``, and nobody heard how."""
        self.sessions.clear()
        self.timelines.clear(last)
        self.settings.clear()

    def close(self) -> None:
        """Finish what waits and let go of everything."""
        self.bus.close()
        self.limits.close()
        self.db.close()
