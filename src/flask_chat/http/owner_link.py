"""The private link by which the one who runs the chat takes charge of it. It works once."""

from __future__ import annotations

import hmac
from pathlib import Path

from .. import datafolder


class OwnerLink:
    """A token in the data folder, there until an owner is."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / "owner.token"

    def token(self) -> str:
        """The token, made the first time it is asked for."""
        return datafolder.secret(self._path)

    def fits(self, token: str) -> bool:
        """Whether somebody holds the link."""
        return self._path.exists() and hmac.compare_digest(self.token().encode(), token.encode("utf-8", "replace"))

    def use_up(self) -> None:
        """Make the link worthless."""
        self._path.unlink(missing_ok=True)
