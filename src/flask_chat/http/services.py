"""What a running chat is made of, handed to every door when the house is wired."""

from __future__ import annotations

from dataclasses import dataclass

from ..chat.sessions import Directory
from ..chat.timelines import Timelines
from ..config import Config
from ..db import Database
from ..events import Epochs
from .assets import Assets
from .identity import Identity
from .limits import Limits
from .owner_link import OwnerLink


@dataclass(frozen=True, slots=True)
class Services:
    """One running chat. ``throwaway`` says that its disk does not outlive it."""

    config: Config
    db: Database
    epochs: Epochs
    sessions: Directory
    identity: Identity
    timelines: Timelines
    limits: Limits
    assets: Assets
    owner_link: OwnerLink
    throwaway: bool
