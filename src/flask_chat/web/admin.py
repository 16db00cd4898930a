"""The pages of those who keep order: how the chat is doing, its rooms, sessions, storage, and what was done."""

from __future__ import annotations

import time

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import (
    audit,
    clock,
    inspection,
    moderation,
    people,
    permissions,
    reports,
    retention,
    sessions,
    statistics,
)
from ..chat.errors import Invalid, NotFound
from ..chat.people import Person
from ..db import Transaction
from ..http import connections
from ..http.problems import not_signed_in
from ..http.visitor import me, services
from .charts import chart
from .page import page

blueprint = Blueprint("admin", __name__, url_prefix="/admin")


@blueprint.get("")
def overview() -> AnyResponse:
    """How the chat is doing, in pictures, and what waits for somebody."""
    person, chat = keeper(), services()
    with chat.db.read() as connection:
        shown = statistics.days(connection, now())
        totals = statistics.totals(connection)
        waiting = reports.waiting(connection)
        asking = totals.roles.get(people.APPLICANT, 0)
    labels = [f"{each.date.day} {each.date:%B}" for each in shown]
    hours = statistics.busiest(shown)
    return admin_page(
        "overview",
        person,
        charts=[
            chart("messages", "Messages a day", "Day", _by(labels, [each.messages for each in shown]), adds=True),
            chart("people", "People who wrote, a day", "Day", _by(labels, [each.people for each in shown])),
            chart("hours", "Busiest hours", "Hour", [(f"{hour:02d}:00", number) for hour, number in enumerate(hours)]),
        ],
        days=statistics.DAYS,
        totals=totals,
        waiting=waiting,
        asking=asking,
        connections=connections.now(chat),
    )


@blueprint.get("/rooms")
def rooms_list() -> AnyResponse:
    """The rooms and how large they are; for the owner also the private ones."""
    person = keeper()
    owner = permissions.at_least(person, people.OWNER)
    with services().db.read() as connection:
        found = inspection.sizes(connection, private=owner, after=number("after"))
        totals = statistics.totals(connection)
    return admin_page(
        "rooms", person, rooms=found, totals=totals, owner=owner, most=inspection.MOST_COUNTED, more=len(found) == 25
    )


@blueprint.post("/rooms/<int:id>")
def change_room(id: int) -> AnyResponse:
    """Slow a room down, lock it, or say how long it keeps messages."""
    person, form = keeper(), request.form

    def change(transaction: Transaction) -> None:
        room = moderation.find_room(transaction, person, id)
        if "slow" in form:
            moderation.slow_down(transaction, person, room, _whole(form["slow"]) or 0)
        if "locked" in form:
            moderation.lock(transaction, person, room, locked=form["locked"] == "yes")
        if "days" in form:
            retention.choose(transaction, person, room, _whole(form["days"]))

    services().db.write(change)
    return redirect(url_for("admin.rooms_list"), 303)


@blueprint.get("/sessions")
def sessions_list() -> AnyResponse:
    """The sessions that are open, for the owner."""
    person = keeper("chat.inspect")
    with services().db.read() as connection:
        found = inspection.open_sessions(connection, number("before") or None)
    return admin_page("sessions", person, sessions=found, more=len(found) == inspection.PAGE)


@blueprint.post("/sessions/<int:id>/revoke")
def revoke(id: int) -> AnyResponse:
    """End somebody's session."""
    person = keeper("chat.inspect")

    def change(transaction: Transaction) -> None:
        permissions.require(transaction.connection, person, "chat.inspect")
        sessions.revoke(transaction, id)
        audit.record(transaction, person, "session.revoke", session=id)

    services().db.write(change)
    return redirect(url_for("admin.sessions_list"), 303)


@blueprint.get("/storage")
def storage() -> AnyResponse:
    """How much is kept."""
    person = keeper()
    with services().db.read() as connection:
        kept = inspection.storage(connection)
    return admin_page("storage", person, storage=kept, size=_size(kept.bytes))


@blueprint.get("/audit")
def log() -> AnyResponse:
    """What those who keep order did, for the owner, with filters."""
    person = keeper("audit.read")
    action, by, about = (request.args.get(name, "") for name in ("action", "by", "about"))
    error = ""
    with services().db.read() as connection:
        ids: list[int | None] = []
        for name in (by, about):
            try:
                ids.append(people.find(connection, name).id if name else None)
            except NotFound as refused:
                error = refused.reason
                ids.append(0)
        entries = audit.page(
            connection,
            action=action if action in audit.ACTIONS else None,
            actor_id=ids[0],
            person_id=ids[1],
            before=number("before") or None,
        )
    return admin_page(
        "audit",
        person,
        entries=entries,
        actions=audit.ACTIONS,
        action=action,
        by=by[:200],
        about=about[:200],
        error=error,
        more=len(entries) == audit.PAGE,
    )


def keeper(act: str = "order.keep") -> Person:
    """The visitor, who may do ``act``. Raises a 401 problem if nobody is signed in, and :class:`Forbidden`."""
    person = me()
    if person is None:
        raise not_signed_in()
    with services().db.read() as connection:
        permissions.require(connection, person, act)
    return person


def admin_page(name: str, person: Person, status: int = 200, **context: object) -> Response:
    """One of these pages, with the way to the others."""
    return page(
        f"admin/{name}.html",
        status,
        here=name,
        person=person,
        owns=permissions.at_least(person, people.OWNER),
        moment=clock.in_words,
        **context,
    )


def number(name: str, digits: int = 9) -> int:
    """A number in the address; 0 for anything else, and for what no column of the kind could hold."""
    value = request.args.get(name, "")
    return int(value) if value.isascii() and value.isdecimal() and len(value) <= digits else 0


def now() -> int:
    """The time in milliseconds since 1970, UTC."""
    return time.time_ns() // 1_000_000


def _by(labels: list[str], numbers: list[int]) -> list[tuple[str, int]]:
    return list(zip(labels, numbers, strict=True))


def _whole(raw: str) -> int | None:
    """A whole number in a form; None for an empty field. Raises :class:`Invalid`."""
    raw = raw.strip()
    if not raw:
        return None
    if not (raw.isascii() and raw.isdecimal() and len(raw) < 10):
        raise Invalid(f"“{raw[:20]}” is no whole number.")
    return int(raw)


def _size(size: int) -> str:
    """A number of bytes as people read it."""
    value, unit = float(size), "bytes"
    for larger in ("KB", "MB", "GB", "TB"):
        if value < 1000:
            break
        value, unit = value / 1000, larger
    return f"{value:.0f} {unit}" if unit == "bytes" or value >= 100 else f"{value:.1f} {unit}"
