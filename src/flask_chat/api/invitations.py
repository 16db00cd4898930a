"""Invitations for programs."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, url_for

from ..chat import clock, invitations
from ..http import qr
from ..http.bodies import contents
from ..http.visitor import member, services

blueprint = Blueprint("api_invitations", __name__, url_prefix="/api/invitations")


@blueprint.post("")
def create() -> tuple[Response, int]:
    """Make an invitation; 201 with its link and the same as a picture. Both are shown this once."""
    person = member()
    sent = contents('{"room": "<room>", "uses": 10, "expires_in": 86400}')
    chat = services()
    chat.limits.inviting(person.id)
    made = chat.db.write(
        lambda transaction: invitations.invite(
            transaction, person, sent.get("room"), sent.get("uses"), sent.get("expires_in")
        )
    )
    url = url_for("invitations.ask", token=made.token, _external=True)
    return jsonify(id=made.invitation.id, url=url, qr_svg=str(qr.svg(url))), 201


@blueprint.get("")
def index() -> Response:
    """My invitations that hold, newest first. Their links are not among it: nobody knows them any more."""
    person = member()
    with services().db.read() as connection:
        found = invitations.of(connection, person)
    return jsonify(
        invitations=[
            {
                "id": each.id,
                "room": None if each.room is None else each.room.slug,
                "uses": each.uses,
                "most_uses": each.most_uses,
                "created_at": clock.rfc3339(each.created_at),
                "expires_at": None if each.expires_at is None else clock.rfc3339(each.expires_at),
            }
            for each in found
        ]
    )


@blueprint.delete("/<int:id>")
def delete(id: int) -> tuple[str, int]:
    """End an invitation; 204, also if it has ended already."""
    person = member()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: invitations.revoke(transaction, person, id))
    return "", 204
