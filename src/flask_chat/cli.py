"""The commands of the one who runs a chat."""

from __future__ import annotations

import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from . import datafolder, logs
from .config import Config, ConfigError

FAILED = 2
"""Exit code of a command that refuses, with one line that says what to do."""


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
def main() -> None:
    """Flask Chat: a chat that you host yourself. Settings come from the environment; see docs/configuration.md."""


@main.command()
@click.option("--host", metavar="ADDRESS", help="Address to listen on.  [HOST; 0.0.0.0, every network]")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on, 0 for a free one.  [PORT; 5000]")
@click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    help="Folder for everything that must last.  [FLASK_CHAT_DATA; data]",
)
def serve(host: str | None, port: int | None, data: Path | None) -> None:
    """Serve the chat: make or migrate its database, print how friends join, and go on until Ctrl-C."""
    from . import banner, create_app, opening, server

    with _refusals():
        config = Config.from_environment()
        config = replace(
            config,
            host=host or config.host,
            port=config.port if port is None else port,
            data=config.data if data is None else data.expanduser().absolute(),
        )
        logs.configure(requests=config.log_requests)
        listener = server.listen(config.host, config.port)
        app = create_app(config)
        opening.open_once(app, config)
    address, port = listener.getsockname()[:2]
    server.run(app, listener, ready=lambda: banner.show(app.extensions["flask_chat"], address, port))


@main.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder.")
def upgrade(data: Path | None) -> None:
    """Bring the database to this version's schema. Serving on SQLite does that by itself."""
    from . import schema
    from .db import Database

    with _refusals():
        folder = _folder(data)
        datafolder.prepare(folder)
        database = Database(folder)
        try:
            changed = schema.upgrade(database.engine)
        finally:
            database.close()
    click.echo("The database is upgraded." if changed else "The database is up to date.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder.")
def backup(file: Path, data: Path | None) -> None:
    """Write a whole copy of the database to FILE, while the chat runs or not. Never overwrites a file."""
    with _refusals():
        source = _folder(data) / "chat.db"
        if not source.exists():
            raise ConfigError(f"There is no chat in {source.parent}. Name its folder with --data.")
        _copy(source, file)
    click.echo(f"Copied {file.stat().st_size:,} bytes to {file}.")


def _copy(source: Path, target: Path) -> None:
    """Copy a database page by page into a new file that appears whole or not at all."""
    try:
        # Whoever makes the file owns the name: a copy never takes the place of anything.
        os.close(os.open(target, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600))
    except FileExistsError:
        raise ConfigError(f"{target} is there already. Choose another name.") from None
    except OSError as error:
        raise ConfigError(f"{target} cannot be written: {error.strerror}.") from None
    partial = target.with_name(target.name + ".partial")
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.close(handle)
        # Query-only: this second process must never write to, nor checkpoint, the database of a running chat.
        reader = sqlite3.connect(source.absolute().as_uri() + "?mode=ro", uri=True)
        writer = sqlite3.connect(partial)
        with reader, writer:
            reader.backup(writer)
            writer.execute("PRAGMA journal_mode = DELETE")
        writer.close()
        reader.close()
        os.replace(partial, target)
    except (OSError, sqlite3.Error) as error:
        partial.unlink(missing_ok=True)
        target.unlink(missing_ok=True)
        raise ConfigError(f"The copy could not be written: {error}.") from None


def _folder(data: Path | None) -> Path:
    return Config.from_environment().data if data is None else data.expanduser().absolute()


@contextmanager
def _refusals() -> Iterator[None]:
    """Say in one line what stands in the way, and what to do about it."""
    from sqlalchemy.exc import DBAPIError

    from .db import DataInUse
    from .schema import SchemaTooNew

    try:
        yield
    except ConfigError as error:
        _refuse(str(error))
    except DataInUse as error:
        _refuse(f"Another process serves the chat in {error}. Stop that one first, or name another folder with --data.")
    except SchemaTooNew as error:
        _refuse(
            f"The database was written by a newer version of this chat (schema {error}). "
            "Install that version again; nothing was changed."
        )
    except (OSError, DBAPIError) as error:
        _refuse(f"The chat's data cannot be opened: {getattr(error, 'orig', error)}.")


def _refuse(line: str) -> None:
    click.echo(f"flask-chat: {line}", err=True)
    sys.exit(FAILED)
