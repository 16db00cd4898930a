"""My profile: what I say of myself."""

from __future__ import annotations

import time

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import profiles
from ..chat.errors import Refused
from ..chat.people import Person
from ..chat.profiles import Profile
from ..http.problems import problem
from ..http.visitor import me, services
from .entry import ask_first
from .page import page
from .people import moment

blueprint = Blueprint("profiles", __name__, url_prefix="/account/profile")

KEEP = "keep"
"""The choice that leaves the end of a status as it is."""


@blueprint.get("")
def ask() -> AnyResponse:
    """The form with what I say so far."""
    person = me()
    if person is None:
        return ask_first()
    with services().db.read() as connection:
        said = profiles.of(connection, person.id)
    return _form(person, said, 200, {name: getattr(said, name) for name in _TEXTS})


@blueprint.post("")
def change() -> AnyResponse:
    """Say what the form says."""
    person = me()
    if person is None:
        return ask_first()
    chat = services()
    with chat.db.read() as connection:
        said = profiles.of(connection, person.id)
    written = {name: request.form.get(name, "") for name in _TEXTS}
    ending = request.form.get("ending", KEEP)
    try:
        chat.limits.changing(person.id)
        until = said.status_until
        if ending != KEEP:
            until = profiles.until(ending, written["time_zone"], time.time_ns() // 1_000_000)
        changes = {**written, "status_until": until, "hides_presence": "hides_presence" in request.form}
        chat.db.write(lambda transaction: profiles.change(transaction, person, changes))
    except Refused as error:
        told = problem(error)
        assert told is not None
        return _form(person, said, 422 if told.status in (409, 413) else told.status, written, error.reason)
    return redirect(url_for("people.show", username=person.username), 303)


_TEXTS = ("display_name", "pronouns", "bio", "status", "time_zone")


def _form(person: Person, said: Profile, status: int, written: dict[str, str], error: str = "") -> Response:
    regions: dict[str, list[str]] = {}
    for zone in profiles.zones():
        regions.setdefault(zone.partition("/")[0], []).append(zone)
    return page(
        "people/profile.html",
        status,
        person=person,
        written=written,
        hides_presence="hides_presence" in request.form if error else said.hides_presence,
        until=None if said.status_until is None else moment(said.status_until),
        ending=request.form.get("ending", ""),
        endings=profiles.ENDINGS,
        regions=regions,
        most=profiles,
        error=error or None,
    )
