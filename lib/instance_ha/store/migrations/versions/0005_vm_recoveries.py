"""Instances of one host are recovered side by side."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    """Apply."""
    op.drop_index("notifications_one_running", table_name="notifications")
    op.create_index(
        "notifications_one_running",
        "notifications",
        ["source_host_uuid"],
        unique=True,
        postgresql_where=sa.text("status = 'running' AND type <> 'VM'"),
    )
    op.create_index(
        "notifications_one_running_instance",
        "notifications",
        [sa.text("lower(replace(payload ->> 'instance_uuid', '-', ''))")],
        unique=True,
        postgresql_where=sa.text("status = 'running' AND type = 'VM'"),
    )
