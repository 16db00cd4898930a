"""Proofs: how somebody shows, on any device, that a name is theirs.

It takes two steps, because the first is slow and the second must be whole. What is shown is looked at in the thread of
who asks; then, in one transaction, it is seen whether it still holds, and a session begins with it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from ..db import Database, Transaction
from . import passwords, people, recovery, sessions
from .browsers import UNKNOWN, Browser
from .errors import Unproven
from .people import Person

# The same words whether there is nobody of that name, they have no password, or it is another.
WRONG = "That name and that password or code do not belong together."


class Proof(Protocol):
    """Something shown that was found right a moment ago."""

    @property
    def person(self) -> Person:
        """Whose it is."""

    def holds(self, transaction: Transaction) -> bool:
        """Whether it is right still. What works once is used up by it."""


@dataclass(frozen=True, slots=True)
class PasswordShown:
    """A password that fitted ``hash``."""

    person: Person
    hash: str

    def holds(self, transaction: Transaction) -> bool:
        """Whether the password was not changed meanwhile."""
        return passwords.current(transaction.connection, self.person.id) == self.hash


@dataclass(frozen=True, slots=True)
class CodeShown:
    """A recovery code."""

    person: Person
    code: str

    def holds(self, transaction: Transaction) -> bool:
        """Use the code up."""
        return recovery.use_up(transaction, self.person.id, self.code)


def look(database: Database, username: str, secret: str) -> Proof:
    """What a name and a password, or a recovery code, prove.

    It does the same work whatever is wrong. Raises :class:`Unproven`, or :class:`flask_chat.chat.errors.Busy`.
    """
    code = recovery.written(secret)
    with database.read() as connection:
        found = people.named(connection, username)
        id = 0 if found is None else found.id
        hash = passwords.current(connection, id)
        by_code = recovery.fits(connection, id, code or "")
    by_password = passwords.fits(hash, secret)
    if found is not None and hash is not None and by_password:
        return PasswordShown(found, hash)
    if found is not None and code is not None and by_code:
        return CodeShown(found, code)
    raise Unproven(WRONG)


def begin(
    transaction: Transaction, proof: Proof, token: str | None = None, *, browser: Browser = UNKNOWN
) -> tuple[Person, str]:
    """Sign a browser in by a proof; returns the person and the new session's token.

    Raises :class:`Unproven`, or :class:`flask_chat.chat.errors.Forbidden` if they are banned.
    """
    if not proof.holds(transaction):
        raise Unproven(WRONG)
    return proof.person, sessions.begin_as(transaction, proof.person, token, browser=browser, proved=True)


def renew(transaction: Transaction, proof: Proof, session_id: int, person_id: int) -> None:
    """Note that who is signed in has shown a proof just now. Raises :class:`Unproven`."""
    if proof.person.id != person_id or not proof.holds(transaction):
        raise Unproven(WRONG)
    sessions.prove(transaction, session_id)
