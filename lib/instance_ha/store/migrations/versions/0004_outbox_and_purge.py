"""Events for others, and rows on their way to the archive."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0004"
down_revision = "0003"

_PENDING = sa.text("state = 'pending'")


def upgrade() -> None:
    """Apply."""
    for table in ("host_health", "guest_health"):  # purge knows rows by their id
        op.add_column(table, sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False))
        op.create_unique_constraint(f"{table}_id_key", table, ["id"])
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("event_type", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sink", sa.String(length=63), nullable=False),
        sa.Column("state", sa.String(length=16), server_default="pending", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('pending', 'sent', 'dead')", name="state_known"),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("outbox_once", "outbox", ["event_id", "sink"], unique=True)
    op.create_index("outbox_pending", "outbox", ["sink", "id"], unique=False, postgresql_where=_PENDING)
    op.create_index("outbox_order", "outbox", ["sink", "subject", "id"], unique=False, postgresql_where=_PENDING)
    op.create_index(
        "outbox_done", "outbox", ["done_at", "id"], unique=False, postgresql_where=sa.text("done_at IS NOT NULL")
    )
    op.create_table(
        "outbox_sinks",
        sa.Column("name", sa.String(length=63), nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("failing_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "purge_batches",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("row_ids", postgresql.ARRAY(sa.BigInteger()), nullable=False),
        sa.Column("cutoff", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=36), nullable=True),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("purge_batches_table", "purge_batches", ["table_name", "id"], unique=False)
