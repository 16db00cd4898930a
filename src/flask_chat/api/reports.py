"""Reporting a message to the moderators, for programs."""

from __future__ import annotations

from flask import Blueprint

from ..chat import reports, rooms
from ..db import Transaction
from ..http.bodies import contents
from ..http.visitor import member, services

blueprint = Blueprint("api_reports", __name__)


@blueprint.post("/api/rooms/<slug>/messages/<long:id>/report")
def create(slug: str, id: int) -> tuple[str, int]:
    """Report a message, with a reason or without. 204, also if the same person had reported it already."""
    person = member()
    reason = contents('{"reason": "…"}').get("reason", "")
    services().limits.reporting(person.id)

    def change(transaction: Transaction) -> None:
        room = rooms.for_member(transaction.connection, person, slug)
        reports.file(transaction, person, room, id, reason)

    services().db.write(change)
    return "", 204
