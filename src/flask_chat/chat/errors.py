"""What the chat refuses, and why, in words for the person who asked."""

from __future__ import annotations


class Refused(Exception):
    """A request that the chat's rules refuse; nothing was changed. ``reason`` is a sentence for the person."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class NotFound(Refused):
    """There is no such thing, or none that this person may know of."""


class Forbidden(Refused):
    """Something that this person may know of, but not do."""


class Invalid(Refused):
    """The words given cannot be taken: an empty message, a name with forbidden characters."""


class TooLong(Invalid):
    """More characters than are taken."""


class Taken(Refused):
    """The name, or one that looks like it, belongs to somebody else: to ``holder``."""

    def __init__(self, reason: str, holder: str) -> None:
        super().__init__(reason)
        self.holder = holder


class Conflict(Refused):
    """The same client id was used for another text before."""


class TooFast(Refused):
    """Too often in too short a time; ``retry_after`` in whole seconds."""

    def __init__(self, reason: str, retry_after: int) -> None:
        super().__init__(reason)
        self.retry_after = retry_after


class Unproven(Refused):
    """What was shown does not prove that somebody is who they say."""


class Busy(Refused):
    """Too much is asked at once; the same may be asked again in a moment."""
