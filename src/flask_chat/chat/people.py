"""People: who has which name."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Connection, Integer, String, Table, insert, select, update

from .. import events
from ..db import Transaction, metadata
from . import names
from .errors import Invalid, NotFound, Refused, TooLong

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(128), nullable=False),
    Column("key", String(512), nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

MEMBER, OWNER = "member", "owner"


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name. ``created_at`` is in milliseconds since 1970, UTC."""

    id: int
    username: str
    role: str
    created_at: int

    @property
    def initials(self) -> str:
        """One or two characters for the avatar."""
        return names.initials(self.username)

    @property
    def colour(self) -> int:
        """The place of this person's colour in the palette, 0 to 11."""
        return names.colour(self.username)

    @property
    def owner(self) -> bool:
        """Whether this chat is theirs."""
        return self.role == OWNER


def named(connection: Connection, username: str) -> Person | None:
    """The person whose name is ``username`` or cannot be told from it by eye."""
    try:
        key = names.key(check_name(username))
    except Refused:
        return None
    row = connection.execute(_PEOPLE.where(person.c.key == key)).first()
    return None if row is None else Person(row.id, row.username, row.role, row.created_at)


def find(connection: Connection, username: str) -> Person:
    """The person with exactly this name, whatever its case. Raises :class:`NotFound`."""
    found = named(connection, username)
    if found is None or names.fold(found.username) != names.fold(username):
        raise NotFound("There is nobody of that name here.")
    return found


def check_name(raw: str) -> str:
    """The name as it is kept. Raises :class:`Invalid` or :class:`TooLong` with the reason."""
    try:
        return names.check(raw)
    except names.InvalidName as error:
        raise (TooLong if error.code == "too_long" else Invalid)(error.reason) from None


def add(transaction: Transaction, username: str) -> Person:
    """Give a checked name that nobody has to a new person."""
    id: int = transaction.connection.execute(
        insert(person)
        .values(username=username, key=names.key(username), role=MEMBER, created_at=transaction.now)
        .returning(person.c.id)
    ).scalar_one()
    events.record(transaction, "person.joined", person_id=id, subject_id=id)
    return Person(id, username, MEMBER, transaction.now)


def has_owner(connection: Connection) -> bool:
    """Whether somebody has taken charge of this chat."""
    return connection.execute(select(person.c.id).where(person.c.role == OWNER).limit(1)).first() is not None


def appoint_owner(transaction: Transaction, chosen: Person) -> None:
    """Put ``chosen`` in charge. Raises :class:`Refused` if somebody is already."""
    if has_owner(transaction.connection):
        raise Refused("This chat has an owner already.")
    transaction.connection.execute(update(person).where(person.c.id == chosen.id).values(role=OWNER))
    events.record(transaction, "owner.appointed", person_id=chosen.id, subject_id=chosen.id)


_PEOPLE = select(person.c.id, person.c.username, person.c.role, person.c.created_at)
