"""Small texts that all processes of a chat keep together in its database: its secret, its owner's link."""

from __future__ import annotations

import secrets

from sqlalchemy import Column, String, Table, Text, delete, insert, select

from ..db import Database, Transaction, metadata

kept = Table(
    "kept",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

SECRET, OWNER_LINK, CHAT = "secret.key", "owner.token", "chat.id"
"""The names: what signs cookies, the owner's one-time token, and what tells this chat from others on the same bus."""


def ensure(transaction: Transaction, name: str) -> str:
    """The text of a name; it is made by chance the first time."""
    found = transaction.connection.execute(select(kept.c.value).where(kept.c.name == name)).scalar_one_or_none()
    if found is None:
        found = secrets.token_urlsafe(48)
        transaction.connection.execute(insert(kept).values(name=name, value=found))
    return str(found)


class DatabaseKeep:
    """What is kept, for those who do not write transactions; see :class:`flask_chat.datafolder.FolderKeep`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def ensure(self, name: str) -> str:
        """The text of a name; it is made by chance the first time."""
        return self.find(name) or self._database.write(lambda transaction: ensure(transaction, name))

    def find(self, name: str) -> str | None:
        """The text of a name, or None."""
        with self._database.read() as connection:
            return connection.execute(select(kept.c.value).where(kept.c.name == name)).scalar_one_or_none()

    def drop(self, name: str) -> None:
        """Forget a name."""

        def change(transaction: Transaction) -> None:
            transaction.connection.execute(delete(kept).where(kept.c.name == name))

        self._database.write(change)
