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
@click.option(
    "--workers", type=click.IntRange(1, 64), help="Processes that serve, on PostgreSQL and Redis.  [WEB_CONCURRENCY; 1]"
)
def serve(host: str | None, port: int | None, data: Path | None, workers: int | None) -> None:
    """Serve the chat: make or migrate its database, print how friends join, and go on until Ctrl-C."""
    from . import banner, create_app, metrics, opening, server, supervisor
    from .worker import Worker

    worker = Worker.of_environment()
    if worker is None:
        # One process counts for itself alone.
        os.environ.pop(metrics.DIRECTORY, None)

    with _refusals():
        config = Config.from_environment()
        config = replace(
            config,
            host=host or config.host,
            port=config.port if port is None else port,
            data=config.data if data is None else data.expanduser().absolute(),
            workers=workers or config.workers,
            node=opening.node_name(),
        )
        logs.configure(config.log, config.node)
        obstacle = supervisor.obstacle(config)
        if workers is not None and workers > 1 and obstacle:
            raise ConfigError(f"--workers {workers} cannot work. {obstacle}")
        several = worker is None and config.workers > 1 and not obstacle
        reserved = server.reserve(config.host, config.port) if several else None
    if reserved is not None:
        sys.exit(supervisor.run(config, reserved))

    with _refusals():
        listener = server.listen(config.host, config.port, shared=worker is not None)
        app = create_app(config)
        opening.open_once(app, config)
    address, port = listener.getsockname()[:2]

    def show() -> None:
        banner.show(app.extensions["flask_chat"], address, port)

    server.run(app, listener, ready=show if worker is None else lambda: worker.ready(show))


@main.command()
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder.")
def upgrade(data: Path | None) -> None:
    """Bring the database to this version's schema. On SQLite, and in an empty database, serving does that by itself."""
    from . import opening, schema

    with _refusals():
        backend = opening.backend(replace(Config.from_environment(), data=_folder(data)), patient=True)
        try:
            before = schema.current(backend.writer)
            changed = schema.upgrade(backend.writer)
        finally:
            backend.close()
    if before is None:
        click.echo("There was no chat there yet: the database is made, and empty.")
    else:
        click.echo("The database is upgraded." if changed else "The database is up to date.")


@main.command()
@click.argument("file", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder.")
def backup(file: Path, data: Path | None) -> None:
    """Write a whole copy of the database to FILE, while the chat runs or not. Never overwrites a file."""
    with _refusals():
        if Config.from_environment().database_url:
            raise ConfigError("This chat is in PostgreSQL: back it up with PostgreSQL's own pg_dump.")
        datafolder.refuse_moved(_folder(data))
        source = _folder(data) / "chat.db"
        if not source.exists():
            raise ConfigError(f"There is no chat in {source.parent}. Name its folder with --data.")
        _copy(source, file)
    click.echo(f"Copied {file.stat().st_size:,} bytes to {file}.")


@main.command()
@click.option("--to", "target", metavar="TARGET", required=True, help="Where it goes: postgresql://… or a folder.")
@click.option("--from", "source", metavar="SOURCE", help="Where it is: the same.  [DATABASE_URL, else the data folder]")
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder that it is in.")
def move(target: str, source: str | None, data: Path | None) -> None:
    """Copy the whole chat into PostgreSQL, or back into a data folder, while it is stopped. See docs/moving.md."""
    with _refusals():
        from .moving import command

        command.run(Config.from_environment(), target, source, data)


@main.command()
@click.option("--people", type=click.IntRange(1), help="Go no further than so many.  [until it is too many]")
@click.option(
    "--within", metavar="MS", type=click.FloatRange(1), default=250.0, help="Milliseconds that p99 may take.  [250]"
)
@click.option(
    "--talk",
    metavar="NUMBER",
    type=click.FloatRange(0, min_open=True),
    default=3.0,
    help="Messages that each of them sends in an hour.  [3]",
)
@click.option("--seconds", type=click.FloatRange(0.5, 600), default=8.0, help="How long each crowd is measured.  [8]")
@click.option("--workers", type=click.IntRange(1, 64), help="Processes that serve, as for serve.  [WEB_CONCURRENCY; 1]")
@click.option(
    "--json", "file", type=click.Path(path_type=Path, dir_okay=False), help="Write the figures to this file too."
)
@click.option("--data", type=click.Path(path_type=Path, file_okay=False), help="The data folder, for its disk.")
def capacity(
    people: int | None,
    within: float,
    talk: float,
    seconds: float,
    workers: int | None,
    file: Path | None,
    data: Path | None,
) -> None:
    """Measure how many people this machine carries, with a throw-away chat beside the real one."""
    with _refusals():
        from .capacity import command
        from .capacity.measure import Asked

        config = Config.from_environment()
        config = replace(config, data=_folder(data), workers=workers or config.workers)
        command.run(config, Asked(people, talk, within, seconds), file)


@main.command()
@click.option("--port", type=click.IntRange(0, 65535), default=0, help="Port to listen on.  [a free one]")
def demo(port: int) -> None:
    """Serve a throw-away chat, full of made-up people who talk, to this computer alone: to look around in."""
    with _refusals():
        from . import create_app
        from .demo import command

        command.run(port, create_app)


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

    from .db import DatabaseRefused, DataInUse, StorageFull, StorageUnavailable
    from .schema import SchemaTooNew, SchemaTooOld

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
    except SchemaTooOld as error:
        _refuse(
            f"The database is of an older version of this chat (schema {error}). Stop what serves the older version, "
            "make a backup, then run: flask-chat upgrade"
        )
    except DatabaseRefused as error:
        _refuse(str(error))
    except (OSError, DBAPIError, StorageFull, StorageUnavailable) as error:
        why = str(getattr(error, "orig", error)).strip().partition("\n")[0].rstrip(".")
        _refuse(f"The chat's data cannot be opened: {why}.")


def _refuse(line: str) -> None:
    click.echo(f"flask-chat: {line}", err=True)
    sys.exit(FAILED)
