"""Running the front door: one process, a socket that is ours before anything else starts, an end without loss."""

from __future__ import annotations

import errno
import gc
import resource
import signal
import socket
from collections.abc import Callable
from types import FrameType

import uvicorn
from flask import Flask

from .asgi import FrontDoor
from .config import Config, ConfigError
from .http.services import Services
from .protocol import Protocol

DRAIN = 1.2
"""Seconds that requests under way have to finish when the server stops."""

BACKLOG = 4096

SEND_BUFFER = 64 * 1024
"""Bytes that the system holds for a connection; Linux takes as much again for itself."""


def listen(host: str, port: int) -> socket.socket:
    """Take the port. Raises :class:`ConfigError` with what to do if that is not possible."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    # Every connection inherits this. Left to itself, the system holds megabytes for a reader that takes nothing.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    try:
        listener.bind((host, port))
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise ConfigError(
                f"Port {port} is taken by another program. Choose another: bin/serve --port {_next(port)}"
            ) from None
        if error.errno == errno.EACCES:
            raise ConfigError(f"Port {port} needs more rights than this user has. Choose one above 1023.") from None
        raise ConfigError(f"Cannot listen on {host}, port {port}: {error.strerror or error}.") from None
    return listener


def run(app: Flask, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; then answer what is under way, tell streams to come back, and close the data."""
    chat: Services = app.extensions["flask_chat"]
    _allow_connections()
    door = FrontDoor(app)
    server = _Server(_settings(door, chat.config), door, ready)
    try:
        server.run(sockets=[listener])
    finally:
        chat.db.close()


class _Server(uvicorn.Server):
    def __init__(self, settings: uvicorn.Config, door: FrontDoor, ready: Callable[[], None]) -> None:
        super().__init__(settings)
        self._door, self._ready = door, ready

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        self._ready()
        # What was loaded by now stays: the collector need not look through it again. Thousands of connections are
        # not rubbish either; at its default pace it would look through all of them several times a second.
        gc.collect()
        gc.freeze()
        gc.set_threshold(20_000, 20, 50)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        for server in self.servers:
            server.close()
        await self._door.close()
        await super().shutdown(sockets)

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        # uvicorn raises the signal once more at the end, for a parent that watches; ours is a normal end.
        self.force_exit = self.should_exit and sig == signal.SIGINT
        self.should_exit = True


def _settings(door: FrontDoor, config: Config) -> uvicorn.Config:
    return uvicorn.Config(
        door,
        loop="uvloop",
        http=Protocol,
        ws="none",
        lifespan="on",
        access_log=False,
        log_config=None,
        server_header=False,
        backlog=BACKLOG,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=DRAIN,  # type: ignore[arg-type]
        proxy_headers=True,
        forwarded_allow_ips=config.trusted_proxies,
    )


def _allow_connections() -> None:
    """Let the process hold as many sockets as the system grants it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _next(port: int) -> int:
    return port + 1 if port < 65_535 else 5000
