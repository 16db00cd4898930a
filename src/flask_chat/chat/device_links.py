"""Device links: how somebody who is signed in signs in on another device of theirs.

A link is good for two minutes and for one use, and only the newest of each person. The chat keeps its hash.
"""

from __future__ import annotations

import hashlib
import secrets

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from ..db import Transaction
from . import sessions
from .browsers import UNKNOWN, Browser
from .credentials import device_link
from .errors import NotFound
from .people import Person, person

LIFETIME = 120_000
"""Milliseconds in which a link must be used."""

GONE = "This link is not valid any more. It works once, for two minutes: make a new one on the other device."


def make(transaction: Transaction, who: Person) -> str:
    """A new link's token; those that were made before work no more."""
    transaction.connection.execute(delete(device_link).where(device_link.c.person_id == who.id))
    token = secrets.token_urlsafe(20)
    transaction.connection.execute(
        insert(device_link).values(token_hash=_hash(token), person_id=who.id, created_at=transaction.now)
    )
    return token


def find(connection: Connection, token: str, now: int) -> Person:
    """Whose a link is, if it works at ``now``, in milliseconds since 1970. Raises :class:`NotFound`."""
    row = connection.execute(_LINKS, {"hash": _hash(token)}).first()
    # Either way: the clock may have been set back since it was made.
    if row is None or row.used_at is not None or abs(now - row.link_made_at) > LIFETIME:
        raise NotFound(GONE)
    return Person(row.id, row.username, row.role, row.created_at)


def use(
    transaction: Transaction, token: str, session_token: str | None = None, *, browser: Browser = UNKNOWN
) -> tuple[Person, str]:
    """Use a link up: sign a browser in as the person whose it is; returns them and the new session's token.

    Raises :class:`NotFound`, or :class:`flask_chat.chat.errors.Forbidden` if they are banned.
    """
    transaction.lock()
    who = find(transaction.connection, token, transaction.now)
    transaction.connection.execute(
        update(device_link).where(device_link.c.token_hash == _hash(token)).values(used_at=transaction.now)
    )
    return who, sessions.begin_as(transaction, who, session_token, browser=browser)


def _hash(token: str) -> bytes:
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()


_LINKS = (
    select(
        person.c.id,
        person.c.username,
        person.c.role,
        person.c.created_at,
        device_link.c.used_at,
        device_link.c.created_at.label("link_made_at"),
    )
    .join(person, person.c.id == device_link.c.person_id)
    .where(device_link.c.token_hash == bindparam("hash"))
)
