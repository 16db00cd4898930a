"""The page on which a newcomer chooses who to be in the demonstration."""

from __future__ import annotations

from flask import Blueprint, redirect, request, url_for
from werkzeug.wrappers import Response as AnyResponse

from ..chat.errors import NotFound
from ..chat.rooms import LOBBY
from ..http.visitor import signed_in
from ..web.page import page
from .cast import CAST, YOU
from .fill import Filled


def blueprint(filled: Filled) -> Blueprint:
    """The page and its buttons, for a chat that was filled."""
    door = Blueprint("demo", __name__)

    @door.get("/demo")
    def ask() -> AnyResponse:
        """Who is there to be."""
        return page("demo/cast.html", cast=CAST, you=YOU, people=filled.people)

    @door.post("/demo")
    def be() -> AnyResponse:
        """Sign this browser in as somebody."""
        username = request.form.get("username", "")
        token = filled.tokens.get(username)
        if token is None:
            raise NotFound("There is nobody of that name here.")
        signed_in(filled.people[username], token)
        return redirect(url_for("rooms.show", slug=LOBBY), 303)

    return door
