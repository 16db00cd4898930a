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

from . import config, events, logs
from .api.messages import PostMessage
from .api.reading import PutMark
from .api.typing import PostTyping
from .chat import idle, retention, statistics, thinning
from .http import asgi, request_ids
from .http.assets import KEPT
from .http.prefix import Elsewhere, within
from .http.problems import Problem
from .http.services import Services
from .http.wsgi import Bridge
from .live.announce import announce
from .live.daily import Chore, daily
from .live.events import Events
from .live.figures import Figures, keep_noting
from .live.hub import Hub
from .live.probe import Probe
from .live.signals import Signals
from .live.stream import Readers
from .live.timeline import TimelineDocument
from .live.up import Up
from .live.watch import Watch
from .web.messages import PostForm
from .web.takeout import TakeOut

log = structlog.get_logger("flask_chat.requests")

DAILY: dict[str, Chore] = {
    "days": statistics.keep,
    "names": idle.sweep,
    "retention": retention.sweep,
    "log": thinning.sweep,
}
"""What is done once a day."""

READERS = 2
"""Threads that read the database for requests on the event loop."""

_STAYS = "/api/events|/rooms/[^/]+/timeline"
_EVERYWHERE = ("/up", "/metrics")
"""Routes for machines that know nothing of a prefix: they answer beside it too."""


class FrontDoor:
    """The whole chat as one ASGI application."""

    def __init__(self, flask: Flask) -> None:
        self._chat: Services = flask.extensions["flask_chat"]
        self._flask = Bridge(flask.wsgi_app, threads=self._chat.config.threads, most=config.MAX_BODY)
        self._name = request_ids.maker()
        self._root = self._chat.config.prefix
        self._stays = re.compile(f"{re.escape(self._root)}(?:{_STAYS})")
        self.hub: Hub | None = None

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request, or begin and end with the server."""
        if scope["type"] == "lifespan":
            try:
                await self._live(receive, send)
            except Exception as error:
                # The server only sees that it did not begin, or end, as it should.
                log.error("start.failed" if self.hub is None else "end.failed", exc_info=error)
                raise
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
        self._chat.timelines.reach(position)
        self.hub = Hub(
            self._chat.db,
            position,
            heard=self._chat.hear,
            missed=self._chat.missed,
            epochs=self._chat.epochs,
            metrics=self._chat.metrics,
            root=self._root,
        )
        unsubscribe = self._chat.bus.subscribe(self.hub.receive)
        deafen = self._chat.bus.subscribe_signals(Signals(self.hub).receive)
        always = [announce(self._chat.bus, self.hub), daily(self._chat.db, DAILY)]
        if self._chat.db.backend.shared:
            always.append(Watch(self._chat.db, self._chat.epochs, self.hub).run())
        if self._chat.metrics.together:
            always.append(keep_noting(self._chat, self.hub))
        tasks = [asyncio.ensure_future(work) for work in always]
        routes = self._routes(Readers(self._chat, self.hub))
        self._router = Router(routes, redirect_slashes=False, default=self._flask)
        everywhere = [route for route in routes if route.path in _EVERYWHERE]
        self._outside = Router(everywhere, redirect_slashes=False, default=Elsewhere(self._root))
        self.hub.start()
        await send({"type": "lifespan.startup.complete"})
        try:
            await receive()
        finally:
            for task in tasks:
                task.cancel()
            await self.hub.close()
            unsubscribe()
            deafen()
            self._flask.close()
        await send({"type": "lifespan.shutdown.complete"})

    def _routes(self, readers: Readers) -> list[Route]:
        probe = Probe(self._chat.db)
        return [
            # They are tried one after another: what must be quickest comes first.
            _Exactly("/api/rooms/{room}/messages", PostMessage(self._chat), methods=["POST"]),
            _Exactly("/rooms/{room}/messages", PostForm(self._chat, self._flask), methods=["POST"]),
            _Exactly("/api/events", Events(readers), methods=["GET"]),
            _Exactly("/api/rooms/{room}/read", PutMark(self._chat), methods=["PUT"]),
            _Exactly("/api/rooms/{room}/typing", PostTyping(self._chat), methods=["POST"]),
            _Exactly("/static/{version}/{name:path}", self._chat.assets, methods=["GET", "HEAD"]),
            _Exactly("/account/data", TakeOut(self._chat, self._flask), methods=["POST"]),
            _Exactly("/rooms/{room}/timeline", TimelineDocument(readers), methods=["GET"]),
            _Exactly("/up", Up(self._chat, readers.hub, probe), methods=["GET", "HEAD"]),
            _Exactly("/metrics", Figures(self._chat, readers.hub, probe), methods=["GET", "HEAD"]),
        ]

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        began = time.perf_counter()
        if request_ids.KEY not in scope:
            scope[request_ids.KEY] = self._name()
        logs.request_ids.set((scope[request_ids.KEY],))
        # A stream gets the server's own send: the hub steps it by hand, thousands of times a second.
        answer = None if self._stays.fullmatch(scope["path"]) else _Answer(scope, send)
        try:
            # The routes look at what follows root_path, as the ASGI specification has it.
            router = self._router if not self._root or within(scope, self._root) else self._outside
            await router(scope, receive, answer or send)
        except asgi.Gone:
            return
        except Exception as error:
            log.error("request.failed", method=scope["method"], route=_route(scope), exc_info=error)
            if answer is None or answer.status:
                raise
            await asgi.refuse(answer, Problem(500, "Something went wrong here."))
        seconds, route = time.perf_counter() - began, _route(scope)
        # A proxy that asks every second whether the chat is there would fill the log with it.
        say = log.debug if route == "/up" else log.info
        say(
            "request",
            method=scope["method"],
            route=route,
            status=answer.status if answer else None,
            ms=round(seconds * 1000, 1),
            address=(scope["client"] or ("",))[0],
        )
        if answer is not None:
            self._chat.metrics.answered(route, answer.status, seconds)


class _Answer:
    """An answer on its way out: with the name of its request, and its status noted."""

    __slots__ = ("_scope", "_send", "status")

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self.status = 0

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start":
            self.status = message["status"]
            # What a browser keeps for good is not of this request any more.
            if KEPT not in self._scope:
                # The list may be one that every answer of its kind has.
                message["headers"] = [*message["headers"], request_ids.told(self._scope)]
        await self._send(message)


class _Exactly(Route):
    """A route that leaves other methods on the same path to Flask."""

    def __init__(self, path: str, endpoint: Any, *, methods: list[str]) -> None:
        super().__init__(path, endpoint)
        self.methods = set(methods)
        self.app = endpoint

    def matches(self, scope: Scope) -> tuple[Match, Scope]:
        match, child = super().matches(scope)
        return (match, child) if match is Match.FULL else (Match.NONE, {})


def _route(scope: Scope) -> str:
    """The pattern that a request matched. Never its path: a message sent by address is in that."""
    if "flask_chat.route" in scope:
        return str(scope["flask_chat.route"] or "?")
    route = scope.get("route")
    return getattr(route, "path", "?")
