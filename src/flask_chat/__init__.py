"""Flask Chat: start it with one command, join with one word, never lose a line."""

from __future__ import annotations

import os
from datetime import timedelta

from flask import Flask, Response, request

from . import cli, opening
from . import config as configuration
from .api import blocks as api_blocks
from .api import conversations as api_conversations
from .api import directory as api_directory
from .api import editing as api_editing
from .api import invitations as api_invitations
from .api import members as api_members
from .api import messages as api_messages
from .api import moderation as api_moderation
from .api import overview as api_overview
from .api import people as api_people
from .api import presence as api_presence
from .api import reading as api_reading
from .api import reports as api_reports
from .api import rooms as api_rooms
from .api import sessions as api_sessions
from .config import Config
from .http import headers, identity, visitor
from .http.identity import CookieSessions
from .http.paths import LogId, RowId
from .web import (
    account,
    admin,
    admin_people,
    conversations,
    departing,
    device_links,
    directory,
    editing,
    entry,
    errors,
    invitations,
    members,
    messages,
    openid,
    owner,
    passkeys,
    people,
    profiles,
    proof,
    reading,
    renaming,
    reports,
    sign_in,
    takeout,
    waiting,
)
from .web import rooms as room_pages
from .web import sessions as session_pages

__version__ = configuration.VERSION


def create_app(config: Config | None = None) -> Flask:
    """Wire the house and open the chat's data. Raises what :func:`flask_chat.opening.open_once` says."""
    config = config or Config.from_environment()
    app = wire(config.prefix)
    if os.environ.get("FLASK_RUN_FROM_CLI") == "true":
        # `flask routes` beside a running chat must not reach for its data; a request does.
        app.wsgi_app = opening.on_first_request(app, config)  # type: ignore[assignment, method-assign]
    else:
        opening.open_once(app, config)
    return app


def wire(prefix: str = "") -> Flask:
    """The application with its routes below a prefix, and no data yet."""
    app = Flask(__name__, static_folder=None)
    app.config.update(
        APPLICATION_ROOT=prefix or "/",
        SESSION_COOKIE_NAME=identity.COOKIE,
        # Two chats on one host must not take each other's cookies away.
        SESSION_COOKIE_PATH=prefix or "/",
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",
        SESSION_REFRESH_EACH_REQUEST=False,
        PERMANENT_SESSION_LIFETIME=timedelta(days=configuration.SESSION_DAYS),
        MAX_CONTENT_LENGTH=configuration.MAX_BODY,
        MAX_FORM_MEMORY_SIZE=configuration.MAX_BODY,
    )
    app.session_interface = CookieSessions()
    # A message in an address keeps its slashes, however many.
    app.url_map.merge_slashes = False
    app.url_map.converters.update(words=messages.Words, int=RowId, long=LogId)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.before_request(visitor.refuse_too_large)
    app.before_request(visitor.refuse_other_origins)
    app.before_request(waiting.hold_back)
    app.after_request(_finish)
    for door in (
        entry,
        room_pages,
        messages,
        people,
        owner,
        api_messages,
        api_overview,
        api_presence,
        api_reading,
        reading,
        api_sessions,
        editing,
        api_editing,
        api_moderation,
        api_reports,
        api_blocks,
    ):
        app.register_blueprint(door.blueprint)
    for door in (account, device_links, openid, passkeys, proof, session_pages, sign_in):
        app.register_blueprint(door.blueprint)
    for door in (conversations, directory, invitations, members):
        app.register_blueprint(door.blueprint)
    for door in (api_conversations, api_directory, api_invitations, api_members, api_rooms):
        app.register_blueprint(door.blueprint)
    for door in (api_people, departing, profiles, renaming, takeout):
        app.register_blueprint(door.blueprint)
    for door in (admin, admin_people, reports):
        app.register_blueprint(door.blueprint)
    errors.register(app)
    # Flask's own line for an error names the address, which may have a message in it; ours names the route.
    app.logger.disabled = True
    for command in cli.main.commands.values():
        app.cli.add_command(command)
    return app


def _finish(response: Response) -> Response:
    response.headers.extend(headers.EVERYWHERE)
    if "cache-control" not in response.headers:
        response.headers["cache-control"] = headers.PRIVATE
    if "asgi.scope" in request.environ:
        request.environ["asgi.scope"]["flask_chat.route"] = request.url_rule
    return response
