"""Alembic's way in: the application hands it the connection of its one writer."""

from alembic import context

from flask_chat.chat import feed, sessions  # noqa: F401 (they bring every table into the metadata)
from flask_chat.db import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata, transactional_ddl=True)
with context.begin_transaction():
    context.run_migrations()
