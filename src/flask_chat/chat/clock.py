"""Times as people and programs read them. All times are kept in milliseconds since 1970, UTC."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache


def rfc3339(milliseconds: int) -> str:
    """``2026-11-23T14:03:22.120Z``"""
    return f"{_utc(milliseconds // 1000)}.{milliseconds % 1000:03d}Z"


def milliseconds(rfc3339: str) -> int:
    """The reverse of :func:`rfc3339`."""
    return round(datetime.fromisoformat(rfc3339).timestamp() * 1000)


def local(milliseconds: int) -> datetime:
    """The time in the server's zone."""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone()


def date(moment: datetime) -> str:
    """``Monday, 23 November 2026``"""
    return f"{moment:%A}, {moment.day} {moment:%B %Y}"


@lru_cache(1000)
def in_words(seconds: int) -> tuple[str, str]:
    """A time in the server's zone, in short and in full: ``14:03 CET``, ``Monday, 23 November 2026, 14:03:22 CET``.

    The zone is named, so that both are right for a reader anywhere. ``seconds`` are since 1970, UTC.
    """
    moment = local(seconds * 1000)
    return f"{moment:%H:%M %Z}", f"{date(moment)}, {moment:%H:%M:%S %Z}"


@lru_cache(1000)
def _utc(seconds: int) -> str:
    return f"{datetime.fromtimestamp(seconds, UTC):%Y-%m-%dT%H:%M:%S}"
