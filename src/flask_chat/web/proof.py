"""Proving again that it is me, before what protects my name is changed."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import credentials, proofs, sessions
from ..chat.errors import Refused
from ..chat.people import Person
from ..chat.sessions import Session
from ..http.visitor import current, me, services
from .entry import ask_first, local
from .page import page
from .sign_in import refusing, shown

blueprint = Blueprint("proof", __name__, url_prefix="/account/proof")


def needed(person: Person, session: Session) -> bool:
    """Whether somebody must show a proof first: they have one to show, and have not for some minutes."""
    chat = services()
    with chat.db.read() as connection:
        held = credentials.held(connection, person.id)
        return held.something(chat.openid is not None) and not sessions.proved(connection, session.id)


def prove_first(next: str = "") -> AnyResponse | None:
    """The way to the page that asks for a proof, and from there to ``next``; None if there is no need.

    ``next`` is a page of this chat, from where it begins; left out, it is the page that was asked for.
    """
    person, session = me(), current()
    if person is None or session is None:
        return ask_first()
    if not needed(person, session):
        return None
    return redirect(url_for("proof.ask", next=next or request.path), 303)


@blueprint.get("")
def ask() -> AnyResponse:
    """The form that asks for a proof."""
    return ask_first() if me() is None else _form(200, request.args.get("next", ""))


@blueprint.post("")
def prove() -> AnyResponse:
    """Note that the visitor has shown a proof, and go on."""
    person, session = me(), current()
    if person is None or session is None:
        return ask_first()
    following = request.form.get("next", "")
    try:
        proof = shown(person.username)
        services().db.write(lambda transaction: proofs.renew(transaction, proof, session.id, person.id))
    except Refused as error:
        return refusing(error, lambda status, reason: _form(status, following, reason))
    return redirect(request.root_path + (local(following) or "/account"), 303)


def _form(status: int, next: str, error: str = "") -> Response:
    person = me()
    assert person is not None
    chat = services()
    with chat.db.read() as connection:
        held = credentials.held(connection, person.id)
    provider = chat.openid.name if chat.openid is not None and held.identities else None
    following = local(next) or ""
    return page(
        "account/proof.html", status, person=person, held=held, provider=provider, next=following, error=error or None
    )
