"""Where somebody waits who has asked to join and was not let in yet: nothing else is open to them."""

from __future__ import annotations

from flask import Response, request

from ..chat.errors import Forbidden
from ..chat.people import APPLICANT
from ..chat.permissions import WAITING
from ..http.visitor import me
from .page import page

OPEN = frozenset({"entry.leave", "api_sessions.delete", "owner.ask", "owner.appoint"})
"""The endpoints that are open to them: they may go again, and the owner's link is for whoever has it."""


def hold_back() -> Response | None:
    """Answer every other request of somebody who waits. Before any handler of Flask's."""
    if request.endpoint is None or request.endpoint in OPEN:
        return None
    person = me()
    if person is None or person.role != APPLICANT:
        return None
    if request.path.startswith("/api/"):
        raise Forbidden(WAITING)
    return page("waiting.html", 200 if request.method == "GET" else 403, person=person)
