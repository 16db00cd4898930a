"""Somebody's rooms for programs, with what is new in each."""

from __future__ import annotations

import msgspec
from flask import Blueprint, Response

from ..chat import overview
from ..http.visitor import member, services

blueprint = Blueprint("api_overview", __name__)


@blueprint.get("/api/rooms")
def index() -> Response:
    """The rooms that I am in, most recent first."""
    person = member()
    with services().db.read() as connection:
        listed = overview.of(connection, person)
    return Response(msgspec.json.encode({"rooms": listed}), mimetype="application/json")
