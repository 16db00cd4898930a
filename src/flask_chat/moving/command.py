"""The command: which places are meant, what is said of the move, and what to do next."""

from __future__ import annotations

import sys
from pathlib import Path

import click
from sqlalchemy.exc import DBAPIError

from .. import datafolder
from ..config import Config, ConfigError
from . import Different, Moved, move
from .folder import Folder
from .place import Place, first_line

DIGITS = 16
"""Hexadecimal digits of a hash that are shown; all 64 are compared."""


def run(config: Config, target: str, source: str | None, data: Path | None) -> None:
    """Move a chat, and say how it went; ``source`` or ``data`` name another one than the settings do.

    Raises :class:`ConfigError` with what stood in the way, and what :func:`flask_chat.moving.move` says of it.
    """
    if source is not None and data is not None:
        raise ConfigError("--from and --data both name the source: leave one out.")
    configured = str(data or config.database_url or config.data)
    old = _place(source or configured, "--from" if source or data else "DATABASE_URL")
    new = _place(target, "--to")
    click.echo(f"Moving the chat from {old.name} to {new.name}.", err=True)
    try:
        moved = move(old, new)
    except Different as difference:
        click.echo(_compared(difference.tables))
        raise ConfigError("The target did not hold the same as the source. Nothing was kept.") from None
    except KeyboardInterrupt:
        click.echo("\nInterrupted. Nothing was kept; it can be started again.", err=True)
        sys.exit(130)
    except (DBAPIError, OSError) as error:
        raise ConfigError(
            f"The move broke off: {first_line(error)}. Nothing was kept; it can be started again."
        ) from None
    click.echo(_compared(moved))
    if isinstance(old, Folder) and not isinstance(new, Folder):
        # Whoever starts it as before, or backs it up, would not notice that it is the old one.
        (old.folder / datafolder.MOVED).write_text(f"{new.name}\n")
    click.echo(_next(config, old, new))


def _place(text: str, option: str) -> Place:
    if "://" not in text:
        return Folder(Path(text).expanduser().absolute())
    from .server import Server

    try:
        return Server(text)
    except ConfigError:
        raise ConfigError(
            f"{option} names no place for a chat: it is a folder, or postgresql://user:password@host/name."
        ) from None


def _compared(tables: list[Moved]) -> str:
    """The tables with what was read and what was found, line by line."""
    lines = [("table", "rows", "source", "target", "")]
    for each in tables:
        same = (
            "same" if each.same else f"DIFFERENT: {each.count:,} rows in the source, {each.found.count:,} in the target"
        )
        lines.append((each.table, f"{each.count:,}", each.read.digest[:DIGITS], each.found.digest[:DIGITS], same))
    wide = max(len(line[0]) for line in lines), max(len(line[1]) for line in lines)
    return "\n".join(
        f"{table:{wide[0]}}  {rows:>{wide[1]}}  {read:{DIGITS}}  {found:{DIGITS}}  {same}".rstrip()
        for table, rows, read, found, same in lines
    )


def _next(config: Config, old: Place, new: Place) -> str:
    if isinstance(new, Folder):
        start = f"Start it without DATABASE_URL: bin/serve --data {new.name}"
    else:
        start = f"Set DATABASE_URL to {new.name}, with its password if it has one, and start the chat."
    lines = ["", "The chat was moved, and is the same on both sides.", start]
    if config.secret:
        lines.append("Keep SECRET_KEY as it is: without it everybody would be signed out.")
    lines.append(f"What is in {old.name} was not changed. Keep it until you are sure, and never start both.")
    return "\n".join(lines)
