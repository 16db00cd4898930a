"""The front door: what must be fast or stay open is answered on the event loop, everything else by Flask."""

from __future__ import annotations

import asyncio
import re
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import structlog
from flask import Flask
from starlette.routing import Match, Route, Router
from starlette.types import Message, Receive, Scope, Send

from . import config, events
from .api.messages import PostMessage
from .bus import MemoryBus
from .http import asgi
from .http.problems import Problem
from .http.services import Services
from .http.wsgi import Bridge
from .live.events import Events
from .live.hub import Hub
from .live.stream import Readers
from .live.timeline import TimelineDocument
from .web.messages import PostForm

log = structlog.get_logger("flask_chat.requests")

READERS = 2
"""Threads that read the database for requests on the event loop."""

_STAYS = re.compile("/api/events|/rooms/[^/]+/timeline")


class FrontDoor:
    """The whole chat as one ASGI application."""

    def __init__(self, flask: Flask) -> None:
        self._chat: Services = flask.extensions["flask_chat"]
        self._bus = MemoryBus()
        self._flask = Bridge(flask.wsgi_app, threads=self._chat.config.threads, most=config.MAX_BODY)
        self.hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or begin and end with the server."""
        if scope["type"] == "lifespan":
            await self._live(receive, send)
        else:
            await self._serve(scope, receive, send)

    async def close(self) -> None:
        """End every stream, so that the server can stop; their readers come back to the next one."""
        if self.hub is not None:
            await self.hub.close()

    async def _live(self, receive: Receive, send: Send) -> None:
        await receive()
        # Few: what threads allocate, each of them keeps for itself.
        asyncio.get_running_loop().set_default_executor(ThreadPoolExecutor(READERS, "read"))
        with self._chat.db.read() as connection:
            position = events.last_id(connection)
        self.hub = Hub(self._chat.db, position)
        unsubscribe = self._bus.subscribe(self.hub.receive)
        self._chat.db.listeners.append(self._bus.publish)
        self._router = Router(self._routes(Readers(self._chat, self.hub)), redirect_slashes=False, default=self._flask)
        self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            await self.hub.close()
            unsubscribe()
            self._chat.db.listeners.remove(self._bus.publish)
            self._flask.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _routes(self, readers: Readers) -> list[Route]:
        return [
            _Exactly("/up", up, methods=["GET", "HEAD"]),
            _Exactly("/static/{version}/{name:path}", self._chat.assets, methods=["GET", "HEAD"]),
            _Exactly("/api/rooms/{room}/messages", PostMessage(self._chat), methods=["POST"]),
            _Exactly("/rooms/{room}/messages", PostForm(self._chat, self._flask), methods=["POST"]),
            _Exactly("/api/events", Events(readers), methods=["GET"]),
            _Exactly("/rooms/{room}/timeline", TimelineDocument(readers), methods=["GET"]),
        ]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        status = 0

        async def noting(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
            await send(message)

        # A stream gets the server's own send: the hub steps it by hand, thousands of times a second.
        stays = _STAYS.fullmatch(scope["path"]) is not None
        try:
            await self._router(scope, receive, send if stays else noting)
        except asgi.Gone:
            return
        except Exception as error:
            log.error("request.failed", method=scope["method"], route=_route(scope), exc_info=error)
            if status or stays:
                raise
            await asgi.refuse(noting, Problem(500, "Something went wrong here."))
        log.info(
            "request",
            method=scope["method"],
            route=_route(scope),
            status=status or None,
            ms=round((time.perf_counter() - began) * 1000, 1),
            address=(scope["client"] or ("",))[0],
        )


class _Exactly(Route):
    """A route that leaves other methods on the same path to Flask."""

    def __init__(self, path: str, endpoint: Any, *, methods: list[str]) -> None:
        super().__init__(path, endpoint)
        self.methods = set(methods)
        self.app = endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (match, child) if match is Match.FULL else (Match.NONE, {})


async def up(scope: Scope, receive: Receive, send: Send) -> None:
    """Say that the chat serves."""
    await asgi.respond(send, 200, [(b"content-type", b"text/plain"), *asgi.SECURITY], b"ok\n")


def _route(scope: Scope) -> str:
    """The pattern that a request matched. Never its path: a message sent by address is in that."""
    if "flask_chat.route" in scope:
        return str(scope["flask_chat.route"])
    route = scope.get("route")
    return getattr(route, "path", "?")
