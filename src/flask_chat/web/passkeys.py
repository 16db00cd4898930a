"""My passkeys: which there are, adding one, removing one."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import clock, passkeys
from ..chat.errors import Refused
from ..http import proving
from ..http.problems import Problem, not_signed_in
from ..http.visitor import browser, current, me, services
from .entry import ask_first
from .page import page
from .proof import needed, prove_first
from .sign_in import refusing

blueprint = Blueprint("passkeys", __name__, url_prefix="/account/passkeys")


@blueprint.get("")
def index() -> AnyResponse:
    """My passkeys."""
    return ask_first() if me() is None else prove_first() or _list(200)


@blueprint.post("")
def add() -> AnyResponse:
    """Keep the passkey that the browser's answer describes."""
    person, session = me(), current()
    if person is None or session is None:
        return ask_first()
    first = prove_first()
    if first is not None:
        return first
    try:
        challenge = proving.challenged(proving.CREATE)
        answer = passkeys.parsed(request.form.get("answer", ""))
        new = passkeys.check(answer, proving.party(), challenge, proving.now())
        name = browser().device
        services().db.write(lambda transaction: passkeys.add(transaction, person, new, name, session.id))
    except Refused as error:
        return refusing(error, _list)
    return redirect(url_for("passkeys.index"), 303)


@blueprint.post("/challenge")
def challenge() -> Response:
    """What the device is asked for a new passkey, as JSON; the challenge is remembered in this browser's cookie."""
    person, session, chat = me(), current(), services()
    if person is None or session is None:
        raise not_signed_in()
    if needed(person, session):
        raise Problem(403, "Prove first that it is you.")
    value = proving.challenge(proving.CREATE)
    with chat.db.read() as connection:
        options = passkeys.creation_options(connection, person, proving.party(), chat.config.name, value)
    return Response(options, mimetype="application/json")


@blueprint.post("/<int:id>/removal")
def remove(id: int) -> AnyResponse:
    """Remove one of my passkeys."""
    person = me()
    if person is None:
        return ask_first()
    first = prove_first(url_for("passkeys.index").removeprefix(request.root_path))
    if first is not None:
        return first
    try:
        services().db.write(lambda transaction: passkeys.remove(transaction, person.id, id))
    except Refused as error:
        return refusing(error, _list)
    return redirect(url_for("passkeys.index"), 303)


def _list(status: int, error: str = "") -> Response:
    person = me()
    assert person is not None
    with services().db.read() as connection:
        found = passkeys.of(connection, person.id)
    listed = [
        {
            "id": each.id,
            "name": each.name,
            "since": clock.date(clock.local(each.created_at)),
            "used": clock.date(clock.local(each.used_at)) if each.used_at is not None else "",
        }
        for each in found
    ]
    return page("account/passkeys.html", status, passkeys=listed, error=error or None)
