"""Identities: who somebody is at a provider of OpenID Connect that the operator trusts."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, insert, select

from ..db import Transaction
from . import credentials
from .credentials import identity
from .errors import Conflict
from .people import COLUMNS, Person, person


@dataclass(frozen=True, slots=True)
class Identity:
    """Who a provider says that somebody is. ``name`` is what they may like to be called here."""

    issuer: str
    subject: str
    name: str = ""


@dataclass(frozen=True, slots=True)
class IdentityShown:
    """An identity that its provider has just confirmed."""

    person: Person
    identity: Identity

    def holds(self, transaction: Transaction) -> bool:
        """Whether it is still this person's."""
        found = bearer(transaction.connection, self.identity)
        return found is not None and found.id == self.person.id


def bearer(connection: Connection, who: Identity) -> Person | None:
    """The person here whose identity this is, or None."""
    row = connection.execute(_BEARER, {"issuer": who.issuer, "subject": who.subject}).first()
    return None if row is None else Person(*row)


def link(transaction: Transaction, person: Person, who: Identity) -> None:
    """Let an identity prove somebody's name, which it claims. Raises :class:`Conflict` if it is another's."""
    transaction.lock()
    before = bearer(transaction.connection, who)
    if before is not None and before.id != person.id:
        raise Conflict("That account belongs to another name here.")
    if before is None:
        transaction.connection.execute(
            insert(identity).values(
                issuer=who.issuer, subject=who.subject, person_id=person.id, created_at=transaction.now
            )
        )
    credentials.claim(transaction, person)


_BEARER = (
    select(*COLUMNS)
    .join(identity, identity.c.person_id == person.c.id)
    .where(identity.c.issuer == bindparam("issuer"), identity.c.subject == bindparam("subject"))
)
