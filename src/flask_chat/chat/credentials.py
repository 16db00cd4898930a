"""Credentials: what proves that a name is somebody's, on any device."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    ScalarSelect,
    String,
    Table,
    bindparam,
    delete,
    func,
    select,
    update,
)

from .. import events
from ..db import Transaction, metadata
from . import people
from .people import Person, person

password = Table(
    "password",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("hash", String(200), nullable=False),
    Column("changed_at", BigInteger, nullable=False),
)

recovery_code = Table(
    "recovery_code",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("hash", LargeBinary(32), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

passkey = Table(
    "passkey",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("credential_id", LargeBinary(1023), nullable=False, unique=True),
    Column("public_key", LargeBinary, nullable=False),
    Column("sign_count", BigInteger, nullable=False),
    Column("name", String(80), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

device_link = Table(
    "device_link",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
    Column("used_at", BigInteger),
)

identity = Table(
    "identity",
    metadata,
    Column("issuer", String(255), primary_key=True),
    Column("subject", String(255), primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)


@dataclass(frozen=True, slots=True)
class Held:
    """What somebody can prove their name with; ``claimed`` if anything."""

    claimed: bool
    password: bool
    passkeys: int
    codes: int
    identities: int

    def something(self, provider: bool) -> bool:
        """Whether there is anything that can be shown again; ``provider``: whether an identity can be."""
        return bool(self.password or self.passkeys or self.codes or (self.identities and provider))


def held(connection: Connection, person_id: int) -> Held:
    """What somebody can prove their name with."""
    row = connection.execute(_HELD, {"person_id": person_id}).one()
    return Held(row.claimed_at is not None, row.passwords > 0, row.passkeys, row.codes, row.identities)


def claim(transaction: Transaction, who: Person) -> None:
    """Note that somebody has a proof of their name now: a guest is a member from here on."""
    claimed = transaction.connection.execute(
        update(person)
        .where(person.c.id == who.id, person.c.claimed_at.is_(None))
        .values(claimed_at=transaction.now)
        .returning(person.c.role)
    ).scalar_one_or_none()
    if claimed is None:
        return
    if claimed == people.GUEST:
        transaction.connection.execute(update(person).where(person.c.id == who.id).values(role=people.MEMBER))
    events.record(transaction, "person.claimed", person_id=who.id, subject_id=who.id)


def drop(transaction: Transaction, person_id: int) -> None:
    """Take every proof away, as from somebody who has left for good."""
    for table in (password, recovery_code, passkey, device_link, identity):
        transaction.connection.execute(delete(table).where(table.c.person_id == person_id))


def _count(table: Table, *conditions: ColumnElement[bool]) -> ScalarSelect[int]:
    return (
        select(func.count()).select_from(table).where(table.c.person_id == person.c.id, *conditions).scalar_subquery()
    )


_HELD = select(
    person.c.claimed_at,
    _count(password).label("passwords"),
    _count(passkey).label("passkeys"),
    _count(recovery_code, recovery_code.c.used_at.is_(None)).label("codes"),
    _count(identity).label("identities"),
).where(person.c.id == bindparam("person_id"))
