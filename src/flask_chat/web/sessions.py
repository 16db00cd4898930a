"""My sessions: where I am signed in, and how to end that."""

from __future__ import annotations

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import clock, sessions, whereabouts
from ..http.visitor import current, me, services
from .entry import ask_first
from .page import page

blueprint = Blueprint("sessions", __name__, url_prefix="/account/sessions")


@blueprint.get("")
def index() -> AnyResponse:
    """My sessions, this one first."""
    person, session = me(), current()
    if person is None or session is None:
        return ask_first()
    chat = services()
    with chat.db.read() as connection:
        found = whereabouts.of(connection, person.id, chat.sessions)
    listed = [
        {
            "id": each.id,
            "device": each.device or "Unknown device",
            "network": each.network,
            "since": _moment(each.created_at),
            "seen": _moment(each.seen_at),
            "current": each.id == session.id,
        }
        for each in found
        if not each.signed_out
    ]
    listed.sort(key=lambda each: not each["current"])
    return page("account/sessions.html", sessions=listed, signed_out=sum(each.signed_out for each in found))


@blueprint.post("/<int:id>/end")
def end(id: int) -> AnyResponse:
    """End one of my sessions for good."""
    person = me()
    if person is None:
        return ask_first()
    services().db.write(lambda transaction: sessions.revoke_own(transaction, person.id, id))
    return redirect(url_for("sessions.index"), 303)


@blueprint.post("/others/end")
def end_others() -> AnyResponse:
    """End all of my sessions but this one, for good, and what signed-out browsers could prove."""
    person, session = me(), current()
    if person is None or session is None:
        return ask_first()
    services().db.write(lambda transaction: sessions.revoke_all(transaction, person.id, keep=session.id))
    return redirect(url_for("sessions.index"), 303)


def _moment(milliseconds: int) -> dict[str, str]:
    short, full = clock.in_words(milliseconds // 1000)
    day = clock.local(milliseconds)
    return {"datetime": clock.rfc3339(milliseconds), "label": f"{day.day} {day:%B %Y}, {short}", "title": full}
