"""Signing in by the provider of OpenID Connect that the operator has named."""

from __future__ import annotations

from flask import Blueprint, Response, redirect, request, session, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import credentials, identities, people, proofs, sessions
from ..chat.errors import NotFound, Refused, Unproven
from ..chat.identities import Identity, IdentityShown
from ..chat.people import Person
from ..db import Transaction
from ..http import origin, proving
from ..http.openid import Journey, Provider
from ..http.visitor import browser, current, kept, me, services
from .entry import begin_session, local
from .page import page
from .proof import needed, prove_first
from .sign_in import refusing

blueprint = Blueprint("openid", __name__, url_prefix="/sign-in/openid")

JOURNEY, CONFIRMED = "journey", "confirmed"
"""In the cookie: what this browser took along to the provider; who the provider has said that it is."""

LIFETIME = 600_000
"""Milliseconds in which one must come back, and then say a name."""

_TOO_LATE = "That took too long. Try again."


@blueprint.get("")
def leave() -> AnyResponse:
    """Send the browser to the provider. Who is signed in comes back with an identity that is linked to their name.

    With ``prove``, they come back with the one that is linked already, having shown the provider that it is they.
    """
    found, person = _provider(), me()
    proving_only = person is not None and "prove" in request.args
    # Another site may lead here, but not begin it for somebody.
    if origin.foreign(request.headers.get("Sec-Fetch-Site"), request.headers.get("Origin"), request.host):
        return redirect(url_for("sign_in.ask"), 303)
    if person is not None and not proving_only:
        # Not on from there to the provider: a form of ours must not lead to another site, says our own policy.
        first = prove_first("/account")
        if first is not None:
            return first
    services().limits.joining(request.remote_addr)
    journey = found.journey()
    address = found.address(journey, _back(), anew=proving_only)
    asked = local(request.args.get("next", "")) or ""
    whose = 0 if person is None else person.id
    session[JOURNEY] = [journey.state, journey.nonce, journey.verifier, asked, whose, proving_only, proving.now()]
    return redirect(address, 303)


@blueprint.get("/answer")
def arrive() -> AnyResponse:
    """Take the browser back, with what the provider says of its person."""
    found, chat = _provider(), services()
    state, nonce, verifier, asked, whose, proving_only, _ = _taken(JOURNEY, 7)
    journey = Journey(str(state), str(nonce), str(verifier))
    who = found.identity(journey, _back(), request.args.to_dict(), anew=bool(proving_only))
    with chat.db.read() as connection:
        bearer = identities.bearer(connection, who)
    here, before = me(), current()
    if proving_only and (bearer is None or bearer.id != whose):
        raise Unproven(f"That is another account at {found.name} than yours.")
    if bearer is not None:
        _sign_in(IdentityShown(bearer, who))
    elif whose:
        if here is None or before is None or here.id != whose or needed(here, before):
            raise Unproven(_TOO_LATE)
        chat.db.write(lambda transaction: _link(transaction, here, who, before.id))
        return redirect(url_for("account.show"), 303)
    else:
        session[CONFIRMED] = [who.issuer, who.subject, who.name, asked, proving.now()]
        return redirect(url_for("openid.ask_name"), 303)
    return redirect(request.root_path + (local(str(asked)) or "/"), 303)


@blueprint.get("/name")
def ask_name() -> Response:
    """Ask somebody whom the provider has confirmed, and who is new here, for a name."""
    _provider()
    found = session.get(CONFIRMED)
    if not isinstance(found, list) or len(found) != 5:
        raise Unproven(_TOO_LATE)
    return _name_form(200, str(found[2]))


@blueprint.post("/name")
def take_name() -> AnyResponse:
    """Begin a session under a name that is claimed from the start."""
    _provider()
    services().limits.joining(request.remote_addr)
    raw = request.form.get("username", "")
    confirmed = session.get(CONFIRMED)
    issuer, subject, suggested, asked, _ = _taken(CONFIRMED, 5)
    who = Identity(str(issuer), str(subject), str(suggested))
    try:
        name, tokens, whence = people.check_name(raw), kept(), browser()

        def begin(transaction: Transaction, token: str) -> Person:
            person, _ = sessions.begin(transaction, name, tokens, token, browser=whence)
            # Who held the name here before must show a proof of it first: this would be one for ever.
            if credentials.held(transaction.connection, person.id).claimed:
                raise people.taken(person, name)
            identities.link(transaction, person, who)
            return person

        begin_session(name, begin)
    except Refused as error:
        session[CONFIRMED] = confirmed
        return refusing(error, lambda status, reason: _name_form(422 if status == 409 else status, raw, reason))
    return redirect(request.root_path + (local(str(asked)) or "/"), 303)


def _provider() -> Provider:
    found = services().openid
    if found is None:
        raise NotFound("There is no such page.")
    return found


def _back() -> str:
    return url_for("openid.arrive", _external=True)


def _taken(key: str, length: int) -> list[object]:
    """What the cookie kept, once, the time at its end. Raises :class:`Unproven` if it is not there or too old."""
    found = session.pop(key, None)
    if not isinstance(found, list) or len(found) != length or abs(proving.now() - int(found[-1])) > LIFETIME:
        raise Unproven(_TOO_LATE)
    return found


def _sign_in(proof: IdentityShown) -> None:
    whence = browser()
    begin_session(
        proof.person.username,
        lambda transaction, token: proofs.begin(transaction, proof, token, browser=whence)[0],
    )


def _link(transaction: Transaction, person: Person, who: Identity, session_id: int) -> None:
    identities.link(transaction, person, who)
    sessions.prove(transaction, session_id)


def _name_form(status: int, username: str, error: str = "") -> Response:
    found = _provider()
    return page("account/openid.html", status, provider=found.name, username=username[:200], error=error or None)
