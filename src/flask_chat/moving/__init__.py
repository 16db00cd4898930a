"""Moving a whole chat: out of SQLite into PostgreSQL, back again, or to another place of the same kind.

The source is only read. The target is filled, read back and compared with the source before any of it is kept: a move
that breaks off, at whatever moment, leaves nothing behind and can simply be started again.
"""

from __future__ import annotations

import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass

from ..chat.tables import metadata
from ..config import ConfigError
from .place import Place
from .progress import Progress
from .rows import Fingerprint, Reader, Witness


@dataclass(frozen=True, slots=True)
class Moved:
    """One table: how many rows the source has by its own count, what was read there, and what the target holds."""

    table: str
    count: int
    read: Fingerprint
    found: Fingerprint

    @property
    def same(self) -> bool:
        """Whether nothing was passed over, lost, added or changed."""
        return self.read == self.found and self.read.count == self.count


class Different(Exception):
    """The target did not hold what the source does, and nothing was kept. ``tables`` are all that were compared."""

    def __init__(self, tables: list[Moved]) -> None:
        self.tables = tables


def move(source: Place, target: Place) -> list[Moved]:
    """Copy every table; returns what was compared before it was kept.

    Raises :class:`flask_chat.config.ConfigError`, :class:`flask_chat.db.DatabaseRefused`,
    :class:`flask_chat.schema.SchemaTooOld` or :class:`flask_chat.schema.SchemaTooNew` for what stands in the way,
    :class:`Different`, or what the databases and the disk raise. Nothing is kept then.
    """
    with ExitStack() as last, closing(source), closing(target):
        if source.identity() == target.identity():
            raise ConfigError(f"Source and target are the same, {target.name}. Name the source with --from.")
        return _move(source, target, last)


def _move(source: Place, target: Place, last: ExitStack) -> list[Moved]:
    tables = metadata.sorted_tables
    with source.reading() as old, target.writing() as new:
        counts = [old.count(table) for table in tables]
        read = []
        with Progress("Copying", "Copied", sum(counts)) as progress:
            for table in tables:
                with closing(old.rows(table)) as chunks:
                    witness = Witness()
                    new.write(table, progress.through(witness.through(chunks)))
                    read.append(witness.fingerprint)
        new.complete()
        with Progress("Verifying", "Verified", sum(counts)) as progress:
            found = [_fingerprint(progress, new.rows(table)) for table in tables]
        moved = [Moved(*each) for each in zip((table.name for table in tables), counts, read, found, strict=True)]
        if not all(each.same for each in moved):
            raise Different(moved)
        # From here on it is all or nothing, and whoever asks is told which.
        last.enter_context(_undisturbed())
        new.keep()
    return moved


def _fingerprint(progress: Progress, rows: Reader) -> Fingerprint:
    witness = Witness()
    with closing(rows) as chunks:
        for _ in progress.through(witness.through(chunks)):
            pass
    return witness.fingerprint


@contextmanager
def _undisturbed() -> Iterator[None]:
    """Let no Ctrl-C come in between."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
