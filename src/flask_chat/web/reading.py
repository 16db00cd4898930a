"""Reading without scripts: what was read, and what counts as new."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import reading
from ..chat.errors import Invalid
from ..http.visitor import me, services
from .entry import ask_first

blueprint = Blueprint("reading", __name__, url_prefix="/rooms/<slug>")

_KEEP = "keep"


@blueprint.post("/read")
def mark(slug: str) -> AnyResponse:
    """Mark a room as read through a message, or with ``force`` as unread after it, and go back there."""
    person = me()
    if person is None:
        return ask_first()
    chat = services()
    through = _number(request.form.get("through", ""), "That is no message.")
    wanted = reading.check(person, slug, through, bool(request.form.get("force")))
    chat.limits.marking(person.id)
    chat.db.submit(reading.mark_together, wanted).result()
    return redirect(url_for("rooms.show", slug=slug), 303)


@blueprint.post("/notifications")
def notify(slug: str) -> AnyResponse:
    """Set what counts as new in a room, and for how many seconds it is muted: none, or as it was."""
    person = me()
    if person is None:
        return ask_first()
    level, mute = request.form.get("notify") or None, request.form.get("mute", _KEEP)
    mute_for = None if mute == _KEEP else _number(mute or "0", "That is no number of seconds.")
    services().limits.arranging(person.id)
    room = services().db.write(lambda transaction: reading.notify(transaction, person, slug, level, mute_for))
    return redirect(url_for("rooms.show", slug=room.slug), 303)


def _number(written: str, reason: str) -> int:
    if not (written.isascii() and written.isdecimal() and len(written) < 19):
        raise Invalid(reason)
    return int(written)
