"""Recovery methods with several flows: rounds and targets of vmoves, the flow of a task."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def upgrade() -> None:
    """Apply."""
    op.add_column("vmoves", sa.Column("round", sa.Integer(), server_default="1", nullable=False))
    op.add_column("vmoves", sa.Column("target_host", sa.String(length=255), nullable=True))
    op.drop_index("vmoves_once", table_name="vmoves")
    op.create_index("vmoves_once", "vmoves", ["notification_uuid", "attempt", "round", "instance_uuid"], unique=True)
    op.add_column(
        "recovery_tasks",
        sa.Column("flow", sa.String(length=64), server_default="host_auto_failure_recovery_tasks", nullable=False),
    )
