"""The private link by which the one who runs the chat takes charge of it. It works once."""

from __future__ import annotations

import hmac
from typing import Protocol

from ..chat.keeping import OWNER_LINK


class Keep(Protocol):
    """Where small texts are kept: the data folder, or the database that several processes share."""

    def ensure(self, name: str) -> str:
        """The text of a name; it is made by chance the first time."""

    def find(self, name: str) -> str | None:
        """The text of a name, or None."""

    def drop(self, name: str) -> None:
        """Forget a name."""


class OwnerLink:
    """A token that is there until an owner is."""

    def __init__(self, keep: Keep) -> None:
        self._keep = keep

    def token(self) -> str:
        """The token, made the first time it is asked for."""
        return self._keep.ensure(OWNER_LINK)

    def fits(self, token: str) -> bool:
        """Whether somebody holds the link."""
        kept = self._keep.find(OWNER_LINK)
        return kept is not None and hmac.compare_digest(kept.encode(), token.encode("utf-8", "replace"))

    def use_up(self) -> None:
        """Make the link worthless."""
        self._keep.drop(OWNER_LINK)
