"""Mentions: who is named in a message with ``@``.

Only somebody who is in the room can be named there: to everybody else the text says no more than it says.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence
from typing import NamedTuple

import msgspec
from sqlalchemy import BigInteger, Column, Connection, ForeignKey, Index, Integer, Table, select

from ..db import metadata
from ..db.lists import among
from . import names
from .memberships import membership
from .people import person

mention = Table(
    "mention",
    metadata,
    Column("person_id", ForeignKey("person.id"), primary_key=True, autoincrement=False),
    Column("room_id", ForeignKey("room.id"), primary_key=True, autoincrement=False),
    Column("message_id", BigInteger().with_variant(Integer, "sqlite"), primary_key=True, autoincrement=False),
    Index("mention_by_message", "message_id"),
)

MOST = 50
"""Places in one message that are looked at: who writes more of them means nobody in particular."""

MOST_CANDIDATES = 200
"""Names that the places of one message may mean, all together."""

Mentions = Sequence[tuple[int, int, str]]
"""Where in a text somebody is named, in order: the place of the ``@``, the length with it, the person's name."""


class Sought(NamedTuple):
    """Names that stand after one ``@``, longest first: where each ends, and the key of who would have it."""

    start: int
    candidates: tuple[tuple[int, str], ...]


class Named(NamedTuple):
    """Whom a message names: as it is kept with the message, and the ids of those people."""

    places: Mentions
    person_ids: frozenset[int]


NOBODY = Named((), frozenset())


class People:
    """Those who are meant, of those who are in some rooms."""

    def __init__(self, connection: Connection, sought: Iterable[tuple[int, Sequence[Sought]]]) -> None:
        """Ask for all that messages (each its room's id, and what it seeks) may mean, in one query."""
        listed = list(sought)
        parameters = {
            "keys": list({key for _, some in listed for each in some for _, key in each.candidates}),
            "room_ids": list({room_id for room_id, _ in listed}),
        }
        self._found: dict[tuple[int, str], tuple[int, str]] = {
            (room_id, key): (id, username) for room_id, key, id, username in connection.execute(_IN_ROOMS, parameters)
        }

    def named(self, text: str, room_id: int, sought: Sequence[Sought]) -> Named:
        """Whom a text in a room names: of several names after one ``@`` the longest that is somebody's."""
        places: list[tuple[int, int, str]] = []
        person_ids: set[int] = set()
        done = 0
        for start, candidates in sought:
            for end, key in candidates if start >= done else ():
                found = self._found.get((room_id, key))
                # Who is only like the name to the eye is not meant by it.
                if found is not None and names.fold(found[1]) == names.fold(text[start + 1 : end]):
                    places.append((start, end - start, found[1]))
                    person_ids.add(found[0])
                    done = end
                    break
        return Named(places, frozenset(person_ids))


def seek(text: str) -> tuple[Sought, ...]:
    """Where a text may name somebody; it takes no longer for a hostile one than for any other."""
    if "@" not in text:
        return ()
    found: list[Sought] = []
    left = MOST_CANDIDATES
    for at in _AT.finditer(text):
        start = at.start()
        if _LINK.search(text, max(0, start - _MAX_RUN), start):
            continue
        ends = _ends(text, start + 1)[-left:]
        if ends:
            found.append(Sought(start, tuple((end, names.key(text[start + 1 : end])) for end in reversed(ends))))
            left -= len(ends)
        if not left or len(found) == MOST:
            break
    return tuple(found)


def encode(places: Mentions) -> str:
    """As they are kept with a message."""
    return msgspec.json.encode(places).decode()


def decode(kept: str | None) -> Mentions:
    """As they were before :func:`encode`."""
    return () if kept is None else _PLACES.decode(kept)


def rows(message_id: int, room_id: int, author_id: int, named: Named) -> list[Mapping[str, object]]:
    """The rows of those whom a message names, but for its author."""
    return [
        {"person_id": person_id, "room_id": room_id, "message_id": message_id}
        for person_id in sorted(named.person_ids - {author_id})
    ]


def _ends(text: str, start: int) -> list[int]:
    """Where a name that begins at ``start`` may end: between words, or anywhere in what is written without spaces."""
    ends: list[int] = []
    visible, end = 0, start
    while end < len(text) and (_OF_A_NAME.match(text[end]) or _mark(text[end])):
        visible += not _mark(text[end])
        if visible > names.MAX_CHARACTERS or end - start >= _MAX_LENGTH:
            break
        end += 1
        if _may_end(text, end):
            ends.append(end)
    return ends


def _may_end(text: str, end: int) -> bool:
    last, following = text[end - 1], text[end : end + 1]
    if not following:
        return last != " "
    if last == " " or following == "@" or _mark(following):
        return False
    within = _WORD.match(following) and (_mark(last) or _WORD.match(last))
    return not within or _UNSPACED.match(last) is not None


def _mark(character: str) -> bool:
    return not character.isascii() and unicodedata.category(character)[0] == "M"


_MAX_LENGTH = 128
_MAX_RUN = 300
# Before it stands nothing that an address could have there.
_AT = re.compile(r"(?<![\w.+\-@/])@(?=\w)")
_LINK = re.compile(r"(?:://|www\.)\S*\Z", re.IGNORECASE)
_WORD = re.compile(r"\w")
_OF_A_NAME = re.compile(r"[\w '’\-‐‑.]")
# Scripts that write no space after a name: Thai, Lao, Burmese, Khmer, kana, Han, Hangul.
_UNSPACED = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff\U00020000-\U0003ffff]"
)
_PLACES = msgspec.json.Decoder(list[tuple[int, int, str]])
_IN_ROOMS = (
    select(membership.c.room_id, person.c.key, person.c.id, person.c.username)
    .join(membership, membership.c.person_id == person.c.id)
    .where(among(person.c.key, "keys"), among(membership.c.room_id, "room_ids"))
)
