"""Recovery codes: for who has lost every other proof. Each works once; the chat keeps only their hashes.

A code is 80 bits of chance, so that a plain hash keeps it: there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import re
import secrets

from sqlalchemy import Connection, bindparam, delete, func, insert, select, update

from ..db import Transaction
from .credentials import recovery_code

CODES = 10
"""Codes that somebody gets at once."""

# Crockford's base 32: no letter that looks like another or like a digit.
_LETTERS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_CODE = re.compile(r"[0-9A-HJKMNP-TV-Z]{16}", re.ASCII)
_ALIKE = str.maketrans("OIL", "011")


def renew(transaction: Transaction, person_id: int) -> list[str]:
    """New codes, as they are shown this once; those from before work no more."""
    transaction.connection.execute(delete(recovery_code).where(recovery_code.c.person_id == person_id))
    codes = ["".join(secrets.choice(_LETTERS) for _ in range(16)) for _ in range(CODES)]
    transaction.connection.execute(
        insert(recovery_code),
        [{"person_id": person_id, "hash": _hash(code), "created_at": transaction.now} for code in codes],
    )
    return ["-".join(code[at : at + 4] for at in range(0, 16, 4)) for code in codes]


def left(connection: Connection, person_id: int) -> int:
    """How many of somebody's codes still work."""
    return int(connection.execute(_LEFT, {"person_id": person_id}).scalar_one())


def written(text: str) -> str | None:
    """The code that somebody has typed in, however they wrote it; None if it cannot be one."""
    plain = "".join(text[:200].upper().replace("-", " ").split()).translate(_ALIKE)
    return plain if _CODE.fullmatch(plain) else None


def fits(connection: Connection, person_id: int, code: str) -> bool:
    """Whether this is a code of theirs that works."""
    return connection.execute(_FITS, {"person_id": person_id, "hash": _hash(code)}).first() is not None


def use_up(transaction: Transaction, person_id: int, code: str) -> bool:
    """Let a code work no more; says whether it did until now."""
    used = transaction.connection.execute(
        update(recovery_code)
        .where(
            recovery_code.c.person_id == person_id,
            recovery_code.c.hash == _hash(code),
            recovery_code.c.used_at.is_(None),
        )
        .values(used_at=transaction.now)
        .returning(recovery_code.c.id)
    )
    return used.first() is not None


def _hash(code: str) -> bytes:
    return hashlib.sha256(code.encode()).digest()


_LEFT = (
    select(func.count())
    .select_from(recovery_code)
    .where(recovery_code.c.person_id == bindparam("person_id"), recovery_code.c.used_at.is_(None))
)
_FITS = select(recovery_code.c.id).where(
    recovery_code.c.person_id == bindparam("person_id"),
    recovery_code.c.hash == bindparam("hash"),
    recovery_code.c.used_at.is_(None),
)
