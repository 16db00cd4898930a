"""Blocks: whom somebody does not want to hear.

Their messages are folded away where the blocker reads, and no direct messages pass between the two. The blocked one is
not told.
"""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Table, bindparam, delete, insert, or_, select

from .. import events
from ..db import Transaction, metadata
from .errors import Invalid
from .people import Person, person

block = Table(
    "block",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("blocked_id", ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("created_at", BigInteger, nullable=False),
)


def between(connection: Connection, one: Person, other: Person) -> bool:
    """Whether one of two people has blocked the other."""
    return connection.execute(_BETWEEN, {"one": one.id, "other": other.id}).first() is not None


def of(connection: Connection, blocker: Person) -> list[str]:
    """The names of those whom somebody has blocked, in alphabetical order of their keys."""
    return list(connection.execute(_OF, {"person_id": blocker.id}).scalars())


def add(transaction: Transaction, blocker: Person, other: Person) -> bool:
    """Block somebody; says whether they were not before. Raises :class:`Invalid` for oneself."""
    if blocker.id == other.id:
        raise Invalid("You cannot block yourself.")
    transaction.lock()
    if transaction.connection.execute(_ONE, {"one": blocker.id, "other": other.id}).first() is not None:
        return False
    transaction.connection.execute(
        insert(block).values(person_id=blocker.id, blocked_id=other.id, created_at=transaction.now)
    )
    events.record(transaction, "block.added", person_id=blocker.id, subject_id=other.id, username=other.username)
    return True


def remove(transaction: Transaction, blocker: Person, other: Person) -> bool:
    """Hear somebody again; says whether they were blocked."""
    transaction.lock()
    gone = transaction.connection.execute(
        delete(block)
        .where(block.c.person_id == blocker.id, block.c.blocked_id == other.id)
        .returning(block.c.blocked_id)
    ).first()
    if gone is None:
        return False
    events.record(transaction, "block.removed", person_id=blocker.id, subject_id=other.id, username=other.username)
    return True


_ONE = select(block.c.blocked_id).where(block.c.person_id == bindparam("one"), block.c.blocked_id == bindparam("other"))
_BETWEEN = select(block.c.person_id).where(
    or_(
        (block.c.person_id == bindparam("one")) & (block.c.blocked_id == bindparam("other")),
        (block.c.person_id == bindparam("other")) & (block.c.blocked_id == bindparam("one")),
    )
)
_OF = (
    select(person.c.username)
    .join(block, block.c.blocked_id == person.c.id)
    .where(block.c.person_id == bindparam("person_id"))
    .order_by(person.c.key)
)
