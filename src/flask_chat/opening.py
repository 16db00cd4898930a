"""Opening the chat's data: the database with the right schema, the bus, and everything that works on them."""

from __future__ import annotations

import hashlib
import os
import secrets
import socket
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Any

from flask import Flask
from sqlalchemy.exc import SQLAlchemyError

from . import datafolder, events, metrics, schema
from .bus import Bus
from .bus.memory import MemoryBus
from .chat import keeping, rooms
from .chat.keeping import DatabaseKeep
from .chat.presence import Presence
from .chat.sessions import Directory
from .chat.settings import Current
from .chat.timelines import Timelines
from .config import Config
from .db import Backend, Database, SQLite, StorageUnavailable
from .events import Epochs
from .http import openid
from .http.assets import Assets
from .http.identity import CookieSessions, Identity
from .http.limits import Counters, Limits
from .http.owner_link import OwnerLink
from .http.services import Services
from .http.wsgi import WSGI

_opening = threading.Lock()


def open_once(app: Flask, config: Config) -> None:
    """Give ``app`` its services, unless it has them.

    Raises :class:`flask_chat.config.ConfigError`, :class:`flask_chat.db.DataInUse`,
    :class:`flask_chat.db.DatabaseRefused`, :class:`flask_chat.db.StorageUnavailable`,
    :class:`flask_chat.schema.SchemaTooOld` or :class:`flask_chat.schema.SchemaTooNew`, with nothing changed.
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


def node_name() -> str:
    """A name for this process among all those that serve a chat. What is after the last dash says nothing of where."""
    return f"{socket.gethostname().partition('.')[0][:30]}-{os.getpid()}-{secrets.token_hex(3)}"


def backend(config: Config, node: str = "", *, patient: bool = False) -> Backend:
    """The engine that the settings name, with its data open; ``patient``: for work that takes as long as it needs."""
    readers = config.threads + 8
    if config.database_url is None:
        datafolder.refuse_moved(config.data)
        datafolder.prepare(config.data)
        return SQLite(config.data, readers)
    # Its driver is not loaded where it is not needed: a small machine has better use for the memory.
    from .db.postgresql import PATIENCE, PostgreSQL

    return PostgreSQL(config.database_url, readers, node=node, patience=None if patient else PATIENCE)


def _open(app: Flask, config: Config) -> Services:
    node = config.node or node_name()
    db = Database(backend(config, node))
    try:
        if db.backend.shared:
            schema.prepare(db.engine)
        else:
            schema.upgrade(db.engine)
        epochs = Epochs(shared=db.backend.shared)
        db.openers.append(epochs.begin)
        db.start()
        db.write(rooms.make_lobby)
        keep = DatabaseKeep(db) if db.backend.shared else datafolder.FolderKeep(config.data)
        app.secret_key = config.secret or keep.ensure(keeping.SECRET)
        db.backend.key = hashlib.blake2b(app.secret_key.encode(), person=b"flask-chat.db").digest()
        with db.read() as connection:
            last = events.last_id(connection)
        sessions = Directory(db)
        timelines = Timelines(last, shared=db.backend.shared, root=config.prefix)
        bus = _bus(config, db, epochs, node)
        counts = metrics.metrics(
            node, {"database": db.backend.name, "bus": bus.kind}, asked=config.metrics_token is not None
        )
        db.watch = counts.committed
        serializer = CookieSessions().get_signing_serializer(app)
        assert serializer is not None
        chat = Services(
            config=config,
            node=node,
            db=db,
            bus=bus,
            epochs=epochs,
            sessions=sessions,
            identity=Identity(serializer, sessions),
            timelines=timelines,
            settings=Current(db),
            presence=Presence(bus.announced, db),
            limits=Limits(config.limits, _counters(config, db)),
            assets=Assets(root=config.prefix),
            owner_link=OwnerLink(keep),
            openid=openid.provider(config),
            metrics=counts,
            throwaway=not db.backend.shared and datafolder.fleeting(config.data),
        )
        bus.subscribe(chat.hear)
        db.listeners.append(bus.publish)
    except BaseException:
        db.close()
        raise
    return chat


def _bus(config: Config, db: Database, epochs: Epochs, node: str) -> Bus:
    # The one process on an SQLite file has nobody to tell.
    if config.redis_url is None or not db.backend.shared:
        return MemoryBus(node)
    from .bus.redis import RedisBus

    def load() -> None:
        with suppress(StorageUnavailable, SQLAlchemyError), db.read() as connection:
            epochs.load(connection)

    channel = f"flask-chat:{_name(db)}"
    return RedisBus(config.redis_url, channel, node, epoch=lambda: epochs.current, other_epoch=load)


def _counters(config: Config, db: Database) -> Counters | None:
    """What counts together with the other processes, where there can be any and a Redis is between them."""
    if config.redis_url is None or not db.backend.shared:
        return None
    from .http.shared_limits import SharedLimits

    return SharedLimits(config.redis_url, _name(db))


def _name(db: Database) -> str:
    """What tells this chat from others on the same Redis."""
    return db.write(lambda transaction: keeping.ensure(transaction, keeping.CHAT))[:16]
