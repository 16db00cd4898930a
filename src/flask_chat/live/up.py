"""``GET /up``: whether the chat serves, and with ``?full`` how it is, for people and for what watches over it."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from typing import Any

import msgspec
from starlette.types import Receive, Scope, Send

from ..chat.presence import Facts
from ..http import asgi
from ..http.services import Services
from .hub import Hub
from .probe import Probe, Sign

_PLAIN = [(b"content-type", b"text/plain"), *asgi.SECURITY]


class Up:
    """The gateway's endpoint. Anybody may ask, so that it tells numbers and nothing else."""

    def __init__(self, chat: Services, hub: Hub, probe: Probe) -> None:
        self._chat, self._hub, self._probe = chat, hub, probe

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """200 while the process serves. In full: 200 if the database answers, else 503, within two seconds."""
        if not _full(scope["query_string"]):
            await asgi.respond(send, 200, _PLAIN, b"ok\n")
            return
        sign = await self._probe.ask()
        body = msgspec.json.encode(self._state(sign))
        await asgi.respond(
            send,
            200 if sign.up else 503,
            [(b"content-type", b"application/json"), (b"cache-control", b"no-store"), *asgi.SECURITY],
            body,
        )

    def _state(self, sign: Sign) -> dict[str, Any]:
        chat, hub = self._chat, self._hub
        return {
            "status": "ok" if sign.up else "unavailable",
            "database": {"kind": chat.db.backend.name, "state": _word(sign.up), "ms": sign.ms},
            "bus": {"kind": chat.bus.kind, "state": _word(chat.bus.up)},
            "streams": len(hub.connections),
            "log": {"position": hub.position, "behind": max(hub.intake.behind, sign.last - hub.position)},
            "nodes": _nodes(chat.bus.announced()),
        }


def _full(query: bytes) -> bool:
    return bool(query) and any(part.partition(b"=")[0] == b"full" for part in query.split(b"&"))


def _word(up: bool) -> str:
    return "up" if up else "away"


def _nodes(announced: Mapping[str, bytes]) -> dict[str, dict[str, int]]:
    """How many are connected where. A node goes by the end of its name: what is before it names a machine."""
    nodes = {}
    for node, said in announced.items():
        # A node of another version may say it in another way.
        with suppress(msgspec.DecodeError):
            facts = msgspec.json.decode(said, type=Facts)
            nodes[node.rpartition("-")[2]] = {"streams": facts.streams, "people": len(facts.people)}
    return nodes
