"""The log: every change appends one row to it, in the change's own transaction.

A reader holds one cursor into the log. A cursor is ``<epoch>-<id>``: the epoch is a token that is made anew, together
with the id that the log had reached, whenever another log may have been put in this one's place. After a restore from
a backup, ids are given out a second time; a cursor from before is recognised, because its epoch is unknown or ends
before it, and its holder is told to ``resync`` instead of being shown another history.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Callable, Sequence

import msgspec
from sqlalchemy import (
    BigInteger,
    Column,
    Connection,
    Integer,
    String,
    Table,
    Text,
    delete,
    func,
    insert,
    literal_column,
    select,
)

from .db import Rows, Transaction, metadata

TYPES = frozenset(
    {
        "block.added",
        "block.removed",
        "member.changed",
        "member.joined",
        "member.left",
        "membership.added",
        "membership.changed",
        "membership.removed",
        "message.deleted",
        "message.edited",
        "message.posted",
        "owner.appointed",
        "person.changed",
        "person.claimed",
        "person.departed",
        "person.joined",
        "person.muted",
        "person.renamed",
        "person.unmuted",
        "read.moved",
        "role.changed",
        "room.changed",
        "room.cleared",
        "room.renamed",
        "session.revoked",
        "settings.changed",
    }
)
"""The types of event that this release records."""

EVERYBODY = 0
"""The audience of an event that is for all who are signed in."""

NOBODY = -(2**62)
"""The room of an event that is told to nobody any more, but keeps its place in the log."""

EPOCHS = 1_000
"""Epochs that are remembered: a cursor from before them is told to resync."""

RESYNC = "resync"
"""Not recorded: told to one reader whose cursor belongs to another history."""

event = Table(
    "event",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("type", String(40), nullable=False),
    Column("room_id", Integer),
    Column("person_id", Integer),
    Column("subject_id", BigInteger),
    Column("created_at", BigInteger, nullable=False),
    # What it says beside its type and its room, as a JSON object; a message says it itself.
    Column("data", Text),
)

epoch = Table(
    "epoch",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("token", String(16), nullable=False, unique=True),
    Column("begins_after", BigInteger, nullable=False),
    # What the database said of its own history (see db/backend.py) when the epoch began.
    Column("history", String(80)),
)


class Event(msgspec.Struct, frozen=True, eq=False, gc=False):
    """One row of the log as it is delivered, encoded once for everybody.

    Its audience is the members of ``room_id``, or ``person_id`` alone, or everybody if both are None. ``body`` is the
    event's JSON; ``html`` the same thing as the page shows it and ``created_at`` (RFC 3339) when, where it is shown at
    all; ``subject_id`` is what it is about; ``data`` is kept with it, as JSON.
    """

    id: int
    type: str
    room_id: int | None
    person_id: int | None
    subject_id: int | None
    body: bytes
    html: str = ""
    created_at: str = ""
    data: str | None = None

    @property
    def audience(self) -> int:
        """Whom it is for, as one number: the room's id, the person's with a minus before it, or EVERYBODY."""
        return self.room_id if self.room_id is not None else -(self.person_id or 0)


class BadCursor(ValueError):
    """A text that was never a cursor."""


class Epochs:
    """Which cursors belong to this log's history. Known in memory; another process may begin an epoch at any time.

    ``shared`` says so. ``changed`` is called, in some thread, when another epoch is known to have begun.
    """

    _form = re.compile(r"([a-z0-9]{8})-(0|[1-9][0-9]{0,17})", re.ASCII)

    def __init__(self, rows: Sequence[tuple[str, int]] = (), *, shared: bool = False) -> None:
        self.current = self.history = ""
        self.changed: Callable[[], None] = _nothing
        self._shared = shared
        self._ends: dict[str, int | None] = {}
        self._begins_after = 0
        if rows:
            self._know(rows)

    def cursor(self, id: int) -> str:
        """The cursor after the event ``id``."""
        return f"{self.current}-{id}"

    def parse(self, cursor: str, last: int) -> int | None:
        """The id that a cursor stands after, or None if it is of another history: the reader must resync.

        ``last`` is the log's last id. ``"0"`` is the beginning in every history. Raises :class:`BadCursor`.
        """
        if cursor == "0":
            return 0
        match = self._form.fullmatch(cursor)
        if match is None:
            raise BadCursor(cursor[:40])
        token, id = match[1], int(match[2])
        ends = self._ends
        if token not in ends:
            return None
        end = ends[token]
        return id if id <= (last if end is None else end) else None

    def common(self, token: str, id: int) -> int:
        """How far a log that had got to ``id`` in the epoch ``token`` is the same as this one."""
        ends = self._ends
        end = ends.get(token, self._begins_after)
        return id if end is None else min(id, end)

    def begin(self, transaction: Transaction, *, surely: bool = False) -> None:
        """Begin an epoch if another log may be in this one's place since the newest one began, and know all of them.

        ``surely``: begin one all the same.
        """
        connection = transaction.connection
        history = transaction.history()
        if surely or connection.execute(_NEWEST).scalar_one_or_none() != history:
            transaction.lock()
            # Another process may have begun it while this one waited.
            if surely or connection.execute(_NEWEST).scalar_one_or_none() != history:
                connection.execute(
                    insert(epoch).values(token=_token(), begins_after=last_id(connection), history=history)
                )
                oldest = select(func.max(epoch.c.number)).scalar_subquery() - EPOCHS
                connection.execute(delete(epoch).where(epoch.c.number <= oldest))
        self.load(connection)

    def follow(self, connection: Connection) -> None:
        """Know of an epoch that another process has begun.

        What was read before belongs to an epoch that is known now: a cursor that says another one would be no good.
        """
        if self._shared and newest_epoch(connection) != self.current:
            self.load(connection)

    def load(self, connection: Connection) -> None:
        """Know the epochs that there are."""
        before = self.current
        rows = connection.execute(select(epoch.c.token, epoch.c.begins_after, epoch.c.history).order_by(epoch.c.number))
        known = rows.all()
        self._know([(token, begins_after) for token, begins_after, _ in known])
        self.history = known[-1].history
        if self.current != before:
            self.changed()

    def _know(self, rows: Sequence[tuple[str, int]]) -> None:
        tokens = [token for token, _ in rows]
        self._begins_after = rows[-1][1]
        ends: list[int | None] = [begins_after for _, begins_after in rows[1:]]
        self._ends = dict(zip(tokens, [*ends, None], strict=True))
        self.current = tokens[-1]


def append(transaction: Transaction, appended: Sequence[Event], *kept: Rows) -> None:
    """Append events that carry the numbers from :func:`next_id` on, without a gap; ``kept`` is what they tell of."""
    rows: list[dict[str, object]] = [
        {
            "id": new.id,
            "type": new.type,
            "room_id": new.room_id,
            "person_id": new.person_id,
            "subject_id": new.subject_id,
            "created_at": transaction.now,
            "data": new.data,
        }
        for new in appended
    ]
    transaction.insert(*kept, (event, rows))
    transaction.appended.extend(appended)


def record(
    transaction: Transaction,
    type: str,
    *,
    room: tuple[int, str] | None = None,
    person_id: int | None = None,
    subject_id: int | None = None,
    **data: object,
) -> None:
    """Append one event.

    With ``person_id`` it is for that person alone, else for the members of ``room`` (its id and slug), without either
    for everybody. ``data`` is what it says; it must be as fit to be told later as it is now.
    """
    id = next_id(transaction)
    append(transaction, [made(id, type, room=room, person_id=person_id, subject_id=subject_id, **data)])


def made(
    id: int,
    type: str,
    *,
    room: tuple[int, str] | None = None,
    person_id: int | None = None,
    subject_id: int | None = None,
    **data: object,
) -> Event:
    """An event as :func:`record` appends it, with its number: for several at once."""
    room_id = room[0] if room is not None and person_id is None else None
    kept = msgspec.json.encode({**data, "room": room[1]} if room and room_id is None else data).decode()
    said = None if kept == "{}" else kept
    slug = None if room is None else room[1]
    return Event(id, type, room_id, person_id, subject_id, plain(id, type, slug, said), data=said)


def plain(id: int, type: str, room: str | None = None, data: str | None = None) -> bytes:
    """The JSON of an event that says no more than its type, its room's slug, and what was kept with it."""
    return msgspec.json.encode({"id": id, "type": type, "room": room, **(msgspec.json.decode(data) if data else {})})


def next_id(transaction: Transaction) -> int:
    """The id that the next appended event gets. From here to the commit nobody else writes to the log."""
    transaction.lock()
    return last_id(transaction.connection) + 1


def last_id(connection: Connection) -> int:
    """The id of the last event, 0 in an empty log."""
    return int(connection.execute(_LAST).scalar_one())


def newest_epoch(connection: Connection) -> str:
    """The token of the epoch that the log is in."""
    return str(connection.execute(_NEWEST_TOKEN).scalar_one())


# Without a parameter it shares the round trip of what goes before it.
_LAST = select(func.coalesce(func.max(event.c.id), literal_column("0")))
_NEWEST = select(epoch.c.history).order_by(epoch.c.number.desc()).limit(1)
_NEWEST_TOKEN = select(epoch.c.token).order_by(epoch.c.number.desc()).limit(1)


def _nothing() -> None:
    return


def _token() -> str:
    return "".join(secrets.choice("abcdefghijklmnopqrstuvwxyz0123456789") for _ in range(8))
