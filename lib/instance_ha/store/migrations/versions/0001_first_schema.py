"""The first schema."""

import sqlalchemy as sa
from alembic import op
from sqlalchemy.dialects import postgresql

revision = "0001"
down_revision = None


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
    op.create_table(
        "evidence",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("host_uuid", sa.String(length=36), nullable=False),
        sa.Column(
            "kind",
            sa.Enum(
                "service_down",
                "reported",
                "networks",
                "node",
                "libvirt",
                "power_off",
                "confirmed",
                "external",
                name="kind_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column(
            "verdict",
            sa.Enum(
                "dead", "alive", "unknown", name="verdict_known", native_enum=False, create_constraint=True, length=36
            ),
            nullable=False,
        ),
        sa.Column("source", sa.String(length=255), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("valid_until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("detail", postgresql.JSONB(), nullable=False),
        sa.Column("actor", sa.String(length=330), nullable=True),
        sa.Column("notification_uuid", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("evidence_once", "evidence", ["host_uuid", "kind", "source", "seen_at"], unique=True)
    op.create_index("evidence_notification", "evidence", ["notification_uuid", "kind"], unique=False)
    op.create_index("evidence_fresh", "evidence", ["host_uuid", "valid_until"], unique=False)
    op.create_index("evidence_old", "evidence", ["valid_until", "id"], unique=False)
    op.create_table(
        "segment_policies",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("segment_uuid", sa.String(length=36), nullable=False),
        sa.Column(
            "dead_when",
            postgresql.JSONB(),
            server_default=sa.text("""'[["service_down"]]'::jsonb"""),
            nullable=False,
        ),
        sa.Column(
            "local_disk",
            sa.Enum(
                "evacuate",
                "leave",
                "hold",
                name="local_disk_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            server_default="evacuate",
            nullable=False,
        ),
        sa.Column(
            "fence",
            sa.Enum(
                "never",
                "if_possible",
                "required",
                name="fence_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            server_default="never",
            nullable=False,
        ),
        sa.Column(
            "mode",
            sa.Enum(
                "observe",
                "approve",
                "auto",
                name="mode_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            server_default="auto",
            nullable=False,
        ),
        sa.Column(
            "returns",
            sa.Enum(
                "manual",
                "auto",
                "never",
                name="returns_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            server_default="manual",
            nullable=False,
        ),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=330), nullable=True),
        sa.PrimaryKeyConstraint("segment_uuid"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "returns",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("host_uuid", sa.String(length=36), nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "waiting",
                "running",
                "finished",
                "stopped",
                "failed",
                name="status_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("move_home", sa.Boolean(), nullable=False),
        sa.Column("actor", sa.String(length=330), nullable=True),
        sa.Column("stopped_by", sa.String(length=330), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("reports", postgresql.JSONB(), nullable=True),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("is_back", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("is_planned", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(
        "returns_one_open",
        "returns",
        ["host_uuid"],
        unique=True,
        postgresql_where=sa.text("status IN ('waiting', 'running')"),
    )
    op.create_index("returns_host", "returns", ["host_uuid", "id"], unique=False)
    op.create_index("returns_due", "returns", ["due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_table(
        "pauses",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column(
            "scope",
            sa.Enum(
                "cloud",
                "segment",
                "host",
                name="scope_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("segment_uuid", sa.String(length=36), nullable=True),
        sa.Column("host_uuid", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=False),
        sa.Column("actor", sa.String(length=330), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=330), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index("pauses_active", "pauses", ["until"], unique=False, postgresql_where=sa.text("ended_at IS NULL"))
    op.create_table(
        "gate_decisions",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notification_uuid", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column(
            "gate",
            sa.Enum(
                "pause",
                "approval",
                "storm_segment",
                "storm_cloud",
                "rate",
                "flapping",
                "cloud_health",
                "peers",
                "capacity",
                name="gate_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column(
            "verdict",
            sa.Enum(
                "open",
                "held",
                "approved",
                name="verdict_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("saw", postgresql.JSONB(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("gate_decisions_latest", "gate_decisions", ["notification_uuid", "gate", "id"], unique=False)
    op.create_table(
        "approvals",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("notification_uuid", sa.String(length=36), nullable=False),
        sa.Column(
            "verdict",
            sa.Enum(
                "approve",
                "deny",
                name="verdict_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("gates", postgresql.ARRAY(sa.String(length=36)), nullable=False),
        sa.Column("reason", sa.String(length=255), nullable=False),
        sa.Column("actor", sa.String(length=330), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("approvals_notification", "approvals", ["notification_uuid", "id"], unique=False)
    op.create_table(
        "fence_attempts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("notification_uuid", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("round", sa.Integer(), server_default="1", nullable=False),
        sa.Column("host_uuid", sa.String(length=36), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("method", sa.String(length=36), nullable=False),
        sa.Column("address", sa.String(length=1024), nullable=False),
        sa.Column("begun_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column(
            "outcome",
            sa.Enum("off", "failed", name="outcome_known", native_enum=False, create_constraint=True, length=36),
            nullable=True,
        ),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "fence_attempts_order",
        "fence_attempts",
        ["notification_uuid", "attempt", "round", "position"],
        unique=True,
    )
    op.create_index("fence_attempts_of_host", "fence_attempts", ["host_uuid", "id"], unique=False)
    op.create_index(
        "fence_attempts_one_at_a_time",
        "fence_attempts",
        ["host_uuid"],
        unique=True,
        postgresql_where=sa.text("outcome IS NULL"),
    )
    op.create_table(
        "failover_segments",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("service_type", sa.String(length=255), nullable=False),
        sa.Column("enabled", sa.Boolean(), server_default="true", nullable=False),
        sa.Column("description", sa.Text(), nullable=True),
        sa.Column(
            "recovery_method",
            sa.Enum(
                "auto",
                "reserved_host",
                "auto_priority",
                "rh_priority",
                name="recovery_method_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(
        "segments_list",
        "failover_segments",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "segments_live_name", "failover_segments", ["name"], unique=True, postgresql_where=sa.text("deleted_at IS NULL")
    )
    op.create_table(
        "guest_health",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("instance_uuid", sa.String(length=36), nullable=False),
        sa.Column("host_uuid", sa.String(length=36), nullable=False),
        sa.Column("domain_id", sa.Integer(), nullable=True),
        sa.Column(
            "state",
            sa.Enum(
                "discovery",
                "healthy",
                "error",
                "reported",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("misses", sa.Integer(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ran", sa.Boolean(), nullable=False),
        sa.Column(
            "fault",
            sa.Enum("failed", "io-error", name="fault_known", native_enum=False, create_constraint=True, length=36),
            nullable=True,
        ),
        sa.Column("fault_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("fault_reported", sa.Boolean(), nullable=False),
        sa.Column("muted_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pinged_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("policy", postgresql.JSONB(), nullable=False),
        sa.Column("policy_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("instance_uuid"),
        sa.UniqueConstraint("id"),
    )
    op.create_index("guest_health_host", "guest_health", ["host_uuid"], unique=False)
    op.create_table(
        "host_health",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("host_uuid", sa.String(length=36), nullable=False),
        sa.Column("samples", postgresql.JSONB(), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "up",
                "down",
                "degraded",
                "unknown",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("listed", sa.Boolean(), nullable=False),
        sa.Column("suppressed", sa.Boolean(), nullable=False),
        sa.Column(
            "reported",
            sa.Enum(
                "nothing",
                "stopped",
                "duplicate",
                "started",
                "stopped before",
                name="reported_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("host_uuid"),
        sa.UniqueConstraint("id"),
    )
    op.create_table(
        "imported_rows",
        sa.Column("table_name", sa.String(length=63), nullable=False),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("fingerprint", sa.String(length=64), nullable=False),
        sa.Column("imported_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("table_name", "uuid"),
    )
    op.create_table(
        "notifications",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("notification_uuid", sa.String(length=36), nullable=False),
        sa.Column("generated_time", sa.DateTime(timezone=True), nullable=False),
        sa.Column("source_host_uuid", sa.String(length=36), nullable=False),
        sa.Column(
            "type",
            sa.Enum(
                "COMPUTE_HOST", "VM", "PROCESS", name="type_known", native_enum=False, create_constraint=True, length=36
            ),
            nullable=False,
        ),
        sa.Column("payload", postgresql.JSONB(), nullable=False),
        sa.Column("instance_uuid", sa.String(length=36), nullable=True),
        sa.Column(
            "status",
            sa.Enum(
                "new",
                "running",
                "error",
                "failed",
                "ignored",
                "finished",
                name="status_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("failover_segment_uuid", sa.String(length=36), nullable=True),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("request_id", sa.String(length=64), nullable=True),
        sa.Column("held_since", sa.DateTime(timezone=True), nullable=True),
        sa.Column("held_by", postgresql.ARRAY(sa.String(length=36)), server_default="{}", nullable=False),
        sa.Column("paused_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("admitted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("slots_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("proven_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("counted", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("notification_uuid"),
    )
    op.create_index(
        "notifications_due", "notifications", ["due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(
        "notifications_generated",
        "notifications",
        ["generated_time", "source_host_uuid", "type"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "notifications_held",
        "notifications",
        ["held_since"],
        unique=False,
        postgresql_where=sa.text("held_since IS NOT NULL"),
    )
    op.create_index(
        "notifications_admitted",
        "notifications",
        ["admitted_at"],
        unique=False,
        postgresql_where=sa.text("admitted_at IS NOT NULL"),
    )
    op.create_index("notifications_host", "notifications", ["source_host_uuid", "type", "created_at"], unique=False)
    op.create_index(
        "notifications_instance",
        "notifications",
        ["instance_uuid"],
        unique=False,
        postgresql_where=sa.text("type = 'VM'"),
    )
    op.create_index(
        "notifications_list",
        "notifications",
        ["created_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "notifications_open",
        "notifications",
        ["source_host_uuid", "instance_uuid"],
        unique=False,
        postgresql_where=sa.text("status IN ('new', 'running', 'error') AND deleted_at IS NULL"),
    )
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
        ["instance_uuid"],
        unique=True,
        postgresql_where=sa.text("status = 'running' AND type = 'VM'"),
    )
    op.create_index(
        "notifications_status",
        "notifications",
        ["status", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index(
        "notifications_ended",
        "notifications",
        [sa.literal_column("coalesce(updated_at, created_at)"), "id"],
        unique=False,
        postgresql_where=sa.text("status IN ('finished', 'failed', 'ignored') AND deleted_at IS NULL"),
    )
    op.create_index(
        "notifications_uncounted",
        "notifications",
        ["id"],
        unique=False,
        postgresql_where=sa.text("NOT counted AND status IN ('finished', 'failed', 'ignored')"),
    )
    op.create_table(
        "outbox",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("event_type", sa.String(length=255), nullable=False),
        sa.Column("subject", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sink", sa.String(length=63), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "pending",
                "waiting",
                "sent",
                "dead",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            server_default="pending",
            nullable=False,
        ),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index(
        "outbox_done", "outbox", ["done_at", "id"], unique=False, postgresql_where=sa.text("done_at IS NOT NULL")
    )
    op.create_index("outbox_once", "outbox", ["event_id", "sink"], unique=True)
    op.create_index("outbox_dead", "outbox", ["sink"], unique=False, postgresql_where=sa.text("state = 'dead'"))
    op.create_index(
        "outbox_due", "outbox", ["sink", "due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL")
    )
    op.create_index(
        "outbox_open", "outbox", ["sink", "created_at"], unique=False, postgresql_where=sa.text("done_at IS NULL")
    )
    op.create_index(
        "outbox_order", "outbox", ["sink", "subject", "id"], unique=False, postgresql_where=sa.text("state = 'waiting'")
    )
    op.create_index(
        "outbox_pending", "outbox", ["sink", "id"], unique=False, postgresql_where=sa.text("state = 'pending'")
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
    op.create_table(
        "recovery_tasks",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("notification_uuid", sa.String(length=36), nullable=False),
        sa.Column("attempt", sa.Integer(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column(
            "flow",
            sa.Enum(
                "host_auto_failure_recovery_tasks",
                "host_rh_failure_recovery_tasks",
                "instance_failure_recovery_tasks",
                "process_failure_recovery_tasks",
                name="flow_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            server_default="host_auto_failure_recovery_tasks",
            nullable=False,
        ),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column(
            "state",
            sa.Enum(
                "PENDING",
                "RUNNING",
                "SUCCESS",
                "FAILURE",
                name="state_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("progress", sa.Double(), server_default="0", nullable=False),
        sa.Column("details", postgresql.JSONB(), server_default=sa.text("'[]'::jsonb"), nullable=False),
        sa.Column("data", postgresql.JSONB(), server_default=sa.text("'{}'::jsonb"), nullable=False),
        sa.PrimaryKeyConstraint("id"),
    )
    op.create_index("recovery_tasks_order", "recovery_tasks", ["notification_uuid", "attempt", "position"], unique=True)
    op.create_table(
        "vmoves",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("notification_uuid", sa.String(length=36), nullable=False),
        sa.Column("instance_uuid", sa.String(length=36), nullable=False),
        sa.Column("instance_name", sa.String(length=255), nullable=False),
        sa.Column("source_host", sa.String(length=255), nullable=False),
        sa.Column("dest_host", sa.String(length=255), nullable=True),
        sa.Column("failed_host", sa.String(length=255), nullable=True),
        sa.Column("start_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("end_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("type", sa.String(length=36), server_default="evacuation", nullable=False),
        sa.Column(
            "status",
            sa.Enum(
                "pending",
                "ongoing",
                "ignored",
                "failed",
                "succeeded",
                name="status_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("message", sa.Text(), nullable=True),
        sa.Column("round", sa.Integer(), server_default="1", nullable=False),
        sa.Column("position", sa.Integer(), server_default="0", nullable=False),
        sa.Column("target_host", sa.String(length=255), nullable=True),
        sa.Column(
            "step",
            sa.Enum(
                "start",
                "asking",
                "watched",
                "settle",
                name="step_known",
                native_enum=False,
                create_constraint=True,
                length=36,
            ),
            nullable=False,
        ),
        sa.Column("facts", postgresql.JSONB(), nullable=False),
        sa.Column("last_migration_id", sa.BigInteger(), server_default="0", nullable=False),
        sa.Column("locked_by_us", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("moved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("agent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("attempt", sa.Integer(), server_default="0", nullable=False),
        sa.Column("tries", sa.Integer(), server_default="0", nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("lease_owner", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index("vmoves_instance", "vmoves", ["instance_uuid", "id"], unique=False)
    op.create_index("vmoves_due", "vmoves", ["due_at"], unique=False, postgresql_where=sa.text("due_at IS NOT NULL"))
    op.create_index(
        "vmoves_list",
        "vmoves",
        ["notification_uuid", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("vmoves_once", "vmoves", ["notification_uuid", "attempt", "round", "instance_uuid"], unique=True)
    op.create_index(
        "vmoves_open",
        "vmoves",
        ["notification_uuid", "position"],
        unique=False,
        postgresql_where=sa.text("status IN ('pending', 'ongoing')"),
    )
    op.create_table(
        "readiness",
        sa.Column("segment_uuid", sa.String(length=36), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("survives", sa.Integer(), nullable=True),
        sa.Column("known_survives", sa.Integer(), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.Column("unfenceable", sa.Integer(), nullable=False),
        sa.Column("unrecoverable", sa.Integer(), nullable=False),
        sa.Column("hosts", postgresql.JSONB(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("segment_uuid"),
    )
    op.create_table(
        "throttle",
        sa.Column("name", sa.String(length=36), nullable=False),
        sa.Column("share", sa.Double(), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "watches",
        sa.Column("subject", sa.String(length=64), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("owner", sa.String(length=36), nullable=True),
        sa.Column("polled_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("subject"),
    )
    op.create_index("watches_due", "watches", ["due_at"], unique=False)
    op.create_table(
        "hosts",
        sa.Column("id", sa.BigInteger(), sa.Identity(always=False), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("updated_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("deleted_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("uuid", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=255), nullable=False),
        sa.Column("type", sa.String(length=255), nullable=False),
        sa.Column("control_attributes", sa.Text(), nullable=False),
        sa.Column("reserved", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("on_maintenance", sa.Boolean(), server_default="false", nullable=False),
        sa.Column("on_maintenance_for", sa.String(length=36), nullable=True),
        sa.Column("failover_segment_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(
            ["failover_segment_id"],
            ["failover_segments.uuid"],
        ),
        sa.PrimaryKeyConstraint("id"),
        sa.UniqueConstraint("uuid"),
    )
    op.create_index(
        "hosts_list",
        "hosts",
        ["failover_segment_id", "created_at", "id"],
        unique=False,
        postgresql_where=sa.text("deleted_at IS NULL"),
    )
    op.create_index("hosts_live_name", "hosts", ["name"], unique=True, postgresql_where=sa.text("deleted_at IS NULL"))
