"""Thinning the log: where a reading mark was moved on, only the last place of many is worth keeping.

Whoever reads in a busy room moves their mark every few seconds, and each move is an event for their other devices. A
device that comes back after a day needs no more than where the mark got to.
"""

from __future__ import annotations

from sqlalchemy import bindparam, delete, func, insert, select, update

from .. import events
from ..db import Transaction
from ..events import event
from .keeping import DAY, kept
from .reading import MOVED

SPAN = 10_000
"""Numbers of the log that are looked through at once: others wait for it."""

THINNED = "thin.until"
"""The name under which it is kept how far the log has been looked through."""


def sweep(transaction: Transaction) -> int:
    """Look through the next :data:`SPAN` of what is older than a day; returns how many numbers that were, 0 for none.

    The last move of each mark in it stays, so the log's last event too: the next one's number follows from it.
    """
    connection = transaction.connection
    begun = connection.execute(_THINNED).scalar_one_or_none()
    after = int(begun or 0)
    through = after + SPAN
    if events.last_id(connection) < through:
        return 0
    if connection.execute(_NEWEST, {"through": through}).scalar_one() > transaction.now - DAY:
        return 0
    connection.execute(_THIN, {"after": after, "through": through})
    connection.execute(_BEGIN if begun is None else _GO_ON, {"of": THINNED, "at": str(through)})
    return SPAN


_THINNED = select(kept.c.value).where(kept.c.name == THINNED)
_BEGIN = insert(kept).values(name=bindparam("of"), value=bindparam("at"))
_GO_ON = update(kept).where(kept.c.name == bindparam("of")).values(value=bindparam("at"))
_NEWEST = select(event.c.created_at).where(event.c.id <= bindparam("through")).order_by(event.c.id.desc()).limit(1)
_MOVES = (event.c.id > bindparam("after"), event.c.id <= bindparam("through"), event.c.type == MOVED)
_LAST_MOVES = select(func.max(event.c.id)).where(*_MOVES).group_by(event.c.person_id, event.c.subject_id)
_THIN = delete(event).where(*_MOVES, event.c.id.not_in(_LAST_MOVES))
