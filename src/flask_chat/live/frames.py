"""How events look on each kind of stream."""

from __future__ import annotations

import random
import re
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol

from ..chat import rendering
from ..events import RESYNC, Event, plain

Cursor = Callable[[int], str]

_BYLINE = re.compile(r'(<article class="message" id="message-(\d+)".*?</time>)', re.DOTALL)
_LINKED = r'\1<a class="fix" href="messages/\2/report" aria-label="What to do with this message">⋯</a>'


def linked(html: str) -> str:
    """Articles with a link each to where the message is reported or deleted: in a frame no script makes it a menu."""
    return _BYLINE.sub(_LINKED, html)


class Encoder(Protocol):
    """Turns events into the bytes of one kind of stream. Readers with the same encoder get the same bytes."""

    heartbeat: bytes

    def encode(self, events: Sequence[Event]) -> bytes:
        """The bytes that say these events; empty if there is nothing to say."""

    def farewell(self) -> bytes:
        """What is said before the stream ends."""


class ServerSentEvents:
    """Server-sent events as the HTML standard has them (html.spec.whatwg.org, 9.2)."""

    heartbeat = b":\n\n"

    def __init__(self, cursor: Cursor) -> None:
        self._cursor = cursor

    def encode(self, events: Sequence[Event]) -> bytes:
        """A block for each event; its id is the cursor after it."""
        return b"".join(b"id: %b\ndata: %b\n\n" % (self._cursor(event.id).encode(), event.body) for event in events)

    def welcome(self, id: int) -> bytes:
        """The first bytes: how long to wait before coming back, and where the reader stands."""
        return b": welcome\nretry: %d\nid: %b\n\n" % (random.randint(500, 2000), self._cursor(id).encode())  # noqa: S311

    def resync(self, id: int) -> bytes:
        """Tell a reader from another history to load everything anew and to go on from here."""
        return b"id: %b\ndata: %b\n\n" % (self._cursor(id).encode(), plain(id, RESYNC))

    def farewell(self) -> bytes:
        """Ask the reader to come back, not all in the same moment."""
        return b"retry: %d\n\n" % random.randint(100, 1000)  # noqa: S311


class Document:
    """A room's messages as an HTML document that goes on and on: one a reader, for it remembers its last day."""

    heartbeat = b"<!-- -->\n"

    def __init__(self, room_id: int, last_day: str) -> None:
        self._room_id, self._day = room_id, last_day

    def encode(self, events: Sequence[Event]) -> bytes:
        """The articles of this room's messages, with the days between them."""
        shown = [(event.created_at, event.html) for event in events if event.html and event.room_id == self._room_id]
        if not shown:
            return b""
        html = rendering.timeline(shown, self._day)
        self._day = rendering.day_of(shown[-1][0])
        return linked(html).encode()

    def farewell(self) -> bytes:
        """Nothing: the document's own head has the browser load it anew once it has ended."""
        return b""


def pieces(events: Sequence[Event], most: int) -> Iterator[list[Event]]:
    """Cut events into lists of up to ``most`` bytes, at least one event each."""
    piece: list[Event] = []
    size = 0
    for event in events:
        if piece and size + len(event.body) > most:
            yield piece
            piece, size = [], 0
        piece.append(event)
        size += len(event.body)
    if piece:
        yield piece
