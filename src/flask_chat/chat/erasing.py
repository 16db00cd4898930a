"""Erasing: nothing of what a message said is left, wherever it was kept; its place in the log stays."""

from __future__ import annotations

from collections.abc import Sequence

from sqlalchemy import BigInteger, Text, bindparam, column, delete, table, update

from ..db import Transaction
from ..db.lists import among
from .mentions import mention
from .messages import message


def erase(transaction: Transaction, ids: Sequence[int]) -> None:
    """Let messages say nothing any more. Telling those who have read them is up to who asks for it."""
    chosen = {"ids": list(ids)}
    transaction.connection.execute(_MENTIONS, chosen)
    transaction.connection.execute(_MESSAGES, {**chosen, "now": transaction.now})
    transaction.connection.execute(_REPORTS, chosen)


# Reports know who erases: their table is named here by its columns alone.
_REPORT = table("report", column("message_id", BigInteger), column("said", Text))
_MENTIONS = delete(mention).where(among(mention.c.message_id, "ids"))
_MESSAGES = (
    update(message)
    .where(among(message.c.id, "ids"))
    .values(text="", mentions=None, sent_check=None, deleted_at=bindparam("now"))
)
_REPORTS = update(_REPORT).where(among(_REPORT.c.message_id, "ids")).values(said=None)
