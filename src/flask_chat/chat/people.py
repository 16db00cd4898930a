"""People: who has which name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    String,
    Table,
    bindparam,
    insert,
    select,
    update,
)

from .. import events
from ..db import Transaction, metadata
from . import memberships, names, rooms, settings
from .errors import Invalid, NotFound, Refused, Taken, TooLong

KEY = String(512).with_variant(String(512, collation="C"), "postgresql")
"""Keys of names are compared and put in order byte by byte, on every engine."""

person = Table(
    "person",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("username", String(128), nullable=False),
    Column("key", KEY, nullable=False, unique=True),
    Column("role", String(16), nullable=False),
    Column("created_at", BigInteger, nullable=False),
    # When the name was claimed with a password, a passkey or another proof; when it was released, or given up.
    Column("claimed_at", BigInteger),
    Column("former_at", BigInteger),
)

former_name = Table(
    "former_name",
    metadata,
    Column("key", String(512), primary_key=True),
    Column("username", String(128), nullable=False),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("created_at", BigInteger, nullable=False),
)

RENAMED = frozenset({"person.departed", "person.renamed"})
"""The types of event after which what somebody wrote stands under another name."""

APPLICANT, GUEST, MEMBER, MODERATOR, OWNER = "applicant", "guest", "member", "moderator", "owner"
"""The roles, each with all the rights of those before it. A guest is somebody whose name is not claimed."""


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
    """The person who has, or once had, the name ``username`` or one that cannot be told from it by eye."""
    found = _holder(connection, username)
    return None if found is None else found[0]


def find(connection: Connection, username: str) -> Person:
    """The person with exactly this name, whatever its case; they may be called otherwise by now.

    Raises :class:`NotFound`.
    """
    found = _holder(connection, username)
    if found is None or names.fold(found[1]) != names.fold(username):
        raise NotFound("There is nobody of that name here.")
    return found[0]


def holding(connection: Connection, key: str) -> tuple[Person, str] | None:
    """Who has a name with this key, or once had, and that name."""
    row = connection.execute(_BY_KEY, {"key": key}).first() or connection.execute(_BY_FORMER, {"key": key}).first()
    return None if row is None else (Person(row.id, row.username, row.role, row.created_at), row.name)


def taken(holder: Person, name: str) -> Taken:
    """Why somebody else cannot have a name."""
    if holder.username != name and names.key(holder.username) == names.key(name):
        reason = f"That looks too much like “{holder.username}”, who is here already. Choose another name."
    else:
        reason = f"“{name}” is taken. Choose another name."
    return Taken(reason, holder.username)


def check_name(raw: str) -> str:
    """The name as it is kept. Raises :class:`Invalid` or :class:`TooLong` with the reason."""
    try:
        return names.check(raw)
    except names.InvalidName as error:
        raise (TooLong if error.code == "too_long" else Invalid)(error.reason) from None


def add(transaction: Transaction, username: str, role: str = GUEST) -> Person:
    """Give a checked name that nobody has to a new person."""
    id: int = transaction.connection.execute(
        insert(person)
        .values(username=username, key=names.key(username), role=role, created_at=transaction.now)
        .returning(person.c.id)
    ).scalar_one()
    events.record(transaction, "person.joined", person_id=id, subject_id=id)
    lobby = rooms.lobby(transaction.connection)
    if lobby is not None and role != APPLICANT and settings.read(transaction.connection).lobby:
        memberships.enrol(transaction, lobby, id)
    return Person(id, username, role, transaction.now)


def shown(who: Person) -> dict[str, Any]:
    """What an event says of somebody whose messages stand under another name now: all that a page shows of it."""
    return {"username": who.username, "initials": who.initials, "colour": who.colour}


def has_owner(connection: Connection) -> bool:
    """Whether somebody has taken charge of this chat."""
    return connection.execute(select(person.c.id).where(person.c.role == OWNER).limit(1)).first() is not None


def appoint_owner(transaction: Transaction, chosen: Person) -> None:
    """Put ``chosen`` in charge. Raises :class:`Refused` if somebody is already."""
    if has_owner(transaction.connection):
        raise Refused("This chat has an owner already.")
    transaction.connection.execute(update(person).where(person.c.id == chosen.id).values(role=OWNER))
    events.record(transaction, "owner.appointed", person_id=chosen.id, subject_id=chosen.id)


def _holder(connection: Connection, username: str) -> tuple[Person, str] | None:
    try:
        return holding(connection, names.key(check_name(username)))
    except (Invalid, TooLong):
        return None


COLUMNS = (person.c.id, person.c.username, person.c.role, person.c.created_at)

_BY_KEY = select(*COLUMNS, person.c.username.label("name")).where(person.c.key == bindparam("key"))
_BY_FORMER = (
    select(*COLUMNS, former_name.c.username.label("name"))
    .join(person, person.c.id == former_name.c.person_id)
    .where(former_name.c.key == bindparam("key"))
)
