"""``flask-chat demo``: fills a throw-away chat, says how to be whom, and serves it until Ctrl-C."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path

import click
from flask import Flask

from .. import logs, opening, server
from ..config import Config
from ..http.services import Services
from . import door
from .cast import NAME, YOU
from .fill import Filled, fill

HOST = "127.0.0.1"
"""Whoever reaches it may be anybody in it: so nobody but this machine does."""


def run(port: int, create_app: Callable[[Config], Flask]) -> None:
    """Serve the demonstration, an application that ``create_app`` wires, on a port of this machine, 0 for a free one.

    Raises :class:`flask_chat.config.ConfigError` if the port is not to be had.
    """
    listener = server.listen(HOST, port)
    with tempfile.TemporaryDirectory(prefix="flask-chat-demo-", ignore_cleanup_errors=True) as folder:
        config = Config(host=HOST, data=Path(folder), name=NAME, log="warnings", node=opening.node_name())
        logs.configure(config.log, config.node)
        app = create_app(config)
        chat: Services = app.extensions["flask_chat"]
        filled = fill(chat.db)
        app.register_blueprint(door.blueprint(filled))
        where = listener.getsockname()[1]
        server.run(app, listener, ready=lambda: click.echo("\n".join(_words(where, filled))))


def _words(port: int, filled: Filled) -> Sequence[str]:
    return (
        "",
        f"  {NAME} is open: {len(filled.people)} people, {len(filled.rooms)} rooms and conversations.",
        "",
        f"  Be somebody        http://{HOST}:{port}/demo",
        f"  Come as yourself   http://{HOST}:{port}/",
        "",
        f"  “{YOU}” owns this chat. In another browser, or a private window, you can be somebody else.",
        "  All of it is gone when it stops, and only this computer can reach it. Ctrl-C stops it.",
        "",
    )
