"""Slugs: the names of rooms in addresses."""

from __future__ import annotations

import itertools
import re
import secrets
import unicodedata
from collections.abc import Callable

RESERVED = frozenset({"new"})
"""What comes after ``/rooms/`` and is no room."""

_OTHERS = re.compile(r"[^a-z0-9]+")
_LETTERS = "abcdefghijkmnpqrstuvwxyz23456789"
_MOST = 40


def free(name: str, public: bool, taken: Callable[[str], bool]) -> str:
    """A slug like ``name`` that is not taken.

    That of a room which not everybody may know of ends by chance: whether another of its name exists must not be told
    by the slug that is left for it.
    """
    base = like(name)
    candidates = itertools.chain([base], (f"{base}-{number}" for number in itertools.count(2)))
    for candidate in candidates if public else iter(lambda: f"{base}-{_chance()}", ""):
        if candidate not in RESERVED and not taken(candidate):
            return candidate
    raise AssertionError("there is always another")


def like(name: str) -> str:
    """``name`` in small letters without marks, and digits; "room" if there are none in it."""
    ascii = plain(name).encode("ascii", "ignore").decode()
    return _OTHERS.sub("-", ascii)[:_MOST].strip("-") or "room"


def plain(words: str) -> str:
    """A text without case, width and accents, as texts are compared when somebody searches."""
    if words.isascii():
        return words.lower()
    apart = unicodedata.normalize("NFKD", unicodedata.normalize("NFKC", words).casefold())
    return "".join(character for character in apart if not unicodedata.combining(character))


def _chance() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(6))
