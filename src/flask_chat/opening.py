"""Opening the chat's data: the database, migrated, and everything that works on it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any

from flask import Flask

from . import datafolder, schema
from .chat import rooms
from .chat.sessions import Directory
from .chat.timelines import Timelines
from .config import Config
from .db import Database
from .events import begin_epoch
from .http.assets import Assets
from .http.identity import CookieSessions, Identity
from .http.limits import Limits
from .http.owner_link import OwnerLink
from .http.services import Services
from .http.wsgi import WSGI

_opening = threading.Lock()


def open_once(app: Flask, config: Config) -> None:
    """Give ``app`` its services, unless it has them.

    Raises :class:`flask_chat.db.DataInUse` or :class:`flask_chat.schema.SchemaTooNew`, with nothing changed.
    """
    with _opening:
        if "flask_chat" not in app.extensions:
            app.extensions["flask_chat"] = _open(app, config)


def on_first_request(app: Flask, config: Config) -> WSGI:
    """``app`` as a WSGI application that opens the data when it is first asked for something."""
    inner = app.wsgi_app

    def serve(environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        open_once(app, config)
        return inner(environ, start_response)

    return serve


def _open(app: Flask, config: Config) -> Services:
    datafolder.prepare(config.data)
    db = Database(config.data, readers=config.threads + 8)
    try:
        schema.upgrade(db.engine)
        app.secret_key = config.secret or datafolder.secret(config.data / "secret.key")
        with db.engine.begin() as connection:
            epochs = begin_epoch(connection)
        db.start()
        db.write(rooms.make_lobby)
        sessions = Directory(db)
        serializer = CookieSessions().get_signing_serializer(app)
        assert serializer is not None
        return Services(
            config=config,
            db=db,
            epochs=epochs,
            sessions=sessions,
            identity=Identity(serializer, sessions),
            timelines=Timelines(db),
            limits=Limits(config.limits),
            assets=Assets(),
            owner_link=OwnerLink(config.data),
            throwaway=datafolder.fleeting(config.data),
        )
    except BaseException:
        db.close()
        raise
