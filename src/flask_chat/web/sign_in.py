"""Signing in as somebody who is here already: with a password, a recovery code or a passkey."""

from __future__ import annotations

from collections.abc import Callable
from http import HTTPStatus

from flask import Blueprint, Response, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import passkeys, proofs
from ..chat.errors import Refused
from ..chat.proofs import Proof
from ..http import proving
from ..http.problems import problem
from ..http.visitor import browser, services
from .entry import begin_session, local
from .page import page

blueprint = Blueprint("sign_in", __name__, url_prefix="/sign-in")


@blueprint.get("")
def ask() -> Response:
    """The form that asks for a name and a proof."""
    return _form(200, request.args.get("username", ""), next=request.args.get("next", ""))


@blueprint.post("")
def enter() -> AnyResponse:
    """Sign this browser in."""
    name = request.form.get("username", "")
    try:
        proof = shown(name)
        whence = browser()
        begin_session(
            proof.person.username,
            lambda transaction, token: proofs.begin(transaction, proof, token, browser=whence)[0],
        )
    except Refused as error:
        asked = request.form.get("next", "")
        return refusing(error, lambda status, reason: _form(status, name, reason, asked))
    following = local(request.form.get("next", ""))
    if following is not None:
        return redirect(request.root_path + following, 303)
    return redirect(url_for("entry.ask"), 303)


@blueprint.post("/challenge")
def challenge() -> Response:
    """What a passkey is to sign, as JSON; it is remembered in this browser's cookie."""
    return Response(
        passkeys.request_options(proving.party(), proving.challenge(proving.SIGN_IN)), mimetype="application/json"
    )


def shown(username: str) -> Proof:
    """What the form that was sent proves: by a passkey's answer, else by a password or recovery code."""
    answer = request.form.get("answer", "")
    if answer:
        return proving.look_at_passkey(answer)
    return proving.look(username, request.form.get("password", ""))


def refusing(error: Refused, form: Callable[[int, str], Response]) -> Response:
    """A form again, with what was wrong; ``form`` makes it from its status and the reason."""
    told = problem(error)
    assert told is not None
    response = form(422 if told.status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE else told.status, error.reason)
    if told.retry_after is not None:
        response.headers["retry-after"] = str(told.retry_after)
    return response


def _form(status: int, username: str, error: str = "", next: str = "") -> Response:
    provider = services().openid
    return page(
        "account/sign_in.html",
        status,
        username=username[:200],
        error=error or None,
        next=local(next) or "",
        provider=provider.name if provider is not None else "",
    )
