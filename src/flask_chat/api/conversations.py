"""Conversations for programs."""

from __future__ import annotations

from flask import Blueprint, Response

from ..chat import conversations
from ..http.bodies import contents
from ..http.visitor import member, services
from .rooms import listed

blueprint = Blueprint("api_conversations", __name__)


@blueprint.post("/api/conversations")
def create() -> Response:
    """The conversation with those named: 201 if it is new, 200 if it was there."""
    person = member()
    usernames = contents('{"with": ["<username>", …]}').get("with")
    chat = services()
    chat.limits.arranging(person.id)
    begun = chat.db.write(lambda transaction: conversations.begin(transaction, person, usernames))
    return listed(person, begun.room, 201 if begun.new else 200)
