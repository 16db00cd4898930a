"""Presence: who is here, as the nodes announce it of those who are connected to them. It is kept in memory alone."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress

import msgspec
from sqlalchemy import Connection, bindparam, select

from ..db import Database
from ..db.lists import among
from . import names, profiles
from .memberships import membership
from .people import Person, person
from .rooms import Room

ONLINE, AWAY, OFFLINE = "online", "away", "offline"

MOST = 1_000
"""People of one room that are told at once."""


class Facts(msgspec.Struct, frozen=True):
    """What is so on one node: how many streams are open, whose they are, and who of these is away, by their ids."""

    streams: int
    people: list[int]
    away: list[int] = []


class Presence:
    """Who is here, on all nodes. ``announced`` is what each said last, by its name."""

    def __init__(self, announced: Callable[[], Mapping[str, bytes]], database: Database) -> None:
        self._announced, self._database = announced, database
        self._read: dict[str, tuple[bytes, frozenset[int], frozenset[int]]] = {}

    def of(self, person_ids: Iterable[int], viewer: Person | None = None) -> dict[int, str]:
        """``online``, ``away`` or ``offline`` for each person; who hides it is offline to all but themselves."""
        ids = list(person_ids)
        here, away = self._everywhere()
        found = [id for id in ids if id in here]
        hidden: set[int] = set()
        if found:
            with self._database.read() as connection:
                hidden = profiles.hidden(connection, found)
        if viewer is not None:
            hidden.discard(viewer.id)
        return {id: OFFLINE if id not in here or id in hidden else (AWAY if id in away else ONLINE) for id in ids}

    def named(self, usernames: Iterable[str], viewer: Person | None = None) -> dict[str, str]:
        """The states of people by their names; who does not exist is left out."""
        wanted = set(map(names.fold, usernames))
        with self._database.read() as connection:
            rows = connection.execute(_NAMED, {"keys": list(set(map(names.key, wanted)))}).all()
        ids = {row.username: row.id for row in rows if names.fold(row.username) in wanted}
        states = self.of(ids.values(), viewer)
        return {username: states[id] for username, id in ids.items()}

    def within(self, connection: Connection, place: Room, viewer: Person | None = None) -> dict[str, str]:
        """The states of those in a room who are not offline, by their names: up to :data:`MOST`, in their order."""
        here, _ = self._everywhere()
        rows = connection.execute(_WITHIN, {"room_id": place.id, "person_ids": list(here)}).all() if here else []
        states = self.of([row.id for row in rows], viewer)
        return {row.username: states[row.id] for row in rows if states[row.id] != OFFLINE}

    def _everywhere(self) -> tuple[frozenset[int], frozenset[int]]:
        """Who is on any node, and who of them is away: on every node that they are on."""
        said = self._announced()
        # What another thread has just read may be read twice: it is the same.
        known = {node: self._understood(node, facts) for node, facts in said.items()}
        self._read = known
        here = frozenset[int]().union(*(people for _, people, _ in known.values()))
        online = frozenset[int]().union(*(people - away for _, people, away in known.values()))
        return here, here - online

    def _understood(self, node: str, said: bytes) -> tuple[bytes, frozenset[int], frozenset[int]]:
        known = self._read.get(node)
        if known is not None and known[0] is said:
            return known
        # A node of another release may say it in another way.
        with suppress(msgspec.DecodeError):
            facts = msgspec.json.decode(said, type=Facts)
            return said, frozenset(facts.people), frozenset(facts.away)
        return said, frozenset(), frozenset()


_NAMED = select(person.c.id, person.c.username).where(among(person.c.key, "keys"))
_WITHIN = (
    select(person.c.id, person.c.username)
    .join(membership, membership.c.person_id == person.c.id)
    .where(membership.c.room_id == bindparam("room_id"), among(membership.c.person_id, "person_ids"))
    .order_by(person.c.username)
    .limit(MOST)
)
