"""Editing a message, for programs."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from ..chat import editing, messages
from ..http.bodies import contents
from ..http.visitor import member, services

blueprint = Blueprint("api_editing", __name__)


@blueprint.patch("/api/rooms/<slug>/messages/<long:id>")
def edit(slug: str, id: int) -> Response:
    """Give a message of one's own other words; 200 with the message as it is now."""
    person = member()
    words = contents('{"text": "…"}').get("text")
    chat = services()
    draft = messages.draft(person, slug, words, root=chat.config.prefix)
    chat.limits.posting(person.id)
    kept = chat.db.write(lambda transaction: editing.edit(transaction, draft, id))
    return Response(msgspec.json.encode(kept), mimetype="application/json")
