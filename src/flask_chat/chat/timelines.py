"""Timelines: a room's latest messages as the page shows them, kept in memory until the room gets another event."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection

from .. import config, events
from . import messages, rendering
from .people import RENAMED
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
    """The latest page of each room.

    ``last`` is the log's id at the start. ``shared`` says that other processes write to the log: then what is kept is
    used only after a look at how far the log has got, for their hints may be on their way. ``root`` begins the links.
    """

    def __init__(self, last: int = 0, *, shared: bool = False, root: str = "") -> None:
        self._root = root
        self._lock = threading.Lock()
        self._latest: dict[int, Timeline] = {}
        self._changes, self._last, self._shared = 0, last, shared

    def latest(self, connection: Connection, room: Room) -> Timeline:
        """The room's last messages."""
        last = self._last
        found = self._latest.get(room.id)
        if found is not None and not (self._shared and events.last_id(connection) > max(last, found.through)):
            # Whatever else was in the log since then was not in this room, or it would have been forgotten first.
            return found if found.through >= last else replace(found, through=last)
        changes = self._changes
        read = before(connection, room, None, self._root)
        with self._lock:
            # What was read before a commit must not be kept after it.
            if changes == self._changes:
                if len(self._latest) >= ROOMS:
                    self._latest.clear()
                self._latest[room.id] = read
        return read

    def hear(self, appended: Sequence[events.Event]) -> None:
        """Forget the rooms that committed events are in. They may come in any order, and more than once."""
        with self._lock:
            self._changes += 1
            for event in appended:
                if event.room_id is not None:
                    self._latest.pop(event.room_id, None)
                elif event.type in RENAMED:
                    self._latest.clear()
            # Beyond a gap there may be an event in a room whose page is kept.
            if appended[0].id <= self._last + 1:
                self._last = max(self._last, appended[-1].id)

    def reach(self, last: int) -> None:
        """Begin to hear what comes after the log's id ``last``: what came before it was not heard."""
        with self._lock:
            if last > self._last:
                self._changes += 1
                self._latest.clear()
                self._last = last

    def clear(self, last: int) -> None:
        """Forget all rooms: nobody knows what was missed up to the log's id ``last``."""
        with self._lock:
            self._changes += 1
            self._latest.clear()
            self._last = last


def before(connection: Connection, room: Room, bound: int | None, root: str = "") -> Timeline:
    """The messages before an id, or the latest ones."""
    through = events.last_id(connection)
    bound_id = through + 1 if bound is None else bound
    found = messages.page(connection, room, before=bound_id, limit=config.PAGE + 1, root=root)
    shown = found[-config.PAGE :]
    return Timeline(
        html=rendering.timeline((each.created_at, each.html) for each in shown),
        through=through,
        first_id=shown[0].id if shown else None,
        last_day=rendering.day_of(shown[-1].created_at) if shown else "",
        earlier=len(found) > config.PAGE,
        latest=bound is None,
    )
