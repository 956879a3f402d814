"""What the monitors remember: who looks when, the health of hosts and of guests."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "watches",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(length=36), nullable=True),
        sa.Column("looked_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("watches_due", "watches", ["due_at"], unique=False)
    op.create_table(
        "host_health",
        sa.Column("host_uuid", sa.String(length=36), nullable=False),
        sa.Column("samples", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("state", sa.String(length=36), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("doubted", sa.Boolean(), nullable=False),
        sa.Column("told", sa.String(length=36), nullable=False),
        sa.Column("told_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.CheckConstraint("state IN ('up', 'down', 'spared', 'unsure')", name="state_known"),
        sa.CheckConstraint("told IN ('nothing', 'stopped', 'known', 'started', 'stopped before')", name="told_known"),
        sa.PrimaryKeyConstraint("host_uuid"),
    )
    op.create_table(
        "guest_health",
        sa.Column("instance_uuid", sa.String(length=36), nullable=False),
        sa.Column("host_uuid", sa.String(length=36), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=True),
        sa.Column("state", sa.String(length=36), nullable=False),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ran", sa.Boolean(), nullable=False),
        sa.Column("fault", sa.String(length=36), nullable=True),
        sa.Column("fault_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault_told", sa.Boolean(), nullable=False),
        sa.Column("quiet_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pinged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("wishes", postgresql.JSONB(astext_type=sa.Text()), nullable=False),
        sa.Column("wishes_at", sa.DateTime(timezone=True), nullable=True),
        sa.CheckConstraint("state IN ('discovery', 'healthy', 'error', 'reported')", name="state_known"),
        sa.PrimaryKeyConstraint("instance_uuid"),
    )
    op.create_index("guest_health_host", "guest_health", ["host_uuid"], unique=False)
