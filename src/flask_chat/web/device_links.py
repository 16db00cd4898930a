"""Signing in on another device of mine, by a link or its picture."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat import device_links
from ..http import proving, qr
from ..http.visitor import browser, me, services
from .entry import ask_first, begin_session
from .page import page

blueprint = Blueprint("device_links", __name__)


@blueprint.get("/account/devices/new")
def offer() -> AnyResponse:
    """The button that makes a link."""
    return ask_first() if me() is None else page("account/device.html", link="", picture="")


@blueprint.post("/account/devices/new")
def make() -> AnyResponse:
    """Make a link, and show it with its picture."""
    person = me()
    if person is None:
        return ask_first()
    services().limits.arranging(person.id)
    token = services().db.write(lambda transaction: device_links.make(transaction, person))
    link = url_for("device_links.ask", token=token, _external=True)
    return page("account/device.html", link=link, picture=qr.svg(link))


@blueprint.get("/link/<token>")
def ask(token: str) -> AnyResponse:
    """Ask whether to sign in on this device. Looking does not use the link up."""
    with services().db.read() as connection:
        person = device_links.find(connection, token, proving.now())
    return page("account/link.html", person=person, action=url_for("device_links.use", token=token))


@blueprint.post("/link/<token>")
def use(token: str) -> AnyResponse:
    """Use the link up, and sign this browser in."""
    services().limits.joining(request.remote_addr)
    with services().db.read() as connection:
        name = device_links.find(connection, token, proving.now()).username
    whence = browser()
    begin_session(
        name,
        lambda transaction, session_token: device_links.use(transaction, token, session_token, browser=whence)[0],
    )
    return redirect(url_for("entry.ask"), 303)
