"""People, for those who keep order: found, muted, banned, let in, given a role; and what was reported."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import inspection, moderation, names, people, permissions, reports, roles, settings
from ..chat.errors import Invalid, NotFound, Refused
from ..db import Transaction
from ..http.problems import problem
from ..http.visitor import services
from .admin import admin_page, keeper, now, number

blueprint = Blueprint("admin_people", __name__, url_prefix="/admin")

LASTS = {
    "600": "10 minutes",
    "3600": "1 hour",
    "86400": "1 day",
    "604800": "1 week",
    "2592000": "30 days",
    "": "for ever",
}
"""How long a mute or a ban lasts, by its seconds."""

SWITCHES = ("guests", "lobby", "lockdown")
"""The settings that are on or off."""

NUMBERS = ("retention_days", "name_days", "edit_minutes")
"""The settings that are a number, or nothing for no limit."""


@blueprint.get("/people")
def index() -> AnyResponse:
    """People, with a search; those who wait to be let in first."""
    person, query = keeper(), request.args.get("q", "")
    with services().db.read() as connection:
        found = inspection.search(connection, query, names.key(request.args.get("after", "")[:512]))
        waiting = inspection.applicants(connection)
    more = names.key(found[-1].username) if len(found) == inspection.PAGE else ""
    return admin_page("people", person, found=found, waiting=waiting, query=query[:200], more=more)


@blueprint.get("/people/<username>")
def show(username: str) -> AnyResponse:
    """Somebody, and what can be done about them."""
    return _show(username, 200)


@blueprint.post("/people/<username>/<act>")
def change(username: str, act: str) -> AnyResponse:
    """Do something about somebody: ``mute``, ``ban``, ``admit``, ``appoint``, ``dismiss`` or ``hand-over``."""
    person, form = keeper(), request.form

    def change(transaction: Transaction) -> str:
        chosen = people.find(transaction.connection, username)
        if act == "mute":
            moderation.mute(transaction, person, chosen, expires_at=_end(form), reason=form.get("reason", ""))
        elif act == "ban":
            moderation.ban(
                transaction,
                person,
                chosen,
                with_network="network" in form,
                expires_at=_end(form),
                reason=form.get("reason", ""),
            )
        elif act == "admit":
            roles.admit(transaction, person, chosen)
        elif act in ("appoint", "dismiss"):
            roles.appoint(transaction, person, chosen, moderator=act == "appoint")
        elif act == "hand-over":
            if form.get("confirm", "") != chosen.username:
                raise Invalid("To hand over the chat, write the name of the person exactly.")
            roles.hand_over(transaction, person, chosen)
        else:
            raise NotFound("There is no such page.")
        return chosen.username

    try:
        name = services().db.write(change)
    except Refused as error:
        told = problem(error)
        if told is None or told.status == 404:
            raise
        return _show(username, told.status, error.reason)
    if act == "admit":
        return redirect(url_for("admin_people.index"), 303)
    return redirect(url_for("admin_people.show", username=name), 303)


@blueprint.get("/bans")
def bans() -> AnyResponse:
    """The bans and mutes that hold."""
    return _bans(200)


@blueprint.post("/bans")
def ban_network() -> AnyResponse:
    """Ban a range of addresses."""
    person, form = keeper(), request.form
    try:
        services().db.write(
            lambda transaction: moderation.ban_network(
                transaction, person, form.get("network", ""), expires_at=_end(form), reason=form.get("reason", "")
            )
        )
    except Refused as error:
        told = problem(error)
        assert told is not None
        return _bans(told.status, error.reason)
    return redirect(url_for("admin_people.bans"), 303)


@blueprint.post("/bans/<int:id>/lift")
def lift(id: int) -> AnyResponse:
    """End a ban or a mute before its time."""
    person = keeper()
    services().db.write(lambda transaction: moderation.lift(transaction, person, id))
    return redirect(url_for("admin_people.bans"), 303)


@blueprint.get("/reports")
def queue() -> AnyResponse:
    """What was reported and waits."""
    return _queue(200)


@blueprint.post("/reports/<long:message_id>")
def settle(message_id: int) -> AnyResponse:
    """Settle every report of a message."""
    person, form = keeper("report.read"), request.form
    try:
        services().db.write(
            lambda transaction: reports.settle(
                transaction,
                person,
                message_id,
                form.get("outcome", ""),
                expires_at=_end(form),
                reason=form.get("reason", ""),
            )
        )
    except Refused as error:
        told = problem(error)
        assert told is not None
        return _queue(told.status, error.reason)
    return redirect(url_for("admin_people.queue"), 303)


@blueprint.get("/settings")
def ask_settings() -> AnyResponse:
    """The settings, for the owner."""
    return _settings(200)


@blueprint.post("/settings")
def change_settings() -> AnyResponse:
    """Change the settings."""
    person, form = keeper("settings.change"), request.form
    try:
        changes: dict[str, object] = {name: form.get(name, "") for name in ("name", "accent", "joining", "room_makers")}
        changes.update({name: name in form for name in SWITCHES})
        # A page from before an upgrade does not ask for all of them.
        changes.update({name: _number(name) for name in NUMBERS if name in form})
        services().db.write(lambda transaction: moderation.change_settings(transaction, person, changes))
    except Refused as error:
        told = problem(error)
        assert told is not None
        return _settings(told.status, error.reason)
    return redirect(url_for("admin_people.ask_settings", saved="yes"), 303)


def _show(username: str, status: int, error: str = "") -> AnyResponse:
    person = keeper()
    with services().db.read() as connection:
        chosen = people.find(connection, username)
        imposed = inspection.imposed(connection, now(), chosen.id)
    return admin_page(
        "person",
        person,
        status,
        chosen=chosen,
        imposed=imposed,
        lasts=LASTS,
        error=error,
        below=person.id != chosen.id and permissions.above(person, chosen),
        most=moderation.MAX_REASON,
    )


def _bans(status: int, error: str = "") -> AnyResponse:
    person = keeper()
    with services().db.read() as connection:
        imposed = inspection.imposed(connection, now())
    return admin_page("bans", person, status, imposed=imposed, lasts=LASTS, error=error, most=moderation.MAX_REASON)


def _queue(status: int, error: str = "") -> AnyResponse:
    person = keeper("report.read")
    with services().db.read() as connection:
        cases = reports.queue(connection, person, number("after", digits=18))
    more = cases[-1].message_id if len(cases) == reports.PAGE else 0
    return admin_page(
        "reports",
        person,
        status,
        cases=cases,
        error=error,
        lasts=LASTS,
        more=more,
        above=lambda other: permissions.above(person, other),
    )


def _settings(status: int, error: str = "") -> AnyResponse:
    person = keeper("settings.change")
    with services().db.read() as connection:
        kept: object = settings.read(connection)
    if error:
        # What was filled in stays so: one wrong field takes nothing else back.
        kept = request.form.to_dict() | {name: name in request.form for name in SWITCHES}
    return admin_page(
        "settings",
        person,
        status,
        kept=kept,
        configured=services().config.name,
        accents=settings.ACCENTS,
        error=error,
        saved="saved" in request.args,
    )


def _end(form: Mapping[str, str]) -> int | None:
    """When a mute or a ban of the form ends, in milliseconds since 1970, UTC. Raises :class:`Invalid`."""
    lasts = form.get("lasts", "")
    if lasts not in LASTS:
        raise Invalid("Choose how long it lasts.")
    return now() + int(lasts) * 1000 if lasts else None


def _number(name: str) -> int | None:
    raw = request.form.get(name, "").strip()
    if not raw:
        return None
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 10):
        raise Invalid(f"“{raw[:20]}” is no whole number.")
    return int(raw)
