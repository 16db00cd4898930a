"""Whereabouts: where somebody is signed in, as they see it themselves."""

from __future__ import annotations

import time
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, or_, select

from .people import person
from .sessions import LIFETIME, Directory, session


@dataclass(frozen=True, slots=True)
class Listed:
    """One session. Times are in milliseconds since 1970, UTC; ``seen_at`` is right to within a few minutes.

    One that was ``signed_out`` signs nobody in, and still proves a name that nobody has claimed.
    """

    id: int
    device: str
    network: str
    created_at: int
    seen_at: int
    signed_out: bool


def of(connection: Connection, person_id: int, here: Directory | None = None) -> list[Listed]:
    """Somebody's sessions that are good for something, the newest first; ``here`` knows what was not written yet."""
    rows = connection.execute(_LISTED, {"person_id": person_id, "oldest": time.time() * 1000 - LIFETIME})
    return [
        Listed(
            row.id,
            row.device or "",
            row.network or "",
            row.created_at,
            max(row.seen_at or 0, row.renewed_at, here.seen_at(row.id) if here is not None else 0),
            row.signed_out_at is not None,
        )
        for row in rows
    ]


_LISTED = (
    select(session)
    .join(person, person.c.id == session.c.person_id)
    .where(
        session.c.person_id == bindparam("person_id"),
        session.c.revoked_at.is_(None),
        or_(session.c.signed_out_at.is_(None), person.c.claimed_at.is_(None)),
        session.c.renewed_at > bindparam("oldest"),
    )
    .order_by(session.c.id.desc())
)
