"""My name: another one for the same person."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import renaming
from ..chat.errors import Refused
from ..chat.people import Person
from ..http.problems import problem
from ..http.visitor import me, services
from .entry import ask_first
from .page import page

blueprint = Blueprint("renaming", __name__, url_prefix="/account/name")


@blueprint.get("")
def ask() -> AnyResponse:
    """The form for another name."""
    person = me()
    return ask_first() if person is None else _form(person, 200, person.username)


@blueprint.post("")
def change() -> AnyResponse:
    """Take another name."""
    person = me()
    if person is None:
        return ask_first()
    chat, name = services(), request.form.get("username", "")
    try:
        chat.limits.changing(person.id)
        renamed = chat.db.write(lambda transaction: renaming.rename(transaction, person, name))
    except Refused as error:
        told = problem(error)
        assert told is not None
        return _form(person, 422 if told.status in (409, 413) else told.status, name[:200], error.reason)
    return redirect(url_for("people.show", username=renamed.username), 303)


def _form(person: Person, status: int, username: str, error: str = "") -> Response:
    with services().db.read() as connection:
        former = renaming.former(connection, person)
    return page("people/name.html", status, person=person, username=username, former=former, error=error or None)
