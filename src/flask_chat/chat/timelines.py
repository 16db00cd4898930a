"""Timelines: a room's latest messages as the page shows them, kept in memory until the room gets another event."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from .. import config, events
from ..db import Database
from . import messages, rendering
from .rooms import Room

ROOMS = 200
"""Rooms whose latest messages are kept in memory."""


@dataclass(frozen=True, slots=True)
class Timeline:
    """Some messages of a room in a row. ``through`` is the log's id that the page shows everything up to."""

    html: str
    through: int
    first_id: int | None
    last_day: str
    earlier: bool
    latest: bool


class Timelines:
    """The latest page of each room."""

    def __init__(self, database: Database) -> None:
        self._lock = threading.Lock()
        self._latest: dict[int, Timeline] = {}
        self._changes = self._last = 0
        database.listeners.append(self._forget)

    def latest(self, connection: Connection, room: Room) -> Timeline:
        """The room's last messages."""
        last = self._last
        found = self._latest.get(room.id)
        if found is not None:
            # Whatever else was in the log since then was not in this room, or it would have been forgotten first.
            return found if found.through >= last else replace(found, through=last)
        changes = self._changes
        read = before(connection, room, None)
        with self._lock:
            # What was read before a commit must not be kept after it.
            if changes == self._changes:
                if len(self._latest) >= ROOMS:
                    self._latest.clear()
                self._latest[room.id] = read
        return read

    def _forget(self, appended: Sequence[events.Event]) -> None:
        with self._lock:
            self._changes += 1
            for event in appended:
                if event.room_id is not None:
                    self._latest.pop(event.room_id, None)
            self._last = appended[-1].id


def before(connection: Connection, room: Room, bound: int | None) -> Timeline:
    """The messages before an id, or the latest ones."""
    through = events.last_id(connection)
    found = messages.page(connection, room, before=through + 1 if bound is None else bound, limit=config.PAGE + 1)
    shown = found[-config.PAGE :]
    return Timeline(
        html=rendering.timeline((each.created_at, each.html) for each in shown),
        through=through,
        first_id=shown[0].id if shown else None,
        last_day=rendering.day_of(shown[-1].created_at) if shown else "",
        earlier=len(found) > config.PAGE,
        latest=bound is None,
    )
