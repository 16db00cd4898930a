"""Idle names: one that nobody has claimed, and nobody has used for long, is free again.

Whoever had it keeps what they said, under a name that is marked as former and that nobody can take.
"""

from __future__ import annotations

from sqlalchemy import bindparam, exists, or_, select

from ..db import Transaction
from . import departing, people, settings
from .keeping import SEEN_SINCE, kept
from .people import Person, person
from .sessions import session

DAY = 86_400_000

AT_ONCE = 10
"""Names that one transaction frees: others wait for it."""


def release(transaction: Transaction, holder: Person) -> bool:
    """Free the names of somebody who has neither claimed nor used them for long; says whether they were so."""
    before = _before(transaction)
    parameters = {"before": before, "person_id": holder.id, "most": 1}
    if before is None or transaction.connection.execute(_IDLE_ONE, parameters).first() is None:
        return False
    departing.mark_former(transaction, holder)
    return True


def sweep(transaction: Transaction) -> int:
    """Free some of the names that nobody uses; returns how many, at most :data:`AT_ONCE`."""
    transaction.lock()
    before = _before(transaction)
    if before is None:
        return 0
    found = transaction.connection.execute(_IDLE, {"before": before, "most": AT_ONCE}).all()
    for row in found:
        departing.mark_former(transaction, Person(*row))
    return len(found)


def _before(transaction: Transaction) -> int | None:
    """The moment since when somebody must not have been here; None if no name is to be freed now."""
    days = settings.read(transaction.connection).name_days
    noted = transaction.connection.execute(_NOTED_SINCE).scalar_one_or_none()
    if days is None or (noted is not None and transaction.now - int(noted) < days * DAY):
        return None
    return transaction.now - days * DAY


# A chat of an earlier release did not note who only read.
_NOTED_SINCE = select(kept.c.value).where(kept.c.name == SEEN_SINCE)
# Whoever leads the chat is not in question, claimed or not.
_IDLE = (
    select(*people.COLUMNS)
    .where(
        person.c.role.in_((people.APPLICANT, people.GUEST)),
        person.c.claimed_at.is_(None),
        person.c.former_at.is_(None),
        person.c.created_at < bindparam("before"),
        ~exists().where(
            session.c.person_id == person.c.id,
            or_(session.c.renewed_at >= bindparam("before"), session.c.seen_at >= bindparam("before")),
        ),
    )
    .limit(bindparam("most"))
)
_IDLE_ONE = _IDLE.where(person.c.id == bindparam("person_id"))
