"""Messages: what people say.

A message's id is its place in the log. It is rendered once, from one template; what differs for each reader is done
by the page.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass

import msgspec
from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Connection,
    ForeignKey,
    Index,
    Integer,
    String,
    Table,
    Text,
    UniqueConstraint,
    bindparam,
    func,
    select,
)

from .. import config, events
from ..db import Database, Transaction, metadata
from ..db.lists import among
from . import clock, mentions, rendering, rooms, text
from .errors import Conflict, Invalid, NotFound, Refused, TooLong
from .mentions import Mentions, mention
from .people import Person, person
from .restrictions import Gate
from .rooms import Room

message = Table(
    "message",
    metadata,
    Column("id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Column("room_id", ForeignKey("room.id"), nullable=False),
    Column("author_id", ForeignKey("person.id"), nullable=False),
    Column("client_id", String(64)),
    Column("text", Text, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("edited_at", BigInteger),
    # Whether it follows a message of the same author closely enough to be shown under the same name.
    Column("continues", Boolean, nullable=False),
    # Whom it names, and where in the text, as JSON.
    Column("mentions", Text),
    # Nothing of what it said is left then, but it keeps its client id, and its place.
    Column("deleted_at", BigInteger),
    # Once it is edited: what :func:`checksum` makes of the text that was sent, to know a second sending by.
    Column("sent_check", BigInteger),
    UniqueConstraint("client_id", "author_id", name="message_sent_once"),
    # Counting what is unread in hundreds of rooms must not look up each message.
    Index("message_by_room", "room_id", "id", "author_id", "deleted_at"),
    Index("message_by_author", "author_id", "id", "deleted_at"),
)

FOLLOWS_WITHIN = 5 * 60_000
"""Milliseconds within which a message of the same author continues the one before it."""


POSTED, EDITED = "message.posted", "message.edited"
"""The events that carry a message as it is now; once it is deleted they are told to nobody."""


class Message(msgspec.Struct, frozen=True, gc=False):
    """A message as programs see it. Times are RFC 3339, UTC; ``html`` is the whole ``<article>``."""

    id: int
    room: str
    author: str
    text: str
    html: str
    created_at: str
    edited_at: str | None
    client_id: str | None


@dataclass(frozen=True, slots=True)
class Draft:
    """A message on its way in: checked, not yet kept. ``root`` is where the chat begins on its host, for its links.

    ``sought`` is where it may name somebody.
    """

    author: Person
    room: str
    text: str
    client_id: str | None
    root: str = ""
    sought: Sequence[mentions.Sought] = ()


@dataclass(frozen=True, slots=True)
class Posted:
    """A message that is kept; ``new`` is False if it was there already."""

    message: Message
    new: bool


def draft(author: Person, room: str, raw_text: object, client_id: object = None, root: str = "") -> Draft:
    """Check what somebody wants to say. Raises :class:`Invalid` or :class:`TooLong` with the reason."""
    if not isinstance(raw_text, str):
        raise Invalid("A message needs its text.")
    if client_id is not None and not (isinstance(client_id, str) and _CLIENT_ID.fullmatch(client_id)):
        raise Invalid("A client_id is 1 to 64 letters, digits, - or _.")
    try:
        checked = text.check(raw_text, config.MAX_TEXT)
    except text.InvalidText as error:
        raise (TooLong if error.code == "too_long" else Invalid)(error.reason) from None
    return Draft(author, room, checked, client_id, root, mentions.seek(checked))


def post(database: Database, new: Draft) -> Future[Posted]:
    """Keep a message; the future is done once it is durable.

    It raises :class:`NotFound` for an unknown room, :class:`Forbidden` or :class:`TooFast` for one where the author may
    not write just now, and :class:`Conflict` for a client id that the author used for
    another text; the same client id with the same text answers with the message that is there.
    """
    return database.submit(post_together, new)


def post_together(transaction: Transaction, drafts: list[Draft]) -> list[Posted | Exception]:
    """Keep messages that wait for the same commit; an outcome for each, in order."""
    last_id = events.last_id(transaction.connection)
    sent, found = _known(transaction.connection, drafts)
    next_id = events.next_id(transaction)
    if next_id != last_id + 1:
        # Another process wrote until this one had the log's lock: perhaps the very same message.
        sent, found = _known(transaction.connection, drafts)
    gate = Gate(transaction.connection, transaction.now)
    meant = _meant(transaction.connection, drafts, found)
    last: dict[int, tuple[int, int]] = {}
    outcomes: list[Posted | Exception] = []
    rows: list[dict[str, object]] = []
    naming: list[Mapping[str, object]] = []
    appended: list[events.Event] = []
    for new in drafts:
        room = found.get((new.author.id, new.room))
        if room is None:
            outcomes.append(_outside(transaction.connection, new))
            continue
        before = sent.get((new.client_id, new.author.id)) if new.client_id is not None else None
        if before is not None:
            outcomes.append(_again(before, room, new, transaction.key))
            continue
        refused = gate.refuse(new.author, room) if room.guarded else None
        if refused is not None:
            outcomes.append(refused)
            continue
        if room.id not in last:
            last[room.id] = _last_in(transaction.connection, room)
        author_id, at = last[room.id]
        continues = author_id == new.author.id and abs(transaction.now - at) <= FOLLOWS_WITHIN
        last[room.id] = (new.author.id, transaction.now)
        named = mentions.NOBODY if meant is None else meant.named(new.text, room.id, new.sought)
        kept = present(
            next_id,
            room.slug,
            new.author.username,
            new.text,
            transaction.now,
            None,
            new.client_id,
            continues,
            new.root,
            named.places,
        )
        row: dict[str, object] = {
            "id": next_id,
            "room_id": room.id,
            "author_id": new.author.id,
            "client_id": new.client_id,
            "text": new.text,
            "created_at": transaction.now,
            "continues": continues,
        }
        if meant is not None:
            row["mentions"] = mentions.encode(named.places) if named.places else None
            naming += mentions.rows(next_id, room.id, new.author.id, named)
        rows.append(row)
        appended.append(posted_event(room.id, kept))
        outcomes.append(Posted(kept, True))
        if new.client_id is not None:
            sent[new.client_id, new.author.id] = _Sent(room.id, kept)
        next_id += 1
    if rows:
        named_too = [(mention, naming)] if naming else []
        events.append(transaction, appended, (message, rows), *named_too)
    return outcomes


def page(
    connection: Connection,
    room: Room,
    *,
    before: int | None = None,
    after: int | None = None,
    limit: int,
    root: str = "",
) -> list[Message]:
    """Up to ``limit`` messages of a room, oldest first: the latest, or those next to a bound (an id, exclusive)."""
    query = _MESSAGES.where(message.c.room_id == room.id, message.c.deleted_at.is_(None))
    if before is not None:
        query = query.where(message.c.id < before)
    if after is not None:
        query = query.where(message.c.id > after)
    forward = after is not None and before is None
    query = query.order_by(message.c.id if forward else message.c.id.desc()).limit(limit)
    kept = [from_row(row, room.slug, root) for row in connection.execute(query)]
    return kept if forward else kept[::-1]


def count_by(connection: Connection, author: Person) -> int:
    """How many messages somebody has sent that are still there."""
    return int(connection.execute(_COUNT, {"author_id": author.id}).scalar_one())


def present(
    id: int,
    room: str,
    author: str,
    words: str,
    created_at: int,
    edited_at: int | None,
    client_id: str | None,
    continues: bool,
    root: str,
    named: Mentions = (),
) -> Message:
    """A message as everybody sees it. Times come in milliseconds since 1970, UTC. ``root`` begins its links."""
    return Message(
        id=id,
        room=room,
        author=author,
        text=words,
        html=rendering.article(id, author, words, created_at, continues, root, named, edited_at),
        created_at=clock.rfc3339(created_at),
        edited_at=None if edited_at is None else clock.rfc3339(edited_at),
        client_id=client_id,
    )


def posted_event(room_id: int, kept: Message) -> events.Event:
    """The event that says a message was posted."""
    return events.Event(
        kept.id, POSTED, room_id, None, kept.id, _said(kept.id, POSTED, kept), kept.html, kept.created_at
    )


def edited_event(id: int, room_id: int, kept: Message) -> events.Event:
    """The event ``id``, which says that a message has other words now."""
    return events.Event(id, EDITED, room_id, None, kept.id, _said(id, EDITED, kept))


def checksum(words: str, key: bytes) -> int:
    """A number that tells texts from each other. Without ``key``, a secret of the chat, nobody tries any against it."""
    return int.from_bytes(hashlib.blake2b(words.encode(), digest_size=7, key=key).digest())


COLUMNS = (
    message.c.id,
    person.c.username,
    message.c.text,
    message.c.created_at,
    message.c.edited_at,
    message.c.client_id,
    message.c.continues,
    message.c.mentions,
)


def from_row(row: Sequence[object], room: str, root: str) -> Message:
    """A message from a row of :data:`COLUMNS`."""
    id, author, words, created_at, edited_at, client_id, continues, kept = row
    named = mentions.decode(kept)  # type: ignore[arg-type]
    return present(id, room, author, words, created_at, edited_at, client_id, continues, root, named)  # type: ignore[arg-type]


@dataclass(frozen=True, slots=True)
class _Sent:
    room_id: int
    message: Message
    deleted: bool = False
    sent_check: int | None = None

    def said(self, words: str, key: bytes) -> bool:
        """Whether this is what was sent."""
        return self.message.text == words if self.sent_check is None else self.sent_check == checksum(words, key)


_CLIENT_ID = re.compile(r"[A-Za-z0-9_-]{1,64}", re.ASCII)
_MESSAGES = select(*COLUMNS).join(person, person.c.id == message.c.author_id)
_SENT = (
    select(
        rooms.room.c.slug,
        message.c.author_id,
        message.c.room_id,
        message.c.deleted_at,
        message.c.sent_check,
        *COLUMNS,
    )
    .join(person, person.c.id == message.c.author_id)
    .join(rooms.room, rooms.room.c.id == message.c.room_id)
    .where(among(message.c.client_id, "client_ids"))
)
_LAST = (
    select(message.c.author_id, message.c.created_at)
    .where(message.c.room_id == bindparam("room_id"), message.c.deleted_at.is_(None))
    .order_by(message.c.id.desc())
    .limit(1)
)
_COUNT = select(func.count()).where(message.c.author_id == bindparam("author_id"), message.c.deleted_at.is_(None))


def _said(id: int, type: str, kept: Message) -> bytes:
    return msgspec.json.encode({"id": id, "type": type, "room": kept.room, "message": kept})


def _outside(connection: Connection, new: Draft) -> Refused:
    """Why somebody who is not in a room cannot write there."""
    try:
        rooms.for_member(connection, new.author, new.room)
    except Refused as error:
        return error
    return NotFound("There is no such room.")


def _known(
    connection: Connection, drafts: list[Draft]
) -> tuple[dict[tuple[str, int], _Sent], dict[tuple[int, str], Room]]:
    """What was sent before, by client id and author, and the rooms, by author and slug."""
    sent = {(new.client_id, new.author.id) for new in drafts if new.client_id is not None}
    # All drafts of a process are for the same chat.
    root = drafts[0].root
    asked = {(new.author.id, new.room) for new in drafts}
    found = rooms.for_members(connection, asked)
    if len(found) < len(asked):
        # What waited in a browser, or was tried again, while the room got another address must not be lost by that.
        found |= rooms.for_members(connection, asked - found.keys(), former=True)
    return _sent_before(connection, sent, root), found


def _sent_before(connection: Connection, sent: set[tuple[str, int]], root: str) -> dict[tuple[str, int], _Sent]:
    """What was sent before, by client id and author."""
    if not sent:
        return {}
    rows = connection.execute(_SENT, {"client_ids": [client_id for client_id, _ in sent]}).all()
    return {
        (row.client_id, row.author_id): _Sent(
            row.room_id, from_row(row[5:], row.slug, root), row.deleted_at is not None, row.sent_check
        )
        for row in rows
        if (row.client_id, row.author_id) in sent
    }


def _again(before: _Sent, room: Room, new: Draft, key: bytes) -> Posted | Conflict:
    if before.deleted:
        return Conflict("This message was deleted.")
    if before.room_id != room.id or not before.said(new.text, key):
        return Conflict("This client_id was used for another message.")
    return Posted(before.message, False)


def _meant(connection: Connection, drafts: list[Draft], found: dict[tuple[int, str], Room]) -> mentions.People | None:
    """Whom the drafts may name; None, and no query, if none of them names anybody."""
    sought = [(new, found.get((new.author.id, new.room))) for new in drafts if new.sought]
    inside = [(room.id, new.sought) for new, room in sought if room is not None]
    return mentions.People(connection, inside) if inside else None


def _last_in(connection: Connection, room: Room) -> tuple[int, int]:
    """The author and the time of a room's last message; (0, 0) if it has none."""
    row = connection.execute(_LAST, {"room_id": room.id}).first()
    return (0, 0) if row is None else (row.author_id, row.created_at)
