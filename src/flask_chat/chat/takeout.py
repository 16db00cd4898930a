"""Takeout: everything that the chat keeps of somebody, for themselves, as a ZIP archive of JSON.

It is made piece by piece while it is sent: however much somebody has written, no more than a page of it is in memory.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable, Iterable, Iterator
from typing import Any

import msgspec
from sqlalchemy import Connection, and_, bindparam, or_, select

from ..db import Database
from . import blocks, clock, profiles, renaming, whereabouts
from .memberships import membership
from .messages import message
from .people import Person
from .rooms import PUBLIC, room

PAGE = 500
"""Messages that are read at once."""


def archive(database: Database, who: Person) -> Iterator[bytes]:
    """The archive, in pieces. The database is asked between them, each time anew."""
    sink = _Sink()
    # Written to something that cannot go back: the sizes come after each file.
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as packed:
        for name, read in _FILES.items():
            with database.read() as connection:
                packed.writestr(name, _json(read(connection, who)))
            yield sink.taken()
        with packed.open("messages.json", "w", force_zip64=True) as file:
            separator = b"[\n"
            for page in _messages(database, who):
                for each in page:
                    file.write(separator + msgspec.json.encode(each))
                    separator = b",\n"
                yield sink.taken()
            file.write(b"[]\n" if separator == b"[\n" else b"\n]\n")
    yield sink.taken()


class _Sink(io.RawIOBase):
    """Holds what was written until it is taken."""

    def __init__(self) -> None:
        super().__init__()
        self._parts: list[bytes] = []

    def writable(self) -> bool:
        """Yes."""
        return True

    def write(self, part: Any) -> int:
        """Keep a part; returns its length."""
        self._parts.append(bytes(part))
        return len(part)

    def taken(self) -> bytes:
        """What was written since the last time."""
        parts, self._parts = self._parts, []
        return b"".join(parts)


def _json(contents: object) -> bytes:
    return msgspec.json.format(msgspec.json.encode(contents), indent=2) + b"\n"


def _profile(connection: Connection, who: Person) -> dict[str, Any]:
    said = profiles.of(connection, who.id)
    return {
        "username": who.username,
        "former_names": renaming.former(connection, who),
        "role": who.role,
        "since": clock.rfc3339(who.created_at),
        "display_name": said.display_name,
        "pronouns": said.pronouns,
        "bio": said.bio,
        "status": said.status,
        "status_until": _time(said.status_until),
        "time_zone": said.time_zone,
        "hides_presence": said.hides_presence,
    }


def _rooms(connection: Connection, who: Person) -> list[dict[str, Any]]:
    return [
        {
            "slug": row.slug,
            "name": row.name,
            "kind": row.kind,
            "role": row.role,
            "joined_at": clock.rfc3339(row.joined_at),
            "read_id": row.read_id,
            "favourite": row.favourite,
            "notify": row.notify,
            "muted_until": _time(row.muted_until),
        }
        for row in connection.execute(_ROOMS, {"person_id": who.id})
    ]


def _sessions(connection: Connection, who: Person) -> list[dict[str, Any]]:
    return [
        {
            "device": each.device,
            "network": each.network,
            "created_at": clock.rfc3339(each.created_at),
            "seen_at": clock.rfc3339(each.seen_at),
            "signed_out": each.signed_out,
        }
        for each in whereabouts.of(connection, who.id)
    ]


def _blocked(connection: Connection, who: Person) -> list[str]:
    return blocks.of(connection, who)


def _messages(database: Database, who: Person) -> Iterable[list[dict[str, Any]]]:
    after = 0
    while True:
        with database.read() as connection:
            rows = connection.execute(_SAID, {"author_id": who.id, "after": after, "most": PAGE}).all()
        yield [
            {
                "id": row.id,
                "room": row.slug,
                "created_at": clock.rfc3339(row.created_at),
                "edited_at": _time(row.edited_at),
                "text": row.text,
            }
            for row in rows
        ]
        if len(rows) < PAGE:
            return
        after = rows[-1].id


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else clock.rfc3339(milliseconds)


_FILES: dict[str, Callable[[Connection, Person], object]] = {
    "profile.json": _profile,
    "rooms.json": _rooms,
    "sessions.json": _sessions,
    "blocked.json": _blocked,
}
_ROOMS = (
    select(room.c.slug, room.c.name, room.c.kind, membership)
    .join(membership, membership.c.room_id == room.c.id)
    .where(membership.c.person_id == bindparam("person_id"))
    .order_by(membership.c.joined_at, room.c.id)
)
# The slug of a room that they may not know of any more is not told, as it may have been named anew.
_SAID = (
    select(message.c.id, room.c.slug, message.c.created_at, message.c.edited_at, message.c.text)
    .outerjoin(
        membership, and_(membership.c.room_id == message.c.room_id, membership.c.person_id == message.c.author_id)
    )
    .outerjoin(
        room, and_(room.c.id == message.c.room_id, or_(room.c.kind == PUBLIC, membership.c.person_id.is_not(None)))
    )
    .where(
        message.c.author_id == bindparam("author_id"),
        message.c.id > bindparam("after"),
        message.c.deleted_at.is_(None),
    )
    .order_by(message.c.id)
    .limit(bindparam("most"))
)
