"""Settings of the chat that its owner changes while it runs.

What is decided by them is decided by what the database says at that moment; only what a page shows of them (the name,
the accent) is remembered in each process, until the event ``settings.changed``.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from typing import Literal

import msgspec
from sqlalchemy import Column, Connection, String, Table, Text, delete, insert, select

from .. import events
from ..db import Database, Transaction, metadata
from .errors import Invalid

setting = Table(
    "setting",
    metadata,
    Column("name", String(32), primary_key=True),
    Column("value", Text, nullable=False),
)

OPEN, INVITED, APPROVAL = "open", "invited", "approval"
"""Who may join: everybody; whoever has an invitation; whoever a moderator lets in."""

ACCENTS = ("teal", "blue", "violet", "plum", "red", "orange", "green", "grey")
"""The accents that there are, by name; each is readable in light and in dark. The first is the default."""

CHANGED = "settings.changed"

Joining = Literal["open", "invited", "approval"]
RoomMakers = Literal["guest", "member", "moderator"]
Accent = Literal["teal", "blue", "violet", "plum", "red", "orange", "green", "grey"]


class Settings(msgspec.Struct, frozen=True, kw_only=True):
    """What the owner has chosen.

    ``name`` is empty while it is the configured one. ``joining`` says who may come, ``room_makers`` the role from
    which on rooms may be made. ``guests``: whether people who have not claimed their name may do more than look.
    ``lobby``: whether new people are in the lobby by themselves. ``lockdown``: only members, moderators and the owner
    write. ``retention_days``: how long rooms keep messages that say nothing else, None for ever. ``name_days``: after
    how long without use a name that nobody has claimed is free again, None for never.
    ``edit_minutes``: how long after it was sent a message may be edited by who wrote it, 0 for not at all, None for
    ever.
    """

    name: str = ""
    accent: Accent = "teal"
    joining: Joining = "open"
    room_makers: RoomMakers = "guest"
    guests: bool = True
    lobby: bool = True
    retention_days: int | None = None
    lockdown: bool = False
    name_days: int | None = 30
    edit_minutes: int | None = 1440


DEFAULTS = Settings()

MAX_NAME = 60
"""Characters in the name of the chat."""

MAX_DAYS = 36_500

MAX_MINUTES = MAX_DAYS * 24 * 60


def read(connection: Connection) -> Settings:
    """The settings as they are now."""
    kept = {name: msgspec.json.decode(value) for name, value in connection.execute(_ALL)}
    # A release that knows fewer of them must start with what a later one has kept.
    known = {name: value for name, value in kept.items() if name in Settings.__struct_fields__}
    return msgspec.convert(known, Settings)


def joining(connection: Connection) -> Joining:
    """Who may join: ``open``, ``invited`` or ``approval``."""
    return read(connection).joining


def change(transaction: Transaction, changes: Mapping[str, object]) -> Settings:
    """Change some settings, by name; returns all of them.

    Everybody is told, if anything is different. Raises :class:`Invalid` with the reason.
    """
    transaction.lock()
    before = read(transaction.connection)
    after = check(before, changes)
    names = [name for name in Settings.__struct_fields__ if getattr(before, name) != getattr(after, name)]
    for name in names:
        transaction.connection.execute(delete(setting).where(setting.c.name == name))
        value = getattr(after, name)
        if value != getattr(DEFAULTS, name):
            kept = msgspec.json.encode(value).decode()
            transaction.connection.execute(insert(setting).values(name=name, value=kept))
    if names:
        events.record(transaction, CHANGED, names=names)
    return after


def check(before: Settings, changes: Mapping[str, object]) -> Settings:
    """The settings with some changed. Raises :class:`Invalid` with the reason."""
    unknown = sorted(set(changes) - set(Settings.__struct_fields__))
    if unknown:
        raise Invalid(f"There is no setting “{unknown[0][:40]}”.")
    try:
        after = msgspec.convert({**msgspec.structs.asdict(before), **changes}, Settings)
    except msgspec.ValidationError as error:
        name = str(error).rpartition("$.")[2].strip("`") if "$." in str(error) else "setting"
        raise Invalid(f"This is no value for {_WORDS.get(name, name)}.") from None
    name = " ".join(after.name.split())
    if len(name) > MAX_NAME:
        raise Invalid(f"The name of the chat has {MAX_NAME} characters at most.")
    if not name.isprintable():
        raise Invalid("The name of the chat has a character that cannot be shown.")
    for days in (after.retention_days, after.name_days):
        if days is not None and not 1 <= days <= MAX_DAYS:
            raise Invalid(f"That is a whole number of days from 1 to {MAX_DAYS:,}, or nothing for no limit.")
    if after.edit_minutes is not None and not 0 <= after.edit_minutes <= MAX_MINUTES:
        raise Invalid(f"That is a whole number of minutes up to {MAX_MINUTES:,}, or nothing for no limit.")
    return msgspec.structs.replace(after, name=name)


class Current:
    """The settings as this process knows them, for what is shown: never for what is allowed."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._lock = threading.Lock()
        self._known: Settings | None = None
        self._changes = 0

    @property
    def known(self) -> Settings | None:
        """The settings, if they can be said without asking the database."""
        return self._known

    def get(self) -> Settings:
        """The settings."""
        known = self._known
        if known is not None:
            return known
        changes = self._changes
        with self._database.read() as connection:
            found = read(connection)
        with self._lock:
            # What was read before a change must not be kept after it.
            if changes == self._changes:
                self._known = found
        return found

    def hear(self, appended: Sequence[events.Event]) -> None:
        """Forget them if committed events say that they have changed."""
        if any(event.type == CHANGED for event in appended):
            self.clear()

    def clear(self) -> None:
        """Read them anew the next time."""
        with self._lock:
            self._changes += 1
            self._known = None


_ALL = select(setting.c.name, setting.c.value)
_WORDS = {
    "name": "the name of the chat",
    "accent": "the accent",
    "joining": "who may join",
    "room_makers": "who may make rooms",
    "guests": "what guests may do",
    "lobby": "whether new people are in the lobby",
    "retention_days": "how long messages are kept",
    "lockdown": "whether only members write",
    "name_days": "when an unused name is free again",
    "edit_minutes": "how long messages may be edited",
}
