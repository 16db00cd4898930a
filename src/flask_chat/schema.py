"""The schema's migrations: run by themselves when the chat starts on SQLite."""

from __future__ import annotations

import re
from pathlib import Path

from sqlalchemy import Engine, inspect, text

MIGRATIONS = Path(__file__).parents[2] / "migrations"


class SchemaTooNew(Exception):
    """The database was written by a newer version of the chat."""


def head() -> str:
    """The newest migration's revision."""
    return _revisions()[-1]


def current(engine: Engine) -> str | None:
    """The revision that the database is at; None in an empty one."""
    with engine.connect() as connection:
        if not inspect(connection).has_table("alembic_version"):
            return None
        return connection.execute(text("SELECT version_num FROM alembic_version")).scalar_one_or_none()


def upgrade(engine: Engine) -> bool:
    """Bring the database to the newest schema; says whether there was anything to do.

    Raises :class:`SchemaTooNew` for a database that this version does not know, and touches nothing.
    """
    at = current(engine)
    if at == head():
        return False
    if at is not None and at not in _revisions():
        raise SchemaTooNew(at)
    # Imported only when there is something to migrate: it would double the time to start.
    from alembic import command
    from alembic.config import Config

    configuration = Config()
    configuration.set_main_option("script_location", str(MIGRATIONS))
    with engine.begin() as connection:
        configuration.attributes["connection"] = connection
        command.upgrade(configuration, "head")
    return True


def _revisions() -> list[str]:
    return sorted(re.match(r"(\d{4})_", path.name)[1] for path in (MIGRATIONS / "versions").glob("[0-9]*_*.py"))  # type: ignore[index]
