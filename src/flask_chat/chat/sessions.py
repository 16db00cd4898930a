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
from contextlib import suppress
from dataclasses import dataclass

from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    ForeignKey,
    Integer,
    LargeBinary,
    Select,
    String,
    Table,
    and_,
    bindparam,
    delete,
    insert,
    or_,
    select,
    update,
)

from .. import config, events
from ..db import Database, StorageUnavailable, Transaction, metadata
from ..db.lists import among
from . import people, restrictions, settings
from .browsers import UNKNOWN, Browser
from .credentials import device_link
from .errors import Forbidden, NotFound
from .people import Person, person
from .restrictions import Restriction

session = Table(
    "session",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("person_id", ForeignKey("person.id"), nullable=False, index=True),
    Column("token_hash", LargeBinary(32), nullable=False, unique=True),
    Column("created_at", BigInteger, nullable=False),
    Column("renewed_at", BigInteger, nullable=False),
    # Signed out, it still proves that the name is this browser's; revoked, it proves nothing.
    Column("signed_out_at", BigInteger),
    Column("revoked_at", BigInteger),
    Column("seen_at", BigInteger),
    Column("device", String(80)),
    Column("network", String(64)),
    # When its person last showed a password, a passkey or another proof in it.
    Column("proved_at", BigInteger),
)

LIFETIME = config.SESSION_DAYS * 86_400_000
"""Milliseconds that a session lives after it was begun or last renewed."""

RENEW_AFTER = 86_400_000
"""Milliseconds after which a session that posts is renewed: not at every request."""

REMEMBERED = 10_000
"""Sessions kept in memory."""

PROOF_LASTS = 600_000
"""Milliseconds for which a proof counts as fresh: as long as it may take to change what protects a name."""

NOTED_EVERY = 180.0
"""Seconds between two times that it is written down which sessions were used when."""

ABOUT_PEOPLE = frozenset({"owner.appointed", "person.claimed", "person.departed", "person.renamed", "role.changed"})
"""The types of event after which a person, the event's subject, is to be read anew."""


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
    transaction: Transaction,
    name: str,
    kept: Sequence[str] = (),
    token: str | None = None,
    *,
    browser: Browser = UNKNOWN,
    invited: bool = False,
) -> tuple[Person, str]:
    """Sign a browser in under a name that :func:`people.check_name` gave; returns the person and the session's token.

    ``token`` is the one to take: who knows it before can prove that the name is theirs even if the answer gets lost.
    ``kept`` are the tokens of earlier sessions that this browser still holds: they prove that a name is its own; one
    that is claimed only until they are signed out.
    ``invited``: it came by an invitation. Raises :class:`flask_chat.chat.errors.Taken`, or :class:`Forbidden`.
    """
    owner = people.named(transaction.connection, name)
    if owner is not None and not _proves(transaction.connection, owner.id, kept):
        # It knows sessions itself.
        from . import idle

        if not idle.release(transaction, owner):
            raise people.taken(owner, name)
        owner = None
    if owner is None:
        _refuse_banned(transaction, None, browser)
        owner = people.add(transaction, name, _role(transaction, invited))
    return owner, begin_as(transaction, owner, token, browser=browser)


def begin_as(
    transaction: Transaction,
    who: Person,
    token: str | None = None,
    *,
    browser: Browser = UNKNOWN,
    proved: bool = False,
) -> str:
    """Begin a session of somebody of whom it is certain that it is they; returns its token, which is always new.

    ``proved``: they have just shown a password, a passkey or another proof. Raises :class:`Forbidden` if they are
    banned.
    """
    _refuse_banned(transaction, who, browser)
    token = token or new_token()
    transaction.connection.execute(
        insert(session).values(
            person_id=who.id,
            token_hash=_hash(token),
            created_at=transaction.now,
            renewed_at=transaction.now,
            seen_at=transaction.now,
            device=browser.device,
            network=browser.network,
            proved_at=transaction.now if proved else None,
        )
    )
    return token


def renew(transaction: Transaction, used: list[Session]) -> list[None]:
    """Let sessions that are used live on from now."""
    # A post in the same commit needs the lock too, and must not wait for it with the session's row in hand.
    transaction.lock()
    transaction.connection.execute(
        update(session).where(session.c.id.in_([each.id for each in used])).values(renewed_at=transaction.now)
    )
    return [None for _ in used]


def sign_out(transaction: Transaction, id: int) -> None:
    """End a session: its token signs nobody in any more, and its open streams stop; its name stays its own."""
    _end(transaction, id, "signed_out_at")


def revoke(transaction: Transaction, id: int) -> None:
    """End a session for good: its token no longer proves, either, that the name is its holder's.

    Nor does a link for another device, which may have been made in it a moment ago.
    """
    _end(transaction, id, "revoked_at")
    whose = select(session.c.person_id).where(session.c.id == id).scalar_subquery()
    transaction.connection.execute(delete(device_link).where(device_link.c.person_id == whose))


def revoke_own(transaction: Transaction, person_id: int, id: int) -> None:
    """:func:`revoke` a session of this person. Raises :class:`NotFound` if it is not theirs."""
    mine = select(session.c.id).where(session.c.id == id, session.c.person_id == person_id)
    if transaction.connection.execute(mine).first() is None:
        raise NotFound("You have no such session.")
    revoke(transaction, id)


def revoke_all(transaction: Transaction, person_id: int, keep: int | None = None) -> None:
    """:func:`revoke` every session of somebody but ``keep``, those too that were signed out."""
    others = select(session.c.id).where(session.c.person_id == person_id, session.c.revoked_at.is_(None))
    for id in transaction.connection.execute(others).scalars().all():
        if id != keep:
            revoke(transaction, id)
    transaction.connection.execute(delete(device_link).where(device_link.c.person_id == person_id))


def prove(transaction: Transaction, id: int) -> None:
    """Note that a session's person has just shown a proof."""
    transaction.connection.execute(update(session).where(session.c.id == id).values(proved_at=transaction.now))


def proved(connection: Connection, id: int) -> bool:
    """Whether a session's person has shown a proof in the last minutes."""
    at = connection.execute(select(session.c.proved_at).where(session.c.id == id)).scalar_one_or_none()
    return at is not None and abs(time.time() * 1000 - at) <= PROOF_LASTS


def note(transaction: Transaction, batches: list[dict[int, int]]) -> list[None]:
    """Write down when sessions, by id, were last seen, to the minute: one statement for all that were in the same."""
    transaction.lock()
    minutes: dict[int, list[int]] = {}
    for id, at in (pair for batch in batches for pair in batch.items()):
        minutes.setdefault(at // 60_000 * 60_000, []).append(id)
    for at, ids in sorted(minutes.items()):
        transaction.connection.execute(_SEEN, {"ids": ids, "at": at})
    return [None for _ in batches]


def _role(transaction: Transaction, invited: bool) -> str:
    """What somebody new is. Raises :class:`Forbidden` if nobody may come of their own accord."""
    joining = "open" if invited else settings.joining(transaction.connection)
    if joining == settings.INVITED:
        raise Forbidden("This chat is by invitation. Ask somebody who is in it to send you one.")
    return people.APPLICANT if joining == settings.APPROVAL else people.GUEST


def _refuse_banned(transaction: Transaction, who: Person | None, browser: Browser) -> None:
    # Moderators ban ranges of addresses: they must not keep the owner out by that.
    address = None if who is not None and who.owner else browser.address
    found = restrictions.banned(transaction.connection, None if who is None else who.id, address, transaction.now)
    if found is not None:
        raise Forbidden(found.words)


def _end(transaction: Transaction, id: int, how: str) -> None:
    over = session.c.revoked_at.isnot(None) | session.c.signed_out_at.isnot(None)
    before = transaction.connection.execute(select(session.c.person_id, over).where(session.c.id == id)).first()
    if before is None:
        return
    transaction.connection.execute(
        update(session).where(session.c.id == id, session.c[how].is_(None)).values({how: transaction.now})
    )
    if not before[1]:
        events.record(transaction, "session.revoked", person_id=before.person_id, subject_id=id)


class Directory:
    """Finds sessions by token, and remembers those in use."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: OrderedDict[str, Session] = OrderedDict()
        self._ended = 0
        self._seen: dict[int, int] = {}
        self._note_at = time.monotonic() + NOTED_EVERY

    def known(self, token: str) -> Session | None:
        """The session of a token if it is in memory: never waits for the database."""
        found = self._known.get(token)
        if found is None or found.expired:
            return None
        self._see(found.id)
        return found

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
        self._see(found.id)
        with self._lock:
            # A session revoked while it was being read must not be remembered.
            if ended == self._ended:
                self._known[token] = found
                if len(self._known) > REMEMBERED:
                    self._known.popitem(last=False)
        return found

    def seen_at(self, id: int) -> int:
        """When a session was seen here and it was not yet written down, in milliseconds since 1970; else 0."""
        return self._seen.get(id, 0)

    def forget(self, token: str) -> None:
        """Read this session anew the next time."""
        with self._lock:
            self._known.pop(token, None)

    def hear(self, appended: Sequence[events.Event]) -> None:
        """Forget the sessions that committed events are about. They may come in any order, and more than once."""
        gone = {event.subject_id for event in appended if event.type == "session.revoked"}
        people = {event.subject_id for event in appended if event.type in ABOUT_PEOPLE}
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

    def _see(self, id: int) -> None:
        """Keep in memory that a session is used, and now and then have that written down, without waiting for it."""
        self._seen[id] = time.time_ns() // 1_000_000
        if time.monotonic() >= self._note_at:
            with self._lock:
                if time.monotonic() < self._note_at:
                    return
                self._note_at = time.monotonic() + NOTED_EVERY
                seen, self._seen = self._seen, {}
            with suppress(StorageUnavailable):
                self._database.submit(note, seen)


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
    .where(
        and_(
            session.c.token_hash == bindparam("hash"), session.c.revoked_at.is_(None), session.c.signed_out_at.is_(None)
        )
    )
)


_SEEN = update(session).where(among(session.c.id, "ids")).values(seen_at=bindparam("at"))


def holds(connection: Connection, person_id: int, kept: Sequence[str]) -> bool:
    """Whether one of these tokens was once a session of this person, and was not revoked."""
    return connection.execute(_held(kept).where(session.c.person_id == person_id).limit(1)).first() is not None


def _proves(connection: Connection, person_id: int, kept: Sequence[str]) -> bool:
    """Whether these tokens are proof enough of a name: one that is claimed is safe from who sits down there next."""
    query = _held(kept).join(person, person.c.id == session.c.person_id).where(person.c.id == person_id)
    enough = or_(person.c.claimed_at.is_(None), session.c.signed_out_at.is_(None))
    return connection.execute(query.where(enough).limit(1)).first() is not None


def _held(kept: Sequence[str]) -> Select[int]:
    hashes = [_hash(token) for token in kept]
    return select(session.c.person_id).where(session.c.revoked_at.is_(None), session.c.token_hash.in_(hashes))


def banned(connection: Connection, kept: Sequence[str]) -> Restriction | None:
    """The ban on somebody whom one of these tokens was once a session of, if there is one."""
    people = connection.execute(_held(kept)).scalars().all()
    return next(filter(None, (restrictions.banned(connection, person_id, None) for person_id in people)), None)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
