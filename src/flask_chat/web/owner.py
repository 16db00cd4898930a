"""Taking charge of the chat by the private link that it printed when it started."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import people
from ..chat.errors import NotFound, Refused
from ..http.problems import problem
from ..http.visitor import me, services
from .entry import sign_in
from .page import page

blueprint = Blueprint("owner", __name__)


@blueprint.get("/owner/<token>")
def ask(token: str) -> AnyResponse:
    """Ask whether the visitor is the one who runs this chat. Looking changes nothing: the link works once."""
    _check(token)
    return page("owner.html", action=url_for("owner.appoint", token=token), username="", error=None)


@blueprint.post("/owner/<token>")
def appoint(token: str) -> AnyResponse:
    """Put the visitor in charge, under the name that they have or say now."""
    _check(token)
    chat = services()
    name = request.form.get("username", "")
    try:
        person = me() or sign_in(name)
        chat.db.write(lambda transaction: people.appoint_owner(transaction, person))
    except Refused as error:
        told = problem(error)
        assert told is not None
        return page(
            "owner.html",
            422 if told.status == 409 else told.status,
            action=url_for("owner.appoint", token=token),
            username=name[:200],
            error=error.reason,
        )
    chat.owner_link.use_up()
    return redirect(url_for("conversations.show", username=person.username), 303)


def _check(token: str) -> None:
    if not services().owner_link.fits(token):
        raise NotFound("This link is not valid any more. A new one is printed when the chat starts without an owner.")
