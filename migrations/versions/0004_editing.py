"""Editing: what a message said first, as far as it must still be known once it says something else."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("message", sa.Column("sent_check", sa.BigInteger))
    op.add_column("report", sa.Column("said", sa.Text))
