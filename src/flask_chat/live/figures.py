"""``GET /metrics``: figures for Prometheus, for who has the token."""

from __future__ import annotations

import asyncio
import hmac
import time

from starlette.types import Receive, Scope, Send

from ..http import asgi
from ..http.problems import Problem
from ..http.services import Services
from ..metrics import TYPE, Levels
from .hub import Hub
from .probe import Probe, apart

EVERY = 1.0
"""Seconds between two times at which a process that is one of several notes what the others will say of it."""


class Figures:
    """The gateway's endpoint."""

    def __init__(self, chat: Services, hub: Hub, probe: Probe) -> None:
        self._chat, self._hub, self._probe = chat, hub, probe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """All figures; 404 where no token was set, 401 for who does not have it."""
        try:
            self._let_in(scope)
        except Problem as problem:
            await asgi.refuse(send, problem)
            return
        sign = await self._probe.ask()
        self._chat.metrics.note(levels(self._chat, self._hub, database=sign.up))
        # A thousand lines take milliseconds, in which those who are written to should not wait.
        text = await apart(self._chat.metrics.text)
        await asgi.respond(
            send, 200, [(b"content-type", TYPE.encode()), (b"cache-control", b"no-store"), *asgi.SECURITY], text
        )

    def _let_in(self, scope: Scope) -> None:
        token = self._chat.config.metrics_token
        if token is None:
            raise Problem(404, "There is no such page.")
        given = self._chat.identity.bearer(dict(scope["headers"])) or ""
        if not hmac.compare_digest(given.encode(), token.encode()):
            raise Problem(401, "Send the token of FLASK_CHAT_METRICS_TOKEN as Authorization: Bearer.")


def levels(chat: Services, hub: Hub, *, database: bool | None = None) -> Levels:
    """What goes up and down on this process, as it is now. Takes time with the number of streams."""
    now = time.perf_counter()
    return Levels(
        streams=len(hub.connections),
        catching_up=sum(not connection.live for connection in hub.connections),
        polls=len(hub.polls),
        position=hub.position,
        behind=hub.intake.behind,
        oldest=max(hub.intake.oldest(now), hub.rounds.oldest(now)),
        bus=chat.bus.up,
        database=database,
    )


async def keep_noting(chat: Services, hub: Hub) -> None:
    """Note it again and again until cancelled, for another process to tell."""
    while True:
        chat.metrics.note(levels(chat, hub))
        await asyncio.sleep(EVERY)
