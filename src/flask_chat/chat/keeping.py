"""Small texts that all processes of a chat keep together in its database: its secret, its owner's link."""

from __future__ import annotations

import secrets

from sqlalchemy import Column, String, Table, Text, delete, insert, select, update

from ..db import Database, Transaction, metadata

kept = Table(
    "kept",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

DAY = 86_400_000

SECRET, OWNER_LINK, CHAT = "secret.key", "owner.token", "chat.id"
"""The names: what signs cookies, the owner's one-time token, and what tells this chat from others on the same bus."""

SEEN_SINCE = "seen.since"
"""Since when it is noted who is here, in milliseconds since 1970, UTC; absent if it always was. Kept by a migration."""


def ensure(transaction: Transaction, name: str) -> str:
    """The text of a name; it is made by chance the first time."""
    found = transaction.connection.execute(select(kept.c.value).where(kept.c.name == name)).scalar_one_or_none()
    if found is None:
        found = secrets.token_urlsafe(48)
        transaction.connection.execute(insert(kept).values(name=name, value=found))
    return str(found)


def claim(transaction: Transaction, name: str) -> bool:
    """Whether nobody has claimed a name in the last day; then it is claimed now.

    A clock that was set back since makes nobody wait for longer than that.
    """
    transaction.lock()
    connection, now = transaction.connection, transaction.now
    last = connection.execute(select(kept.c.value).where(kept.c.name == name)).scalar_one_or_none()
    if last is None:
        connection.execute(insert(kept).values(name=name, value=str(now)))
        return True
    if abs(now - int(last)) < DAY:
        return False
    connection.execute(update(kept).where(kept.c.name == name).values(value=str(now)))
    return True


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
