"""Hints that somebody is typing: told to those who look at the room just now, and kept nowhere."""

from __future__ import annotations

import asyncio
import math
import time
from collections import OrderedDict
from collections.abc import Callable

from starlette.types import Receive, Scope, Send

from ..chat import rooms, signals
from ..chat.errors import Forbidden
from ..chat.people import Person
from ..chat.restrictions import Gate
from ..chat.signals import Typing
from ..http import asgi
from ..http.services import Services

EVERY = 3.0
"""Seconds within which one hint of a person in a room is passed on."""

REMEMBERED = 10_000
"""People and rooms whose last hint is kept in mind."""


class PostTyping:
    """The gateway's endpoint ``POST /api/rooms/<room>/typing``."""

    def __init__(self, chat: Services, clock: Callable[[], float] = time.monotonic) -> None:
        self._chat, self._clock = chat, clock
        self._last: OrderedDict[tuple[int, str], float] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """204, also for a hint that comes too soon after another to be passed on."""
        try:
            session = await asgi.session(self._chat.identity, dict(scope["headers"]))
            key = session.person.id, scope["path_params"]["room"]
            if self._in_time(key):
                signal = await asyncio.to_thread(self._find, session.person, key[1])
                self._note(key)
                if signal is not None:
                    self._chat.bus.signal(signals.encode(signal))
        except Exception as error:
            await asgi.refuse(send, error)
            return
        await asgi.nothing(send)

    def _in_time(self, key: tuple[int, str]) -> bool:
        return self._clock() - self._last.get(key, -math.inf) >= EVERY

    def _note(self, key: tuple[int, str]) -> None:
        """Keep in mind that somebody may type in a room, and just did."""
        self._last[key] = self._clock()
        self._last.move_to_end(key)
        if len(self._last) > REMEMBERED:
            self._last.popitem(last=False)

    def _find(self, writer: Person, slug: str) -> Typing | None:
        """What to tell the room; nothing where they may not write. Raises :class:`NotFound` or :class:`Forbidden`."""
        with self._chat.db.read() as connection:
            room = rooms.for_member(connection, writer, slug)
            refused = Gate(connection, time.time_ns() // 1_000_000).refuse(writer, room)
        # Slow mode lets somebody write while they wait.
        return None if isinstance(refused, Forbidden) else Typing(room.id, room.slug, writer.id, writer.username)
