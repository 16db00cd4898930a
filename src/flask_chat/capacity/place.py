"""Where a throw-away chat lives: engines like the configured ones, empty, beside them, and gone in the end."""

from __future__ import annotations

import secrets
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import click

from ..config import Config, ConfigError

NAME = "flask_chat_capacity_"
"""How the names of throw-away databases and schemas begin."""


@contextmanager
def place(config: Config) -> Iterator[Config]:
    """The same settings on empty engines. What is made for them is removed at the end, whatever happens.

    Raises :class:`flask_chat.config.ConfigError` where nothing can be made, and what reaching for PostgreSQL raises.
    """
    if config.database_url is None:
        with _folder(_there(config.data)) as folder:
            yield replace(config, data=folder, limits=False)
    else:
        with _folder(None) as folder, _postgresql(config.database_url) as url:
            yield replace(config, data=folder, database_url=url, limits=False)


@contextmanager
def _folder(beside: Path | None) -> Iterator[Path]:
    try:
        made = tempfile.TemporaryDirectory(prefix="capacity-", dir=beside, ignore_cleanup_errors=True)
    except OSError as error:
        raise ConfigError(
            f"No throw-away folder can be made in {beside or tempfile.gettempdir()} ({error.strerror}). "
            "Give this user the right to, or name another folder with --data."
        ) from None
    with made as name:
        yield Path(name).absolute()


def _there(folder: Path) -> Path:
    """The folder, or the nearest above it that is there: what is made in it is on the same disk."""
    while not folder.is_dir():
        folder = folder.parent
    return folder


@contextmanager
def _postgresql(url: str) -> Iterator[str]:
    """The address of an empty database beside the configured one, or of an empty schema in it."""
    from sqlalchemy import create_engine, pool
    from sqlalchemy.exc import DBAPIError

    from ..db.postgresql import address

    configured = address(url)
    engine = create_engine(
        configured, isolation_level="AUTOCOMMIT", poolclass=pool.NullPool, connect_args={"connect_timeout": 5}
    )

    def run(statement: str) -> None:
        with engine.connect() as connection:
            connection.exec_driver_sql(statement)

    def may(statement: str) -> bool:
        try:
            run(statement)
        except DBAPIError as error:
            if getattr(error.orig, "sqlstate", None) == _NO_RIGHT:
                return False
            raise
        return True

    name = NAME + secrets.token_hex(4)
    run("SELECT 1")  # A server that is not there is known before there is anything to remove.
    # Named before it is made: who is interrupted in between cannot know whether it was.
    removal = f"DROP DATABASE IF EXISTS {name} WITH (FORCE)"
    try:
        if may(f"CREATE DATABASE {name} TEMPLATE template0 ENCODING 'UTF8'"):
            there = configured.set(database=name)
        else:
            removal = f"DROP SCHEMA IF EXISTS {name} CASCADE"
            if not may(f"CREATE SCHEMA {name}"):
                removal = ""
                with engine.connect() as connection:
                    raise _refusal(*connection.exec_driver_sql(_WHO).one())
            given = configured.normalized_query.get("options", ())
            there = configured.update_query_dict({"options": " ".join([*given, f"-csearch_path={name}"])})
        yield there.render_as_string(hide_password=False)
    finally:
        if removal:
            _remove(removal, run)
        engine.dispose()


_NO_RIGHT = "42501"
_WHO = "SELECT quote_ident(current_user), quote_ident(current_database())"


def _refusal(role: str, database: str) -> ConfigError:
    return ConfigError(
        f"The role {role} may make neither a database nor a schema to measure in. "
        f"Allow it one of them: ALTER ROLE {role} CREATEDB, or GRANT CREATE ON DATABASE {database} TO {role}."
    )


def _remove(statement: str, run: Callable[[str], None]) -> None:
    from sqlalchemy.exc import DBAPIError

    try:
        run(statement)
    except DBAPIError as error:
        why = str(error.orig).partition("\n")[0]
        click.echo(f"flask-chat: this could not be removed ({why}); run it yourself: {statement};", err=True)
