"""Invitations as pages: making them, and coming in by one."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import clock, invitations, people, permissions, sessions
from ..chat.errors import NotFound, Refused, TooFast
from ..chat.invitations import Invitation, Made
from ..chat.people import Person
from ..chat.rooms import Room
from ..db import Transaction
from ..http import qr
from ..http.problems import problem
from ..http.visitor import browser, kept, me, services
from .entry import ask_first, begin_session
from .page import page

blueprint = Blueprint("invitations", __name__)

EXPIRIES = (("86400", "a day"), ("604800", "a week"), ("2592000", "a month"), ("", "no end"))
USES = (("1", "one person"), ("5", "5 people"), ("25", "25 people"), ("100", "100 people"), ("", "any number"))


@blueprint.get("/invitations")
def index() -> AnyResponse:
    """The invitations that hold, mine and, for a moderator, everybody's; and a form that makes one into the chat."""
    person = me()
    return ask_first() if person is None else _invitations(person)


@blueprint.post("/invitations")
def create() -> AnyResponse:
    """Make an invitation into the chat, and show it this once."""
    return _make(None)


@blueprint.get("/rooms/<slug>/invite")
def invite(slug: str) -> AnyResponse:
    """A page that asks for how long an invitation into the room is to hold."""
    person = me()
    return ask_first() if person is None else _invitations(person, slug)


@blueprint.post("/rooms/<slug>/invite")
def create_for_room(slug: str) -> AnyResponse:
    """Make an invitation into the room, and show it this once."""
    return _make(slug)


@blueprint.post("/invitations/<int:id>/revoke")
def revoke(id: int) -> AnyResponse:
    """End an invitation."""
    person = me()
    if person is None:
        return ask_first()
    services().limits.arranging(person.id)
    services().db.write(lambda transaction: invitations.revoke(transaction, person, id))
    return redirect(url_for("invitations.index"), 303)


@blueprint.get("/join/<token>")
def ask(token: str) -> AnyResponse:
    """Ask the one who was invited for their name, or whether they want to come in. Looking uses nothing up."""
    with services().db.read() as connection:
        return _asked(invitations.find(connection, token), token)


@blueprint.post("/join/<token>")
def accept(token: str) -> AnyResponse:
    """Come in by an invitation, under the name that the visitor has or says now."""
    chat, person = services(), me()
    name = request.form.get("username", "")
    try:
        if person is None:
            person, place = _come_in(token, name)
        else:
            chat.limits.arranging(person.id)
            place = chat.db.write(lambda transaction: invitations.accept(transaction, person, token))
    except NotFound:
        raise
    except Refused as error:
        told = problem(error)
        assert told is not None
        with chat.db.read() as connection:
            found = invitations.find(connection, token)
        response = _asked(found, token, 422 if told.status == 409 else told.status, name[:200], error.reason)
        if isinstance(error, TooFast):
            response.headers["retry-after"] = str(error.retry_after)
        return response
    if place is None:
        return redirect(url_for("conversations.show", username=person.username), 303)
    return redirect(url_for("rooms.show", slug=place.slug), 303)


def _come_in(token: str, raw_name: str) -> tuple[Person, Room | None]:
    """Take a name and use the invitation in one transaction: who is too late for it takes no name either."""
    services().limits.joining(request.remote_addr)
    name, tokens, whence = people.check_name(raw_name), kept(), browser()
    places: list[Room | None] = []

    def begin(transaction: Transaction, secret: str) -> Person:
        person, _ = sessions.begin(transaction, name, tokens, secret, browser=whence, invited=True)
        places.append(invitations.accept(transaction, person, token))
        return person

    person = begin_session(name, begin)
    return person, places[-1]


def _make(slug: str | None) -> AnyResponse:
    person = me()
    if person is None:
        return ask_first()
    chat, uses, expires_in = services(), _number("uses"), _number("expires_in")
    try:
        chat.limits.inviting(person.id)
        made = chat.db.write(lambda transaction: invitations.invite(transaction, person, slug, uses, expires_in))
    except NotFound:
        raise
    except Refused as error:
        told = problem(error)
        assert told is not None
        return _invitations(person, slug, told.status, error=error.reason)
    return _invitations(person, slug, 201, made=made)


def _number(field: str) -> object:
    """What a form says as a number; what is none is left for the verb to refuse."""
    value = request.form.get(field, "").strip()
    if not value:
        return None
    return int(value) if value.isascii() and value.isdecimal() and len(value) < 10 else value


def _invitations(
    person: Person, slug: str | None = None, status: int = 200, *, made: Made | None = None, error: str = ""
) -> Response:
    with services().db.read() as connection:
        room = None if slug is None else invitations.invitable(connection, person, slug)
        everybodys = slug is None and permissions.may(connection, person, "invitation.list")
        holding = invitations.of(connection, person, everybodys=everybodys)
        invites = room is not None or permissions.may(connection, person, "invitation.chat")
    link = None if made is None else url_for("invitations.ask", token=made.token, _external=True)
    return page(
        "invitations/index.html",
        status,
        room=room,
        person=person,
        invites=invites,
        everybodys=everybodys,
        invitations=[
            {"it": each, "until": _moment(each.expires_at)}
            for each in holding
            if room is None or (each.room is not None and each.room.id == room.id)
        ],
        link=link,
        made=None if made is None else {"it": made.invitation, "until": _moment(made.invitation.expires_at)},
        picture=None if link is None else qr.svg(link),
        expiries=EXPIRIES,
        uses=USES,
        error=error or None,
    )


def _asked(found: Invitation, token: str, status: int = 200, username: str = "", error: str = "") -> Response:
    return page(
        "invitations/join.html",
        status,
        invitation=found,
        action=url_for("invitations.accept", token=token),
        username=username,
        error=error or None,
    )


def _moment(milliseconds: int | None) -> dict[str, str] | None:
    if milliseconds is None:
        return None
    return {"machine": clock.rfc3339(milliseconds), "words": clock.in_words(milliseconds // 1000)[1]}
