"""Applications in the tests' own process. To wire one takes longer than most tests do: each is used by many."""

from __future__ import annotations

from collections import defaultdict

from flask import Flask

from flask_chat import wire
from flask_chat.config import Config
from flask_chat.opening import open_once

_unused: defaultdict[str, list[Flask]] = defaultdict(list)


def opened(config: Config) -> Flask:
    """An application with its data open. A test that changes its routes or its settings makes one of its own."""
    unused = _unused[config.prefix]
    app = unused.pop() if unused else wire(config.prefix)
    open_once(app, config)
    return app


def close(app: Flask) -> None:
    """Close its data, and let another test have it."""
    app.extensions.pop("flask_chat").close()
    _unused[app.config["APPLICATION_ROOT"].rstrip("/")].append(app)
