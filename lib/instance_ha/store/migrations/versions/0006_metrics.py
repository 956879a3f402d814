"""Counters of all processes, and which ended recoveries they have taken in."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Apply."""
    op.create_table(
        "counters",
        sa.Column("name", sa.String(length=128), nullable=False),
        sa.Column("labels", sa.String(length=512), nullable=False),
        sa.Column("value", sa.Double(), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name", "labels"),
    )
    op.add_column("notifications", sa.Column("counted", sa.Boolean(), server_default="false", nullable=False))
    op.create_index(
        "notifications_uncounted", "notifications", ["id"], unique=False, postgresql_where=sa.text("NOT counted")
    )
