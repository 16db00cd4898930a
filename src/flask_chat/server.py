"""Running the front door: one process, a socket that is ours before anything else starts, an end without loss."""

from __future__ import annotations

import errno
import gc
import resource
import signal
import socket
import time
from collections.abc import Callable, Coroutine
from types import FrameType
from typing import Any, cast

import uvicorn
from flask import Flask
from uvicorn._types import ASGIReceiveCallable, ASGISendCallable
from uvicorn._types import Scope as AnyScope
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from .asgi import FrontDoor
from .config import Config, ConfigError
from .http import request_ids
from .http.services import Services
from .protocol import Protocol

DRAIN = 1.2
"""Seconds that requests under way have to finish when the server stops."""

BACKLOG = 4096

LEAVING = 5.0
"""Seconds that processes of a start before have to leave a port that they share."""

SEND_BUFFER = 64 * 1024
"""Bytes that the system holds for a connection; Linux takes as much again for itself."""


def listen(host: str, port: int, *, shared: bool = False) -> socket.socket:
    """Take the port; ``shared``: together with others of this user who do so too, the system spreads who comes.

    Raises :class:`ConfigError` with what to do if that is not possible.
    """
    listener = _bound(host, port, shared=shared)
    # Every connection inherits this. Left to itself, the system holds megabytes for a reader that takes nothing.
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
    try:
        listener.listen(BACKLOG)
    except OSError as error:
        listener.close()
        raise _refusal(host, port, error) from None
    return listener


def reserve(host: str, port: int) -> socket.socket:
    """Keep the port for processes that will share it. Nobody is let in here: it is bound, and does not listen.

    Waits up to LEAVING seconds for the processes of a start before, whose parent was killed: they are on their way out.
    Raises :class:`ConfigError` with what to do if the port is not to be had.
    """
    reserved = _bound(host, port, shared=True)
    until = time.monotonic() + LEAVING
    while True:
        try:
            # Who shares a port may join those who share it already. Only who will not share it learns that it is taken.
            _bound(host, reserved.getsockname()[1], shared=False).close()
        except ConfigError:
            if time.monotonic() > until:
                reserved.close()
                raise
            time.sleep(0.1)
        else:
            return reserved


def _bound(host: str, port: int, *, shared: bool) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    if shared:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
    try:
        bound.bind((host, port))
    except OSError as error:
        bound.close()
        raise _refusal(host, port, error) from None
    return bound


def _refusal(host: str, port: int, error: OSError) -> ConfigError:
    if error.errno == errno.EADDRINUSE:
        return ConfigError(f"Port {port} is taken by another program. Choose another: bin/serve --port {_next(port)}")
    if error.errno == errno.EACCES:
        return ConfigError(f"Port {port} needs more rights than this user has. Choose one above 1023.")
    return ConfigError(f"Cannot listen on {host}, port {port}: {error.strerror or error}.")


def run(app: Flask, listener: socket.socket, *, ready: Callable[[], None]) -> None:
    """Serve until SIGINT or SIGTERM; then answer what is under way, tell streams to come back, and close the data."""
    chat: Services = app.extensions["flask_chat"]
    _allow_connections()
    door = FrontDoor(app)
    server = _Server(_settings(door, chat.config), door, ready)
    try:
        server.run(sockets=[listener])
    finally:
        chat.close()


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


class Proxies(ProxyHeadersMiddleware):
    """Believes the proxies that are trusted: whom they ask for, whether over TLS, and what they call a request."""

    def __call__(
        self, scope: AnyScope, receive: ASGIReceiveCallable, send: ASGISendCallable
    ) -> Coroutine[Any, Any, None]:
        """Not a coroutine itself: a stream would have one more for as long as it is open."""
        if scope["type"] == "http":
            name = request_ids.given(scope["headers"])
            if name is not None and (scope["client"] or ("",))[0] in self.trusted_hosts:
                cast(dict[str, Any], scope)[request_ids.KEY] = name
        return super().__call__(scope, receive, send)


def _settings(door: FrontDoor, config: Config) -> uvicorn.Config:
    return uvicorn.Config(
        Proxies(cast(Any, door), config.trusted_proxies),
        interface="asgi3",
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
        proxy_headers=False,
    )


def _allow_connections() -> None:
    """Let the process hold as many sockets as the system grants it."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else hard
    if soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))


def _next(port: int) -> int:
    return port + 1 if port < 65_535 else 5000
