"""Taking back what was said, for programs."""

from __future__ import annotations

from flask import Blueprint

from ..chat import moderation, rooms
from ..db import Transaction
from ..http.visitor import member, services

blueprint = Blueprint("api_moderation", __name__)


@blueprint.delete("/api/rooms/<slug>/messages/<long:id>")
def delete(slug: str, id: int) -> tuple[str, int]:
    """Delete a message for good: one's own, or as who keeps order there. 204, also if it is deleted already."""
    person = member()

    def change(transaction: Transaction) -> None:
        room, _ = rooms.visible(transaction.connection, person, slug)
        moderation.delete_message(transaction, person, room, id)

    services().db.write(change)
    return "", 204
