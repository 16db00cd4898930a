"""My account: what is known of me here, and what proves that my name is mine."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import credentials, passwords, proofs, recovery, sessions, whereabouts
from ..chat.errors import Refused, Unproven
from ..chat.people import Person
from ..db import Transaction
from ..http import proving
from ..http.visitor import current, me, services
from .entry import ask_first
from .page import page
from .proof import needed, prove_first
from .sign_in import refusing

blueprint = Blueprint("account", __name__, url_prefix="/account")


@blueprint.get("")
def show() -> AnyResponse:
    """Where all of it begins."""
    person = me()
    if person is None:
        return ask_first()
    with services().db.read() as connection:
        held = credentials.held(connection, person.id)
        open_sessions = [each for each in whereabouts.of(connection, person.id) if not each.signed_out]
    provider = services().openid
    return page(
        "account/index.html",
        person=person,
        held=held,
        sessions=len(open_sessions),
        provider=provider.name if provider is not None else "",
    )


@blueprint.get("/password")
def ask_password() -> AnyResponse:
    """The form for a first or another password."""
    person = me()
    if person is None:
        return ask_first()
    # Who has a password shows it in the same form.
    first = None if _has_password(person) else prove_first()
    return first or _password_form(person, 200)


@blueprint.post("/password")
def set_password() -> AnyResponse:
    """Set a password, which claims the name; changing one takes the old one, or a fresh proof."""
    person, session, chat = me(), current(), services()
    if person is None or session is None:
        return ask_first()
    asked = needed(person, session)
    if asked and not _has_password(person):
        return prove_first() or _password_form(person, 200)
    try:
        # To judge and to hash one takes long, and few are hashed at once.
        chat.limits.changing(person.id)
        hash = passwords.make(passwords.check(request.form.get("password", ""), person.username, chat.config.name))
        proof = proving.look(person.username, request.form.get("old", "")) if asked else None
    except Refused as error:
        old = isinstance(error, Unproven)
        return refusing(error, lambda status, reason: _password_form(person, status, reason, old))

    others = "others" in request.form

    def change(transaction: Transaction) -> None:
        if proof is not None:
            proofs.renew(transaction, proof, session.id, person.id)
        passwords.put(transaction, person.id, hash)
        credentials.claim(transaction, person)
        sessions.prove(transaction, session.id)
        if others:
            sessions.revoke_all(transaction, person.id, keep=session.id)

    try:
        chat.db.write(change)
    except Unproven as error:
        return refusing(error, lambda status, reason: _password_form(person, status, reason, old=True))
    return redirect(url_for("account.show"), 303)


@blueprint.get("/codes")
def ask_codes() -> AnyResponse:
    """How many recovery codes are left, and the button that makes new ones."""
    person = me()
    if person is None:
        return ask_first()
    with services().db.read() as connection:
        held = credentials.held(connection, person.id)
    return page("account/codes.html", held=held, codes=[])


@blueprint.post("/codes")
def renew_codes() -> AnyResponse:
    """Make new recovery codes and show them, this once."""
    person, session = me(), current()
    if person is None or session is None:
        return ask_first()
    first = prove_first()
    if first is not None:
        return first

    def change(transaction: Transaction) -> list[str]:
        codes = recovery.renew(transaction, person.id)
        credentials.claim(transaction, person)
        sessions.prove(transaction, session.id)
        return codes

    codes = services().db.write(change)
    return page("account/codes.html", held=None, codes=codes)


def _has_password(person: Person) -> bool:
    with services().db.read() as connection:
        return credentials.held(connection, person.id).password


def _password_form(person: Person, status: int, error: str = "", old: bool = False) -> Response:
    session = current()
    assert session is not None
    with services().db.read() as connection:
        held = credentials.held(connection, person.id)
    return page(
        "account/password.html",
        status,
        person=person,
        held=held,
        ask_old=needed(person, session),
        error=None if old else error or None,
        old_error=error if old else None,
    )
