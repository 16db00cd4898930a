"""``GET /api/events``: the log from a cursor on, as server-sent events or by long polling."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Mapping
from urllib.parse import parse_qs

from starlette.types import Receive, Scope, Send

from .. import config
from ..chat.sessions import Session
from ..events import RESYNC, plain
from ..http import asgi, request_ids
from ..http.problems import Problem
from ..metrics import POLL
from .connection import Connection
from .ended import revoked, until_its_end
from .frames import ServerSentEvents
from .stream import Readers, serve

MOST_AT_ONCE = 256 * 1024
"""Bytes of events after which a long poll is answered; the rest comes with the next."""

_MOST_LOOKING = 4_000
_HEADERS = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store"),
    # nginx passes on what such an answer says at once, instead of collecting it.
    (b"x-accel-buffering", b"no"),
    *asgi.SECURITY,
]


class Events:
    """The gateway's endpoint."""

    def __init__(self, readers: Readers) -> None:
        self._readers = readers
        self._frames = ServerSentEvents(readers.chat.epochs.cursor)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """A stream for who accepts ``text/event-stream``, else one answer with what there is or comes soon."""
        headers = dict(scope["headers"])
        try:
            query = parse_qs(scope["query_string"].decode("latin-1"))
            session = await asgi.session(self._readers.chat.identity, headers, safe=True)
            self._readers.admit(session)
            if b"text/event-stream" in headers.get(b"accept", b""):
                last = headers.get(b"last-event-id", b"").decode("latin-1")
                looking = _looking(headers, query)
                stream = await self._stream(send, session, last or query.get("after", [""])[0], looking)
            else:
                await self._poll(scope, receive, send, session, query)
                return
        except Exception as error:
            await asgi.refuse(send, error, [request_ids.told(scope)])
            return
        connection, welcome = stream
        # What only the opening needed must not live as long as the stream: there may be thousands.
        del headers, query, session, stream
        await serve(self._readers.hub, connection, receive, [*_HEADERS, request_ids.told(scope)], welcome)

    async def _stream(
        self, send: Send, session: Session, cursor: str, looking: frozenset[str] | None
    ) -> tuple[Connection, bytes]:
        audience = await self._readers.audience(session)
        place = await self._readers.place(cursor) if cursor else None
        position = self._readers.hub.position
        connection = Connection(send, session, audience, self._frames, position if place is None else place, looking)
        welcome = self._frames.welcome(connection.cursor)
        if cursor and place is None:
            welcome += self._frames.resync(position)
        return connection, welcome

    async def _poll(
        self, scope: Scope, receive: Receive, send: Send, session: Session, query: Mapping[str, list[str]]
    ) -> None:
        cursor = query.get("after", [""])[0]
        seconds = _seconds(query.get("wait", ["0"])[0])
        hub = self._readers.hub
        if not cursor:
            await self._answer(scope, send, [], hub.position)
            return
        audience = await self._readers.audience(session)
        place = await self._readers.place(cursor)
        if place is None:
            await self._resync(scope, send)
            return
        generation = hub.generation
        hub.open.add(session)
        gone = asyncio.ensure_future(_gone(receive))
        try:
            until = asyncio.get_running_loop().time() + seconds
            while True:
                found, place = await hub.reading.after(audience, place)
                left = until - asyncio.get_running_loop().time()
                if found or (place >= hub.position and left <= 0) or hub.closing or gone.done():
                    break
                if hub.generation != generation:
                    break
                if place >= hub.position:
                    await hub.polls.wait(left, gone)
            bodies = [event.body for event in until_its_end(session, found)]
            while found and place < hub.position and sum(map(len, bodies)) < MOST_AT_ONCE:
                if session.id in revoked(found):
                    break
                found, place = await hub.reading.after(audience, place)
                bodies += [event.body for event in until_its_end(session, found)]
        finally:
            gone.cancel()
            hub.open.remove(session)
        if hub.generation != generation:
            await self._resync(scope, send)
            return
        await self._answer(scope, send, bodies, place)
        self._readers.chat.metrics.delivered(POLL, len(bodies))

    async def _resync(self, scope: Scope, send: Send) -> None:
        position = self._readers.hub.position
        await self._answer(scope, send, [plain(position, RESYNC)], position)

    async def _answer(self, scope: Scope, send: Send, bodies: list[bytes], place: int) -> None:
        cursor = self._readers.chat.epochs.cursor(place).encode()
        body = b'{"events":[%b],"cursor":"%b"}' % (b",".join(bodies), cursor)
        await asgi.json(send, 200, body, [request_ids.told(scope)])


def _looking(headers: Mapping[bytes, bytes], query: Mapping[str, list[str]]) -> frozenset[str] | None:
    """The rooms whose signals a stream is to carry: those that it names, else all for a page and none for a program."""
    if "looking" in query:
        return frozenset(query["looking"][0][:_MOST_LOOKING].split(","))
    return frozenset() if b"authorization" in headers else None


def _seconds(value: str) -> float:
    try:
        seconds = float(value)
    except ValueError:
        seconds = math.nan
    if math.isnan(seconds) or seconds < 0:
        raise Problem(400, "wait is a number of seconds.")
    return min(seconds, config.MAX_WAIT)


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass
