"""Sessions for programs: a name in, a bearer token out."""

from __future__ import annotations

from flask import Blueprint, Response, jsonify, request

from ..chat import people, sessions
from ..http.problems import Problem
from ..http.visitor import current, member, services

blueprint = Blueprint("api_sessions", __name__, url_prefix="/api/sessions")


@blueprint.post("")
def create() -> tuple[Response, int]:
    """Begin a session under a name that is free; 201 with the token, which is shown this once."""
    if not request.is_json:
        raise Problem(415, "Send JSON, with Content-Type: application/json.")
    try:
        contents = request.get_json(silent=True)
    except RecursionError:
        contents = None
    name = contents.get("username") if isinstance(contents, dict) else None
    if not isinstance(name, str):
        raise Problem(400, 'Send {"username": "…"}.')
    chat = services()
    chat.limits.joining(request.remote_addr)
    checked = people.check_name(name)
    person, token = chat.db.write(lambda transaction: sessions.begin(transaction, checked))
    return jsonify(username=person.username, token=token), 201


@blueprint.delete("/current")
def delete() -> tuple[str, int]:
    """End the session that asks; its open streams stop."""
    member()
    session = current()
    assert session is not None
    services().db.write(lambda transaction: sessions.revoke(transaction, session.id))
    return "", 204
