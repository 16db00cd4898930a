"""A chat with a private room, and people of every role inside and outside of it."""

from __future__ import annotations

import itertools
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TypeVar

from flask import Flask
from sqlalchemy import update

from flask_chat.chat import memberships, people, rooms, sessions
from flask_chat.chat.people import Person, person
from flask_chat.chat.rooms import Room
from flask_chat.chat.tables import metadata
from flask_chat.db import Transaction
from flask_chat.http import identity

from ..http.gateway import Answer, Gateway

Result = TypeVar("Result")

NOBODY = "nobody"
RANKS = (NOBODY, people.GUEST, people.MEMBER, people.MODERATOR, people.OWNER)
"""Who may ask, lowest first."""

OUTSIDE, INSIDE, KEEPER = "outside", "inside", "keeper"
"""What somebody is to the private room; its keeper is its owner."""


@dataclass(frozen=True)
class Who:
    """A role in the chat, and what its bearer is to the private room."""

    role: str
    standing: str = OUTSIDE

    def __str__(self) -> str:
        return self.role if self.role == NOBODY else f"{self.role} {self.standing}"


EVERYBODY = (
    Who(NOBODY),
    *(Who(role, standing) for role in RANKS[1:] for standing in (OUTSIDE, INSIDE)),
    Who(people.GUEST, KEEPER),
)


class World:
    """One chat, its front door, and its rows."""

    def __init__(self, app: Flask) -> None:
        self.gateway = Gateway(app)
        self.chat = self.gateway.chat
        self.numbers = itertools.count(1)
        file = self.chat.config.data / "chat.db"
        self._reader = sqlite3.connect(f"{file.as_uri()}?mode=ro", uri=True, timeout=10)

    def write(self, change: Callable[[Transaction], Result]) -> Result:
        return self.chat.db.write(change)

    def counts(self) -> dict[str, int]:
        """How many rows there are in each table."""
        return {name: self._reader.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in metadata.tables}

    @contextmanager
    def unchanged(self, what: str) -> Iterator[None]:
        """Fails if anything is written to the database meanwhile."""
        version, before = self._version(), self.counts()
        yield
        if self._version() != version:
            after = self.counts()
            new = {name: after[name] - before[name] for name in after if after[name] != before[name]}
            raise AssertionError(f"{what} changed rows: {new or 'as many as before, but other ones'}")

    def _version(self) -> int:
        """A number that is another one once another connection has changed anything (see PRAGMA data_version)."""
        return int(self._reader.execute("PRAGMA data_version").fetchone()[0])

    def ask(
        self,
        method: str,
        address: str,
        headers: dict[str, str] | None = None,
        body: bytes = b"",
        *,
        endless: bool = False,
    ) -> Answer:
        """Ask once. Of an answer that may go on for ever, what comes first."""
        if endless:
            return self.gateway.run(self._first(address, headers))
        return self.gateway.request(method, address, headers, body)

    async def _first(self, address: str, headers: dict[str, str] | None) -> Answer:
        stream = self.gateway.stream(address, headers)
        await stream.until(lambda: bool(stream.body) or stream.ended)
        await stream.hang_up()
        return Answer(stream.status, stream.headers, stream.body)

    def cookie(self, who: Person, token: str) -> dict[str, str]:
        """What the browser of somebody who is signed in sends."""
        app = self.chat.identity
        contents = {identity.TOKEN: token, identity.KEPT: [[who.username, token]]}
        return {"cookie": f"{identity.COOKIE}={app._serializer.dumps(contents)}"}

    def person(self, transaction: Transaction, role: str) -> tuple[Person, str]:
        """Somebody new of a role, signed in; and their token."""
        name = f"Person {next(self.numbers)}"
        who, token = sessions.begin(transaction, name)
        transaction.connection.execute(update(person).where(person.c.id == who.id).values(role=role))
        return Person(who.id, who.username, role, who.created_at), token

    def close(self) -> None:
        self.gateway.close()
        self._reader.close()


@dataclass
class Scene:
    """Somebody who asks; a private room, which they are in or not; Cleo, who is in it; Dora, who is not."""

    world: World
    who: Who
    den: Room = field(init=False)
    cleo: Person = field(init=False)
    dora: Person = field(init=False)
    keeper: Person = field(init=False)
    person: Person | None = None
    token: str = ""

    def __post_init__(self) -> None:
        self.world.write(self._set)

    def _set(self, transaction: Transaction) -> None:
        self.keeper, _ = self.world.person(transaction, people.MEMBER)
        self.cleo, _ = self.world.person(transaction, people.GUEST)
        self.dora, _ = self.world.person(transaction, people.GUEST)
        if self.who.role != NOBODY:
            self.person, self.token = self.world.person(transaction, self.who.role)
        if self.who.standing == KEEPER:
            assert self.person is not None
            self.keeper = self.person
        self.den = rooms.create(transaction, self.keeper, "Den", rooms.PRIVATE)
        memberships.add(transaction, self.den, self.cleo)
        if self.who.standing == INSIDE:
            assert self.person is not None
            memberships.add(transaction, self.den, self.person)

    @property
    def headers(self) -> dict[str, str]:
        """What the browser sends of its own accord, from a page of this chat."""
        if self.person is None:
            return {"sec-fetch-site": "same-origin"}
        return {"sec-fetch-site": "same-origin", **self.world.cookie(self.person, self.token)}


Value = Callable[[Scene], object]
"""What a row says of a scene."""
