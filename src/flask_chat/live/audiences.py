"""Who may see what, of those who are connected: it follows the memberships, event by event."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Iterable, Sequence

from ..chat import feed
from ..chat.feed import Audience
from ..chat.memberships import ADDED, REMOVED
from ..db import Database, StorageUnavailable
from ..events import Event
from .connection import Connection
from .intake import a_moment

REMEMBERED = 10_000
"""People whose last change is kept in mind."""


class Audiences:
    """The connections by what they may see, which always is, among others, what concerns their own person.

    An audience that was read from the database is stale once a membership of its person has changed after it was read:
    then it must be read again before anything is written by it. A live connection's never is: each change is applied
    to it when its turn in the log has come.
    """

    def __init__(self, database: Database, position: int) -> None:
        self._database = database
        self._by_key: dict[int, set[Connection]] = {}
        self._changed: OrderedDict[int, int] = OrderedDict()
        self._floor = position

    def of(self, key: int) -> Iterable[Connection]:
        """The connections that may see the events of an audience."""
        return self._by_key.get(key, ())

    def add(self, connection: Connection) -> None:
        """Count a connection in; :meth:`discard` undoes it."""
        for key in connection.audience.keys:
            _add(self._by_key, key, connection)

    def discard(self, connection: Connection) -> None:
        """Count a connection out."""
        for key in connection.audience.keys:
            _discard(self._by_key, key, connection)

    def replace(self, connection: Connection, audience: Audience) -> None:
        """Let a connection see something else from here on."""
        for key in connection.audience.keys - audience.keys:
            _discard(self._by_key, key, connection)
        for key in audience.keys - connection.audience.keys:
            _add(self._by_key, key, connection)
        connection.audience = audience

    def stale(self, audience: Audience) -> bool:
        """Whether a membership may have changed since an audience was read."""
        return audience.as_of < self._changed.get(audience.person_id, self._floor)

    async def renew(self, connection: Connection) -> None:
        """Read again what a connection may see."""
        try:
            audience = await asyncio.to_thread(self._read, connection.audience)
        except StorageUnavailable:
            await a_moment()
        else:
            # It may have gone meanwhile.
            if connection in self._by_key.get(-audience.person_id, ()):
                self.replace(connection, audience)

    def hear(self, events: Sequence[Event]) -> None:
        """Keep in mind whose memberships changed."""
        for event in changes(events):
            assert event.person_id is not None
            self._changed[event.person_id] = event.id
            self._changed.move_to_end(event.person_id)
            if len(self._changed) > REMEMBERED:
                _, id = self._changed.popitem(last=False)
                self._floor = max(self._floor, id)

    def apply(self, events: Sequence[Event]) -> None:
        """Let live connections see what they may after these events."""
        for event in changes(events):
            assert event.person_id is not None
            for connection in list(self._by_key.get(-event.person_id, ())):
                if connection.live and connection.audience.as_of < event.id:
                    self.replace(connection, connection.audience.after(event))

    def forget(self, position: int) -> None:
        """Nobody knows what changed up to ``position``: every audience that was read before is stale."""
        self._changed.clear()
        self._floor = position

    def _read(self, audience: Audience) -> Audience:
        with self._database.read() as connection:
            return feed.audience(connection, audience.person_id, audience.root)


def changes(events: Iterable[Event]) -> list[Event]:
    """The events after which somebody may see something else."""
    return [event for event in events if event.type in (ADDED, REMOVED)]


def _add(index: dict[int, set[Connection]], key: int, connection: Connection) -> None:
    index.setdefault(key, set()).add(connection)


def _discard(index: dict[int, set[Connection]], key: int, connection: Connection) -> None:
    held = index.get(key)
    if held is not None:
        held.discard(connection)
        if not held:
            del index[key]
