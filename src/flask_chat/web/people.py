"""People's pages: who somebody is."""

from __future__ import annotations

from datetime import datetime

from flask import Blueprint, redirect, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import blocks, clock, messages, people, profiles
from ..chat.profiles import Profile
from ..http.visitor import me, services
from .entry import ask_first
from .page import page

blueprint = Blueprint("people", __name__)


@blueprint.get("/people/<username>")
def show(username: str) -> AnyResponse:
    """Somebody's profile; a name that they had before leads to the one that they have."""
    person = me()
    if person is None:
        return ask_first()
    with services().db.read() as connection:
        found = people.find(connection, username)
        said = profiles.of(connection, found.id)
        sent = messages.count_by(connection, found)
        blocked = found.username in blocks.of(connection, person)
    if found.username != username:
        # Not for ever: who was renamed may take the name back.
        return redirect(url_for("people.show", username=found.username), 302)
    return page(
        "people/show.html",
        person=found,
        said=said,
        since=_day(found.created_at),
        until=None if said.status_until is None else moment(said.status_until),
        here=_time_there(said),
        presence=services().presence.of([found.id], person)[found.id],
        messages=sent,
        blocked=blocked,
        mine=found.id == person.id,
    )


def moment(at: int) -> dict[str, str]:
    """A time as a page shows it; ``at`` in milliseconds since 1970, UTC."""
    local = clock.local(at)
    short, full = clock.in_words(at // 1000)
    today = local.date() == datetime.now(local.tzinfo).date()
    return {
        "datetime": clock.rfc3339(at),
        "label": short if today else f"{local.day} {local:%B}, {short}",
        "title": full,
    }


def _day(at: int) -> dict[str, str]:
    local = clock.local(at)
    return {"datetime": local.date().isoformat(), "label": clock.date(local)}


def _time_there(said: Profile) -> str | None:
    there = profiles.local_time(said)
    return None if there is None else f"{there:%A}, {there:%H:%M}"
