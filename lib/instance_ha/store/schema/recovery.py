"""What a recovery is and does; its rows are the work that is to be done (docs/architecture.md, Work is rows)."""

from sqlalchemy import BigInteger, Boolean, Column, Double, Identity, Index, Integer, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.enums import Flow, NotificationStatus, NotificationType, TaskState, VMoveStatus, VMoveStep
from instance_ha.models.returns import ReturnStatus
from instance_ha.store.schema.columns import GATES, LIVE, Time, enum, metadata, row, work

_OPEN, _FINAL = "status IN ('new', 'running', 'error')", "status IN ('finished', 'failed', 'ignored')"

notifications = Table(
    "notifications",
    metadata,
    *row(),
    Column("notification_uuid", String(36), nullable=False, unique=True),
    Column("generated_time", Time, nullable=False),
    Column("source_host_uuid", String(36), nullable=False),
    enum("type", NotificationType),
    Column("payload", JSONB, nullable=False),
    Column("instance_uuid", String(36)),
    enum("status", NotificationStatus),
    Column("failover_segment_uuid", String(36)),
    Column("message", Text),
    Column("request_id", String(64)),
    Column("held_since", Time),
    Column("held_by", GATES, nullable=False, server_default="{}"),
    Column("paused_until", Time),  # a pause has held it until then: its time to be done counts from there
    Column("admitted_at", Time),  # the gates have let it pass
    Column("slots_at", Time),  # its dispatcher would have begun evacuations then
    Column("proven_at", Time),  # its host was found dead
    Column("counted", Boolean, nullable=False, server_default="false"),  # its end is in `counters`
    *work(),
    # The promises that at most one recovery acts on a host, or on an instance, at a time are kept by the database.
    Index(
        "notifications_one_running",
        "source_host_uuid",
        unique=True,
        postgresql_where=text("status = 'running' AND type <> 'VM'"),
    ),
    Index(
        "notifications_one_running_instance",
        "instance_uuid",
        unique=True,
        postgresql_where=text("status = 'running' AND type = 'VM'"),
    ),
    # Of what is open, or at work, there is little: what is often asked needs nothing else.
    Index("notifications_open", "source_host_uuid", "instance_uuid", postgresql_where=text(f"{_OPEN} AND {LIVE}")),
    Index("notifications_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),  # sweep
    Index("notifications_held", "held_since", postgresql_where=text("held_since IS NOT NULL")),  # pauses, approvals
    # Of all that has been, a part: what has been reported about a host or an instance, and what the gates count.
    Index("notifications_host", "source_host_uuid", "type", "created_at"),
    Index("notifications_instance", "instance_uuid", postgresql_where=text("type = 'VM'")),
    Index("notifications_admitted", "admitted_at", postgresql_where=text("admitted_at IS NOT NULL")),
    # Lists: in their order, with one status, since a time. The last one finds equal reports, too.
    Index("notifications_list", "created_at", "id", postgresql_where=LIVE),
    Index("notifications_status", "status", "created_at", "id", postgresql_where=LIVE),
    Index("notifications_generated", "generated_time", "source_host_uuid", "type", postgresql_where=LIVE),
    # What has ended: lately, for the overview; and what no counter has yet.
    Index(
        "notifications_ended",
        text("coalesce(updated_at, created_at)"),
        "id",
        postgresql_where=text(f"{_FINAL} AND {LIVE}"),
    ),
    Index("notifications_uncounted", "id", postgresql_where=text(f"NOT counted AND {_FINAL}")),
)

tasks = Table(
    "recovery_tasks",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("notification_uuid", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    enum("flow", Flow, server_default=Flow.HOST_AUTO),
    Column("name", String(255), nullable=False),
    enum("state", TaskState),
    Column("progress", Double, nullable=False, server_default="0"),
    Column("details", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("data", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Index("recovery_tasks_order", "notification_uuid", "attempt", "position", unique=True),
)

vmoves = Table(
    "vmoves",
    metadata,
    *row(),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("notification_uuid", String(36), nullable=False),
    Column("instance_uuid", String(36), nullable=False),
    Column("instance_name", String(255), nullable=False),
    Column("source_host", String(255), nullable=False),
    Column("dest_host", String(255)),
    Column("failed_host", String(255)),
    Column("start_time", Time),
    Column("end_time", Time),
    Column("type", String(36), nullable=False, server_default="evacuation"),
    enum("status", VMoveStatus),
    Column("message", Text),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("target_host", String(255)),
    enum("step", VMoveStep),
    Column("facts", JSONB, nullable=False),
    Column("last_migration_id", BigInteger, nullable=False, server_default="0"),
    Column("locked_by_us", Boolean, nullable=False, server_default="false"),
    Column("asked_at", Time),
    Column("moved_at", Time),
    Column("agent_at", Time),
    *work(),
    Index("vmoves_once", "notification_uuid", "attempt", "round", "instance_uuid", unique=True),
    Index(
        "vmoves_open",
        "notification_uuid",
        "position",
        postgresql_where=text("status IN ('pending', 'ongoing')"),
    ),
    Index("vmoves_instance", "instance_uuid", "id"),
    Index("vmoves_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("vmoves_list", "notification_uuid", "created_at", "id", postgresql_where=LIVE),
)

returns = Table(
    "returns",
    metadata,
    *row(),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("host_uuid", String(36), nullable=False),
    enum("status", ReturnStatus),
    Column("move_home", Boolean, nullable=False),
    Column("actor", String(330)),
    Column("stopped_by", String(330)),
    Column("message", Text),
    Column("reports", JSONB),
    Column("begun_at", Time),
    Column("is_back", Boolean, nullable=False, server_default="false"),
    Column("is_planned", Boolean, nullable=False, server_default="false"),
    Column("ended_at", Time),
    *work(),
    Index("returns_one_open", "host_uuid", unique=True, postgresql_where=text("status IN ('waiting', 'running')")),
    Index("returns_host", "host_uuid", "id"),
    Index("returns_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

throttle = Table(  # how many evacuations Nova can bear since it struggled, as a share of the usual number
    "throttle",
    metadata,
    Column("name", String(36), primary_key=True),
    Column("share", Double, nullable=False),
    Column("changed_at", Time, nullable=False),
)
