"""Renaming: another name for the same person. The old one stays theirs, and leads to the new one."""

from __future__ import annotations

from dataclasses import replace

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from .. import events
from ..db import Transaction
from . import idle, names, people
from .errors import Refused
from .people import Person, former_name, person

MOST_FORMER = 10
"""Names that somebody may have given up and still hold."""


def rename(transaction: Transaction, who: Person, raw_name: str) -> Person:
    """Give somebody another name, one of their former ones or one that is free; returns them as they are called now.

    Everybody is told, if it is different. Raises :class:`Invalid`, :class:`TooLong` or :class:`Taken` with the reason,
    and :class:`Refused` for one name too many.
    """
    name = people.check_name(raw_name)
    transaction.lock()
    connection = transaction.connection
    # The browser may not have heard of a name that was given a moment ago.
    was = connection.execute(select(person.c.username).where(person.c.id == who.id)).scalar_one()
    if name == was:
        return replace(who, username=was)
    key = names.key(name)
    holder = people.holding(connection, key)
    if holder is not None and holder[0].id != who.id and not idle.release(transaction, holder[0]):
        raise people.taken(holder[0], name)
    connection.execute(delete(former_name).where(former_name.c.key == key))
    if names.key(was) != key:
        _keep(transaction, who, was)
    connection.execute(update(person).where(person.c.id == who.id).values(username=name, key=key))
    renamed = replace(who, username=name)
    events.record(transaction, "person.renamed", subject_id=who.id, was=was, **people.shown(renamed))
    return renamed


def former(connection: Connection, who: Person) -> list[str]:
    """The names that somebody has given up and still holds, the latest first."""
    return list(connection.execute(_FORMER, {"person_id": who.id}).scalars())


def _keep(transaction: Transaction, who: Person, was: str) -> None:
    held = transaction.connection.execute(
        select(func.count()).select_from(former_name).where(former_name.c.person_id == who.id)
    ).scalar_one()
    if held >= MOST_FORMER:
        raise Refused(f"You hold {MOST_FORMER} former names already. Take one of them back instead.")
    transaction.connection.execute(
        insert(former_name).values(key=names.key(was), username=was, person_id=who.id, created_at=transaction.now)
    )


_FORMER = (
    select(former_name.c.username)
    .where(former_name.c.person_id == bindparam("person_id"))
    .order_by(former_name.c.created_at.desc(), former_name.c.key)
)
