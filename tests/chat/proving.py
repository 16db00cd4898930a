"""People who have claimed their names."""

from __future__ import annotations

import pytest

from flask_chat.chat import credentials, passwords, sessions
from flask_chat.chat.people import Person
from flask_chat.db import Transaction
from flask_chat.http.services import Services

GOOD = "correct horse battery"
"""A password that is strong enough."""


def joined(chat: Services, name: str) -> Person:
    """Somebody who has just said their name."""
    return chat.db.write(lambda transaction: sessions.begin(transaction, name))[0]


def claimed(chat: Services, name: str, password: str = GOOD) -> Person:
    """Somebody who has set a password."""
    who = joined(chat, name)
    set_password(chat, who, password)
    return who


def set_password(chat: Services, who: Person, password: str) -> None:
    hash = passwords.make(passwords.check(password))

    def change(transaction: Transaction) -> None:
        passwords.put(transaction, who.id, hash)
        credentials.claim(transaction, who)

    chat.db.write(change)


def counted(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The hashes that passwords are compared with from here on: each is as much work as any other."""
    worked: list[str] = []
    real = passwords._right

    def right(hash: str, plain: str) -> bool:
        worked.append(hash)
        return real(hash, plain)

    monkeypatch.setattr(passwords, "_right", right)
    return worked
