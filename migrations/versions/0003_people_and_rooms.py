"""People and rooms: who is in which room, what they have read, how they keep their name, and how order is kept."""

import time

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    the_log()
    people()
    rooms()
    messages()
    order()
    everybody_is_in_the_lobby()
    nobody_was_seen_so_far()


def the_log() -> None:
    op.add_column("event", sa.Column("data", sa.Text))


def people() -> None:
    op.add_column("person", sa.Column("claimed_at", sa.BigInteger))
    op.add_column("person", sa.Column("former_at", sa.BigInteger))
    if op.get_bind().dialect.name == "postgresql":
        # Keys are looked up by how they begin, which no order but that of their bytes allows.
        op.alter_column("person", "key", type_=sa.String(512, collation="C"))
    op.add_column("session", sa.Column("signed_out_at", sa.BigInteger))
    op.add_column("session", sa.Column("seen_at", sa.BigInteger))
    op.add_column("session", sa.Column("device", sa.String(80)))
    op.add_column("session", sa.Column("network", sa.String(64)))
    op.add_column("session", sa.Column("proved_at", sa.BigInteger))
    op.create_table(
        "former_name",
        sa.Column("key", sa.String(512), primary_key=True),
        sa.Column("username", sa.String(128), nullable=False),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "profile",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), primary_key=True, autoincrement=False),
        sa.Column("display_name", sa.String(128), nullable=False),
        sa.Column("pronouns", sa.String(64), nullable=False),
        sa.Column("bio", sa.Text, nullable=False),
        sa.Column("status", sa.String(200), nullable=False),
        sa.Column("status_until", sa.BigInteger),
        sa.Column("time_zone", sa.String(64), nullable=False),
        sa.Column("hides_presence", sa.Boolean, nullable=False),
    )
    op.create_table(
        "password",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), primary_key=True, autoincrement=False),
        sa.Column("hash", sa.String(200), nullable=False),
        sa.Column("changed_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "recovery_code",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("hash", sa.LargeBinary(32), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "passkey",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("credential_id", sa.LargeBinary(1023), nullable=False, unique=True),
        sa.Column("public_key", sa.LargeBinary, nullable=False),
        sa.Column("sign_count", sa.BigInteger, nullable=False),
        sa.Column("name", sa.String(80), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "device_link",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("used_at", sa.BigInteger),
    )
    op.create_table(
        "identity",
        sa.Column("issuer", sa.String(255), primary_key=True),
        sa.Column("subject", sa.String(255), primary_key=True),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    # Until now the only way to end a session was to sign out, which leaves the name to its browser.
    op.execute("UPDATE session SET signed_out_at = revoked_at, revoked_at = NULL WHERE revoked_at IS NOT NULL")
    # A name that nobody has claimed is a guest's.
    op.execute("UPDATE person SET role = 'guest' WHERE role = 'member'")


def rooms() -> None:
    op.add_column("room", sa.Column("kind", sa.String(16), nullable=False, server_default="public"))
    op.add_column("room", sa.Column("topic", sa.String(500), nullable=False, server_default=sa.text("''")))
    op.add_column("room", sa.Column("description", sa.Text, nullable=False, server_default=sa.text("''")))
    op.add_column("room", sa.Column("pair", sa.String(250)))
    op.add_column("room", sa.Column("archived_at", sa.BigInteger))
    op.add_column("room", sa.Column("locked_at", sa.BigInteger))
    op.add_column("room", sa.Column("slow_seconds", sa.Integer, nullable=False, server_default="0"))
    op.add_column("room", sa.Column("retention_days", sa.Integer))
    op.create_index("room_between", "room", ["pair"], unique=True)
    op.create_table(
        "former_slug",
        sa.Column("slug", sa.String(64), primary_key=True),
        sa.Column("room_id", sa.Integer, sa.ForeignKey("room.id"), nullable=False, index=True),
    )
    op.create_table(
        "membership",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), primary_key=True, autoincrement=False),
        sa.Column("room_id", sa.Integer, sa.ForeignKey("room.id"), primary_key=True, autoincrement=False),
        sa.Column("role", sa.String(16), nullable=False),
        sa.Column("joined_at", sa.BigInteger, nullable=False),
        sa.Column("read_id", sa.BigInteger, nullable=False),
        sa.Column("favourite", sa.Boolean, nullable=False),
        sa.Column("position", sa.Integer),
        sa.Column("notify", sa.String(16), nullable=False),
        sa.Column("muted_until", sa.BigInteger),
    )
    op.create_index("membership_by_room", "membership", ["room_id", "person_id"])
    op.create_table(
        "invitation",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("token_hash", sa.LargeBinary(32), nullable=False, unique=True),
        sa.Column("room_id", sa.Integer, sa.ForeignKey("room.id"), index=True),
        sa.Column("inviter_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False, index=True),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("most_uses", sa.Integer),
        sa.Column("uses", sa.Integer, nullable=False),
        sa.Column("revoked_at", sa.BigInteger),
    )


def messages() -> None:
    op.add_column("message", sa.Column("mentions", sa.Text))
    op.add_column("message", sa.Column("deleted_at", sa.BigInteger))
    # Counting what is unread in hundreds of rooms must not look up each message.
    op.drop_index("message_by_room", "message")
    op.create_index("message_by_room", "message", ["room_id", "id", "author_id", "deleted_at"])
    op.drop_index("message_by_author", "message")
    op.create_index("message_by_author", "message", ["author_id", "id", "deleted_at"])
    op.create_table(
        "mention",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), primary_key=True, autoincrement=False),
        sa.Column("room_id", sa.Integer, sa.ForeignKey("room.id"), primary_key=True, autoincrement=False),
        sa.Column("message_id", ID, primary_key=True, autoincrement=False),
    )
    op.create_index("mention_by_message", "mention", ["message_id"])


def order() -> None:
    op.create_table(
        "setting",
        sa.Column("name", sa.String(32), primary_key=True),
        sa.Column("value", sa.Text, nullable=False),
    )
    op.create_table(
        "restriction",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), index=True),
        sa.Column("network", sa.String(64), index=True),
        sa.Column("room_id", sa.Integer, sa.ForeignKey("room.id"), index=True),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("imposer_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("expires_at", sa.BigInteger),
        sa.Column("lifted_at", sa.BigInteger),
    )
    op.create_table(
        "report",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("message_id", ID, nullable=False),
        sa.Column("room_id", sa.Integer, sa.ForeignKey("room.id"), nullable=False),
        sa.Column("reporter_id", sa.Integer, sa.ForeignKey("person.id"), nullable=False),
        sa.Column("reason", sa.String(500), nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
        sa.Column("settled_at", sa.BigInteger),
        sa.Column("settler_id", sa.Integer, sa.ForeignKey("person.id")),
        sa.Column("outcome", sa.String(32)),
        sa.UniqueConstraint("message_id", "reporter_id", name="reported_once"),
    )
    op.create_index("report_open", "report", ["settled_at", "id"])
    op.create_table(
        "day",
        sa.Column("date", sa.String(10), primary_key=True),
        sa.Column("messages", sa.BigInteger, nullable=False),
        sa.Column("people", sa.Integer, nullable=False),
        sa.Column("hours", sa.Text, nullable=False),
    )
    op.create_table(
        "block",
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id"), primary_key=True, autoincrement=False),
        sa.Column("blocked_id", sa.Integer, sa.ForeignKey("person.id"), primary_key=True, autoincrement=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "audit",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("actor_id", sa.Integer, sa.ForeignKey("person.id"), index=True),
        sa.Column("action", sa.String(40), nullable=False),
        sa.Column("person_id", sa.Integer, sa.ForeignKey("person.id")),
        sa.Column("room_id", sa.Integer, sa.ForeignKey("room.id")),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("created_at", sa.BigInteger, nullable=False),
    )


def everybody_is_in_the_lobby() -> None:
    op.execute(
        "INSERT INTO membership (person_id, room_id, role, joined_at, read_id, favourite, notify) "
        "SELECT person.id, room.id, 'member', person.created_at, (SELECT coalesce(max(id), 0) FROM event), "
        "false, 'all' FROM person JOIN room ON room.slug = 'lobby'"
    )


def nobody_was_seen_so_far() -> None:
    # Who only read in an earlier release left no trace of it: their names must not be taken for unused.
    now = str(time.time_ns() // 1_000_000)
    op.execute(
        sa.text(
            "INSERT INTO kept (name, value) SELECT 'seen.since', CAST(:now AS TEXT) WHERE EXISTS (SELECT 1 FROM person)"
        ).bindparams(now=now)
    )
