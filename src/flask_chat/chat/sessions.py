"""Sessions: which browser is whom.

The browser holds a random token; the database holds its SHA-256, so that a stolen copy of the database signs nobody
in. A name belongs to the browser that took it: a session that was signed out no longer signs in by itself, but the
browser that still holds its token may take the name again.
"""

from __future__ import annotations

import hashlib
import secrets
import threading
import time
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Integer,
    LargeBinary,
    Table,
    and_,
    bindparam,
    insert,
    select,
    update,
)

from .. import config, events
from ..db import Database, Transaction, metadata
from . import people
from .errors import Taken
from .people import Person, person

session = Table(
    "session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
    Column("revoked_at", BigInteger),
)

LIFETIME = config.SESSION_DAYS * 86_400_000
"""Milliseconds that a session lives after it was begun or last renewed."""

RENEW_AFTER = 86_400_000
"""Milliseconds after which a session that posts is renewed: not at every request."""

REMEMBERED = 10_000
"""Sessions kept in memory."""


@dataclass(frozen=True, slots=True)
class Session:
    """A signed-in browser. Times are in milliseconds since 1970, UTC."""

    id: int
    person: Person
    renewed_at: int

    @property
    def due(self) -> bool:
        """Whether it has gone a day without being renewed."""
        return time.time() * 1000 > self.renewed_at + RENEW_AFTER

    @property
    def expired(self) -> bool:
        """Whether it has gone unused for too long."""
        return time.time() * 1000 > self.renewed_at + LIFETIME


def new_token() -> str:
    """What a browser will prove itself with."""
    return secrets.token_urlsafe(32)


def begin(
    transaction: Transaction, name: str, kept: Sequence[str] = (), token: str | None = None
) -> tuple[Person, str]:
    """Sign a browser in under a name that :func:`people.check_name` gave; returns the person and the session's token.

    ``token`` is the one to take: who knows it before can prove that the name is theirs even if the answer gets lost.
    ``kept`` are the tokens of earlier sessions that this browser still holds: they prove that a name is its own.
    Raises :class:`Taken`.
    """
    owner = people.named(transaction.connection, name)
    if owner is None:
        owner = people.add(transaction, name)
    elif not _held(transaction, owner, kept):
        raise Taken(
            f"“{owner.username}” is taken. Choose another name."
            if owner.username == name
            else f"That looks too much like “{owner.username}”, who is here already. Choose another name."
        )
    token = token or new_token()
    transaction.connection.execute(
        insert(session).values(
            person_id=owner.id,
            token_hash=_hash(token),
            created_at=transaction.now,
            renewed_at=transaction.now,
        )
    )
    return owner, token


def renew(transaction: Transaction, used: list[Session]) -> list[None]:
    """Let sessions that are used live on from now."""
    # A post in the same commit needs the lock too, and must not wait for it with the session's row in hand.
    transaction.lock()
    transaction.lock()
    transaction.connection.execute(
        update(session).where(session.c.id.in_([each.id for each in used])).values(renewed_at=transaction.now)
    )
    return [None for _ in used]


def revoke(transaction: Transaction, id: int) -> None:
    """End a session: its token signs nobody in any more, and its open streams stop."""
    ended = transaction.connection.execute(
        update(session)
        .where(session.c.id == id, session.c.revoked_at.is_(None))
        .values(revoked_at=transaction.now)
        .returning(session.c.person_id)
    ).first()
    if ended is not None:
        events.record(transaction, "session.revoked", person_id=ended.person_id, subject_id=id)


class Directory:
    """Finds sessions by token, and remembers those in use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Session] = OrderedDict()
        self._ended = 0

    def known(self, token: str) -> Session | None:
        """The session of a token if it is in memory: never waits for the database."""
        found = self._known.get(token)
        return None if found is None or found.expired else found

    def find(self, token: str) -> Session | None:
        """The session of a token, or None if there is none, or it was revoked or has expired."""
        found = self.known(token)
        if found is not None:
            return found
        ended = self._ended
        with self._database.read() as connection:
            row = connection.execute(_SESSIONS, {"hash": _hash(token)}).first()
        if row is None:
            return None
        found = Session(row.session_id, Person(row.id, row.username, row.role, row.created_at), row.renewed_at)
        if found.expired:
            return None
        with self._lock:
            # A session revoked while it was being read must not be remembered.
            if ended == self._ended:
                self._known[token] = found
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return found

    def forget(self, token: str) -> None:
        """Read this session anew the next time."""
        with self._lock:
            self._known.pop(token, None)

    def hear(self, appended: Sequence[events.Event]) -> None:
        """Forget the sessions that committed events are about. They may come in any order, and more than once."""
        gone = {event.subject_id for event in appended if event.type == "session.revoked"}
        people = {event.person_id for event in appended if event.type == "owner.appointed"}
        if gone or people:
            with self._lock:
                self._ended += 1
                for token, known in list(self._known.items()):
                    if known.id in gone or known.person.id in people:
                        del self._known[token]

    def clear(self) -> None:
        """Forget all sessions: nobody knows what was missed."""
        with self._lock:
            self._ended += 1
            self._known.clear()


_SESSIONS = (
    select(
        session.c.id.label("session_id"),
        session.c.renewed_at,
        person.c.id,
        person.c.username,
        person.c.role,
        person.c.created_at,
    )
    .join(person, person.c.id == session.c.person_id)
    .where(and_(session.c.token_hash == bindparam("hash"), session.c.revoked_at.is_(None)))
)


def _held(transaction: Transaction, owner: Person, kept: Sequence[str]) -> bool:
    """Whether one of the tokens was once a session of ``owner``."""
    return (
        transaction.connection.execute(
            select(session.c.id)
            .where(session.c.person_id == owner.id, session.c.token_hash.in_([_hash(token) for token in kept]))
            .limit(1)
        ).first()
        is not None
    )


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
