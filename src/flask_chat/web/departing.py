"""Leaving for good: deleting my account."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import departing
from ..chat.errors import Refused
from ..chat.people import Person
from ..http.problems import problem
from ..http.visitor import me, services, signed_out
from .entry import ask_first
from .page import page
from .proof import prove_first

blueprint = Blueprint("departing", __name__, url_prefix="/account")

ERASE, KEEP = "erase", "keep"
"""What is to become of my messages."""


@blueprint.get("/delete")
def ask() -> AnyResponse:
    """What it means, and the form."""
    person = me()
    if person is None:
        return ask_first()
    return prove_first() or _form(person, 200)


@blueprint.post("/delete")
def delete() -> AnyResponse:
    """Delete my account."""
    person = me()
    if person is None:
        return ask_first()
    first = prove_first()
    if first is not None:
        return first
    choice, name = request.form.get("messages", ""), request.form.get("username", "")
    if choice not in (ERASE, KEEP):
        return _form(person, 422, name, "Please choose what is to become of your messages.")
    try:
        departing.delete_account(services().db, person, name, erase=choice == ERASE)
    except Refused as error:
        told = problem(error)
        assert told is not None
        return _form(person, 422 if told.status == 409 else told.status, name, error.reason)
    signed_out()
    return redirect(url_for("departing.farewell"), 303)


@blueprint.get("/deleted")
def farewell() -> AnyResponse:
    """What is left to say."""
    return page("people/deleted.html")


def _form(person: Person, status: int, username: str = "", error: str = "") -> Response:
    return page(
        "people/delete.html",
        status,
        person=person,
        username=username[:200],
        choice=request.form.get("messages", ""),
        error=error or None,
    )
