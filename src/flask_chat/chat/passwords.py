"""Passwords: one of the proofs that a name is somebody's.

They are kept as argon2id (RFC 9106) with the parameters of the OWASP Password Storage Cheat Sheet. Hashing takes tens
of milliseconds and 19 MiB: it is done in the thread of who asks, never in a transaction, and by few at once.
"""

from __future__ import annotations

import threading
import unicodedata
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from sqlalchemy import Connection, bindparam, delete, insert, select

from ..db import Database, Transaction
from .credentials import password
from .errors import Busy, Invalid, TooLong

MAX_CHARACTERS = 1_024
"""Longest password, in characters."""

STRENGTH = 3
"""The least strength that zxcvbn must find, 0 to 4: 3 is more than 10^8 guesses."""

AT_ONCE = 2
"""Passwords that are hashed at the same time: the memory that they take is bounded by it."""

PATIENCE = 3.0
"""Seconds that one waits for its turn."""


def check(text: str, *known: str) -> str:
    """A new password as it is hashed: NFKC, so that it is the same from every keyboard.

    ``known`` are words that whoever guesses will try first: the person's name, the chat's. There are no rules of
    composition (NIST SP 800-63B, 5.1.1.2). Raises :class:`Invalid` or :class:`TooLong` with the reason.
    """
    if not text:
        raise Invalid("Please write a password.")
    if len(text) > MAX_CHARACTERS:
        raise TooLong(f"A password has {MAX_CHARACTERS:,} characters at most.")
    plain = _plain(text)
    strength, hint = _strength(plain, known)
    if strength < STRENGTH:
        raise Invalid(f"That password is too easy to guess. {hint}".strip())
    return plain


def make(checked: str) -> str:
    """The hash of a password that :func:`check` gave. Raises :class:`Busy`."""
    with _turn():
        return _HASHER.hash(checked)


def put(transaction: Transaction, person_id: int, hash: str) -> None:
    """Let a hash that :func:`make` gave be somebody's only password."""
    transaction.connection.execute(delete(password).where(password.c.person_id == person_id))
    transaction.connection.execute(insert(password).values(person_id=person_id, hash=hash, changed_at=transaction.now))


def current(connection: Connection, person_id: int) -> str | None:
    """The hash of somebody's password, or None if they have none."""
    return connection.execute(_CURRENT, {"person_id": person_id}).scalar_one_or_none()


def verify(database: Database, person_id: int, attempt: str) -> bool:
    """Whether this is somebody's password. It takes the same work if they have none. Raises :class:`Busy`."""
    with database.read() as connection:
        hash = current(connection, person_id)
    return fits(hash, attempt)


def fits(hash: str | None, attempt: str) -> bool:
    """Whether a password is the one of a hash; without a hash it takes the same work. Raises :class:`Busy`."""
    # Somebody may send a whole body of it.
    plain = _plain(attempt[: MAX_CHARACTERS + 1])
    # Made before the turn is taken: it takes one itself.
    against = hash or _nobodys()
    with _turn():
        right = _right(against, plain)
    return right and hash is not None and len(attempt) <= MAX_CHARACTERS


def _right(hash: str, plain: str) -> bool:
    try:
        return _HASHER.verify(hash, plain)
    except (VerificationError, InvalidHashError):
        return False


@contextmanager
def _turn() -> Iterator[None]:
    if not _TURNS.acquire(timeout=PATIENCE):
        raise Busy("Too many people are signing in just now. Try again in a moment.")
    try:
        yield
    finally:
        _TURNS.release()


def _plain(text: str) -> str:
    try:
        return unicodedata.normalize("NFKC", text).encode().decode()
    except UnicodeEncodeError:
        raise Invalid("That password has a character that cannot be kept.") from None


def _strength(plain: str, known: Sequence[str]) -> tuple[int, str]:
    """What zxcvbn says of a password, and what it advises."""
    # Its lists are large, and most processes never need them.
    from zxcvbn import zxcvbn

    words = [word for name in known for word in (name, *name.split())]
    # It keeps the words in a table that all calls share. What is beyond its longest text adds to the strength.
    with _GUESSING:
        found = zxcvbn(plain[:72], user_inputs=words)
    advice = [found["feedback"]["warning"], *found["feedback"]["suggestions"]]
    return found["score"], " ".join(f"{each.rstrip('.')}." for each in advice if each)


@cache
def _nobodys() -> str:
    """The hash of a password that nobody has."""
    return _HASHER.hash("nobody has it")


_HASHER = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_TURNS = threading.BoundedSemaphore(AT_ONCE)
_GUESSING = threading.Lock()
_CURRENT = select(password.c.hash).where(password.c.person_id == bindparam("person_id"))
