"""Sessions for programs: a name in, a bearer token out; which there are, and how to end them."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from ..chat import clock, people, proofs, sessions, whereabouts
from ..chat.errors import NotFound
from ..chat.people import Person
from ..http import bodies, proving
from ..http.problems import Problem
from ..http.visitor import browser, current, member, services

blueprint = Blueprint("api_sessions", __name__, url_prefix="/api/sessions")

ASKED = '{"username": "…"}, and the "password" if the name is yours already'


@blueprint.get("")
def index() -> Response:
    """My sessions that are signed in, the newest first."""
    person, session, chat = member(), current(), services()
    assert session is not None
    with chat.db.read() as connection:
        found = whereabouts.of(connection, person.id, chat.sessions)
    return jsonify(
        sessions=[
            {
                "id": each.id,
                "device": each.device,
                "network": each.network,
                "created_at": clock.rfc3339(each.created_at),
                "seen_at": clock.rfc3339(each.seen_at),
                "current": each.id == session.id,
            }
            for each in found
            if not each.signed_out
        ]
    )


@blueprint.post("")
def create() -> tuple[Response, int]:
    """Begin a session; 201 with the token, which is shown this once.

    With a password, or a recovery code as one, under the name that it proves; else under a name that is free.
    """
    contents = bodies.contents(ASKED)
    name, password = contents.get("username"), contents.get("password")
    if not isinstance(name, str) or not isinstance(password, str | None):
        raise Problem(400, f"Send {ASKED}.")
    person, token = _begin(name) if password is None else _prove(name, password)
    return jsonify(username=person.username, token=token), 201


@blueprint.delete("/current")
def delete() -> tuple[str, int]:
    """End the session that asks; its open streams stop."""
    member()
    session = current()
    assert session is not None
    services().db.write(lambda transaction: sessions.sign_out(transaction, session.id))
    return "", 204


@blueprint.delete("/<id>")
def revoke(id: str) -> tuple[str, int]:
    """End one of my sessions for good: its streams stop, and its browser cannot take my name again."""
    person = member()
    if not (id.isascii() and id.isdecimal() and len(id) < 10):
        raise NotFound("You have no such session.")
    services().db.write(lambda transaction: sessions.revoke_own(transaction, person.id, int(id)))
    return "", 204


def _begin(name: str) -> tuple[Person, str]:
    chat, whence = services(), browser()
    chat.limits.joining(request.remote_addr)
    checked = people.check_name(name)
    return chat.db.write(lambda transaction: sessions.begin(transaction, checked, browser=whence))


def _prove(name: str, password: str) -> tuple[Person, str]:
    proof, whence = proving.look(name, password), browser()
    return services().db.write(lambda transaction: proofs.begin(transaction, proof, browser=whence))
