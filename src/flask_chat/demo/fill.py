"""Filling a chat with the demonstration: the verbs that people use, at the times at which it happened."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from operator import itemgetter

from sqlalchemy import update

from ..chat import conversations, memberships, messages, people, profiles, reading, rooms, sessions
from ..chat.people import GUEST, Person, person
from ..chat.rooms import Room
from ..db import Database, Transaction
from . import script
from .cast import CAST, PLACES, YOU, Character, Place
from .script import Line

DAY = 86_400_000

UNREAD_SINCE = {YOU: 70 * 60_000}
"""Milliseconds for which somebody has not looked; the others have not for less than that."""

LOOKED = 25 * 60_000


@dataclass
class Filled:
    """Who is in the chat now, by name, with a token for each; and the rooms, by the places of the script."""

    people: dict[str, Person] = field(default_factory=dict)
    tokens: dict[str, str] = field(default_factory=dict)
    rooms: dict[str, Room] = field(default_factory=dict)


def fill(database: Database, seed: int = script.SEED, now: int | None = None) -> Filled:
    """Let everything happen that the script says, in a chat in which nothing has happened yet.

    It ends ``now``, in milliseconds since 1970, UTC.
    """
    return database.write(lambda transaction: _Filling(transaction, now or transaction.now).run(seed))


class _Filling:
    """One transaction in which two months go by."""

    def __init__(self, transaction: Transaction, now: int) -> None:
        self._transaction, self._now = transaction, now
        self._filled = Filled()
        self._said: dict[str, list[tuple[int, int]]] = {}

    def run(self, seed: int) -> Filled:
        steps: list[tuple[int, Callable[[], None]]] = []
        made = {place.key: place.days for place in PLACES}
        # Who is said to have come so many days ago was there when that day began.
        steps += [(self._ago(who.days), partial(self._arrive, who)) for who in CAST]
        steps += [(self._ago(place.days), partial(self._make, place)) for place in PLACES]
        for who in CAST:
            steps += [(self._ago(min(who.days, made[key])) + 1, partial(self._enter, who, key)) for key in who.rooms]
        steps += [(line.at, partial(self._say, line)) for line in script.lines(self._now, seed)]
        for at, step in sorted(steps, key=itemgetter(0)):
            self._transaction.now = at
            step()
        self._transaction.now = self._now
        for who in CAST:
            self._settle(who)
        return self._filled

    def _ago(self, days: int) -> int:
        return self._now - (days + 1) * DAY

    def _arrive(self, who: Character) -> None:
        transaction = self._transaction
        self._filled.people[who.name] = people.add(transaction, who.name, who.role)
        if who.role != GUEST:
            claimed = update(person).where(person.c.username == who.name).values(claimed_at=transaction.now)
            transaction.connection.execute(claimed)

    def _make(self, place: Place) -> None:
        kind = rooms.PRIVATE if place.private else rooms.PUBLIC
        made = rooms.create(self._transaction, self._filled.people[place.maker], place.name, kind)
        described = {"topic": place.topic, "description": place.description}
        self._filled.rooms[place.key] = rooms.update_row(self._transaction, made, **described)

    def _enter(self, who: Character, key: str) -> None:
        memberships.add(self._transaction, self._filled.rooms[key], self._filled.people[who.name])

    def _say(self, line: Line) -> None:
        transaction = self._transaction
        author = self._filled.people[line.name]
        if line.place not in self._filled.rooms:
            self._filled.rooms[line.place] = self._find(line.place, author)
        draft = messages.draft(author, self._filled.rooms[line.place].slug, line.text)
        (outcome,) = messages.post_together(transaction, [draft])
        if isinstance(outcome, Exception):
            raise outcome
        self._said.setdefault(line.place, []).append((line.at, outcome.message.id))

    def _find(self, place: str, author: Person) -> Room:
        """The lobby, or the conversation of those whom a heading names."""
        if place == rooms.LOBBY:
            return rooms.for_member(self._transaction.connection, author, rooms.LOBBY)
        others = [name for name in place.split(" + ") if name != author.username]
        return conversations.begin(self._transaction, author, others).room

    def _settle(self, who: Character) -> None:
        transaction, character = self._transaction, self._filled.people[who.name]
        self._filled.tokens[who.name] = sessions.begin_as(transaction, character)
        said = {
            "pronouns": who.pronouns,
            "bio": who.bio,
            "status": who.status,
            "time_zone": who.time_zone,
        }
        profiles.change(transaction, character, {name: text for name, text in said.items() if text})
        self._read(who)

    def _read(self, who: Character) -> None:
        """Let somebody have seen what was said until they last looked."""
        until = self._now - UNREAD_SINCE.get(who.name, LOOKED)
        marks = [
            reading.check(self._filled.people[who.name], self._filled.rooms[place].slug, max(seen))
            for place, said in self._said.items()
            if who.name in place.split(" + ") or place in (rooms.LOBBY, *who.rooms)
            if (seen := [id for at, id in said if at <= until])
        ]
        for outcome in reading.mark_together(self._transaction, marks):
            if isinstance(outcome, Exception):
                raise outcome
