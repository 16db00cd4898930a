"""What the chat refuses, and why, in words for the person who asked."""

from __future__ import annotations


class Refused(Exception):
    """A request that the chat's rules refuse; nothing was changed. ``reason`` is a sentence for the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotFound(Refused):
    """There is no such thing, or none that this person may know of."""


class Invalid(Refused):
    """The words given cannot be taken: an empty message, a name with forbidden characters."""


class TooLong(Invalid):
    """More characters than are taken."""


class Taken(Refused):
    """The name, or one that looks like it, belongs to somebody else."""


class Conflict(Refused):
    """The same client id was used for another text before."""
