"""The schema's migrations: run by themselves on SQLite and in an empty database, else by a command."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Connection, Engine, inspect, text

MIGRATIONS = Path(__file__).parents[2] / "migrations"

LOCK = 0x736368656D61
"""The advisory lock under which PostgreSQL's schema is changed, so that two who start together do it once."""


class SchemaTooNew(Exception):
    """The database was written by a newer version of the chat."""


class SchemaTooOld(Exception):
    """The database is of an older version of the chat, and migrating it is somebody's decision."""


def head() -> str:
    """The newest migration's revision."""
    return _revisions()[-1]


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None in an empty one."""
    with engine.connect() as connection:
        return _current(connection)


def upgrade(engine: Engine) -> bool:
    """Bring the database to the newest schema; says whether there was anything to do.

    Raises :class:`SchemaTooNew` for a database that this version does not know, and touches nothing.
    """
    if _known(current(engine)) == head():
        return False
    with engine.begin() as connection:
        _alone(connection)
        return migrate(connection)


def migrate(connection: Connection) -> bool:
    """:func:`upgrade` inside a transaction that is under way."""
    if _known(_current(connection)) == head():
        return False
    # Imported only when there is something to migrate: it would double the time to start.
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    configuration.attributes["connection"] = connection
    command.upgrade(configuration, "head")
    return True


def prepare(engine: Engine) -> None:
    """Make the schema in an empty database; leave any other as it is.

    Raises :class:`SchemaTooOld` or :class:`SchemaTooNew` for one that is not this version's.
    """
    at = _known(current(engine))
    if at is None:
        upgrade(engine)
    elif at != head():
        raise SchemaTooOld(at)


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    at: str | None = connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()
    return at


def _known(revision: str | None) -> str | None:
    if revision is not None and revision not in _revisions():
        raise SchemaTooNew(revision)
    return revision


def _alone(connection: Connection) -> None:
    """Wait until nobody else migrates, and take all the time that migrating takes."""
    if connection.dialect.name == "postgresql":
        connection.exec_driver_sql("SET LOCAL statement_timeout = 0")
        connection.exec_driver_sql("SET LOCAL lock_timeout = 0")
        connection.exec_driver_sql("SET LOCAL idle_in_transaction_session_timeout = 0")
        connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({LOCK})")


def _revisions() -> list[str]:
    return sorted(re.match(r"(\d{4})_", path.name)[1] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))  # type: ignore[index]
