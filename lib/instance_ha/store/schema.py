"""The tables. A row that is worked on has columns that make it its own outbox (docs/architecture.md, Work is rows)."""

from enum import StrEnum
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    DateTime,
    Double,
    Enum,
    ForeignKey,
    Identity,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)
from sqlalchemy.dialects.postgresql import ARRAY, JSONB

from instance_ha.models.enums import (
    Flow,
    NotificationStatus,
    NotificationType,
    RecoveryMethod,
    TaskState,
    VMoveStatus,
    VMoveStep,
)
from instance_ha.models.events import OutboxState
from instance_ha.models.evidence import EvidenceKind, LocalDisk, Verdict
from instance_ha.models.fencing import FenceOutcome, FencePolicy
from instance_ha.models.gates import ApprovalVerdict, Gate, GateVerdict, Mode, Scope
from instance_ha.models.guests import Fault, GuestState
from instance_ha.models.health import HostState, ReportState
from instance_ha.models.returns import ReturnPolicy, ReturnStatus

metadata = MetaData()
Time = DateTime(timezone=True)


def _row() -> list[Column[Any]]:
    return [
        Column("id", BigInteger, Identity(), primary_key=True),
        Column("created_at", Time, nullable=False),
        Column("updated_at", Time),
        Column("deleted_at", Time),
    ]


def _work() -> list[Column[Any]]:
    """Columns of a row that is worked on; a lease is a promise to check it again before it ends."""
    return [
        Column("attempt", Integer, nullable=False, server_default="0"),
        Column("tries", Integer, nullable=False, server_default="0"),
        Column("due_at", Time),
        Column("lease_until", Time),
        Column("lease_owner", String(36)),
    ]


def _values(members: type[StrEnum]) -> list[str]:
    return [member.value for member in members]


def _enum(name: str, kind: type[StrEnum], **about: Any) -> Column[Any]:
    """Make a column that holds the values of an enum and is read as its members; Postgres refuses any other text."""
    values = Enum(
        kind,
        name=f"{name}_known",
        length=36,
        native_enum=False,
        create_constraint=True,
        values_callable=_values,
    )
    return Column(name, values, **{"nullable": False} | about)


_GATES = ARRAY(Enum(Gate, native_enum=False, length=36, values_callable=_values), as_tuple=True)
LIVE = text("deleted_at IS NULL")

segments = Table(
    "failover_segments",
    metadata,
    *_row(),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("service_type", String(255), nullable=False),
    Column("enabled", Boolean, nullable=False, server_default="true"),
    Column("description", Text),
    _enum("recovery_method", RecoveryMethod),
    Index("segments_live_name", "name", unique=True, postgresql_where=LIVE),
    Index("segments_list", "created_at", "id", postgresql_where=LIVE),
)

hosts = Table(
    "hosts",
    metadata,
    *_row(),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("type", String(255), nullable=False),
    Column("control_attributes", Text, nullable=False),
    Column("reserved", Boolean, nullable=False, server_default="false"),
    Column("on_maintenance", Boolean, nullable=False, server_default="false"),
    Column("on_maintenance_for", String(36)),  # the notification whose recovery has put it there; null: an operator
    Column("failover_segment_id", String(36), ForeignKey("failover_segments.uuid"), nullable=False),
    Index("hosts_live_name", "name", unique=True, postgresql_where=LIVE),
    Index("hosts_list", "failover_segment_id", "created_at", "id", postgresql_where=LIVE),
)

notifications = Table(
    "notifications",
    metadata,
    *_row(),
    Column("notification_uuid", String(36), nullable=False, unique=True),
    Column("generated_time", Time, nullable=False),
    Column("source_host_uuid", String(36), nullable=False),
    _enum("type", NotificationType),
    Column("payload", JSONB, nullable=False),
    Column("instance_uuid", String(36)),
    _enum("status", NotificationStatus),
    Column("failover_segment_uuid", String(36)),
    Column("message", Text),
    Column("request_id", String(64)),
    Column("held_since", Time),
    Column("held_by", _GATES, nullable=False, server_default="{}"),
    Column("paused_until", Time),  # a pause has held it until then: its time to be done counts from there
    Column("admitted_at", Time),  # the gates have let it pass
    Column("slots_at", Time),  # its dispatcher would have begun evacuations then
    Column("proven_at", Time),  # its host was found dead
    Column("counted", Boolean, nullable=False, server_default="false"),  # its end is in `counters`
    *_work(),
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
    Index("notifications_instance", "instance_uuid", postgresql_where=text("type = 'VM'")),
    Index("notifications_held", "held_since", postgresql_where=text("held_since IS NOT NULL")),
    Index("notifications_admitted", "admitted_at", postgresql_where=text("admitted_at IS NOT NULL")),
    Index("notifications_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("notifications_host", "source_host_uuid", "type", "created_at"),
    Index("notifications_list", "created_at", "id", postgresql_where=LIVE),
    Index("notifications_status", "status", "created_at", "id", postgresql_where=LIVE),
    Index("notifications_generated", "generated_time", postgresql_where=LIVE),
    Index("notifications_uncounted", "id", postgresql_where=text("NOT counted")),
)

vmoves = Table(
    "vmoves",
    metadata,
    *_row(),
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
    _enum("status", VMoveStatus),
    Column("message", Text),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("position", Integer, nullable=False, server_default="0"),
    Column("target_host", String(255)),
    _enum("step", VMoveStep),
    Column("facts", JSONB, nullable=False),
    Column("last_migration_id", BigInteger, nullable=False, server_default="0"),
    Column("locked_by_us", Boolean, nullable=False, server_default="false"),
    Column("asked_at", Time),
    Column("moved_at", Time),
    Column("agent_at", Time),
    *_work(),
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
    *_row(),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("host_uuid", String(36), nullable=False),
    _enum("status", ReturnStatus),
    Column("move_home", Boolean, nullable=False),
    Column("actor", String(64)),
    Column("stopped_by", String(64)),
    Column("message", Text),
    Column("reports", JSONB),
    Column("begun_at", Time),
    Column("is_back", Boolean, nullable=False, server_default="false"),
    Column("is_planned", Boolean, nullable=False, server_default="false"),
    Column("ended_at", Time),
    *_work(),
    Index("returns_one_open", "host_uuid", unique=True, postgresql_where=text("status IN ('waiting', 'running')")),
    Index("returns_due", "due_at", postgresql_where=text("due_at IS NOT NULL")),
)

tasks = Table(
    "recovery_tasks",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("notification_uuid", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("position", Integer, nullable=False),
    _enum("flow", Flow, server_default=Flow.HOST_AUTO),
    Column("name", String(255), nullable=False),
    _enum("state", TaskState),
    Column("progress", Double, nullable=False, server_default="0"),
    Column("details", JSONB, nullable=False, server_default=text("'[]'::jsonb")),
    Column("data", JSONB, nullable=False, server_default=text("'{}'::jsonb")),
    Index("recovery_tasks_order", "notification_uuid", "attempt", "position", unique=True),
)

evidence = Table(  # what was seen of hosts when it mattered whether they are dead: added, read, made to count longer
    "evidence",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("host_uuid", String(36), nullable=False),
    _enum("kind", EvidenceKind),
    _enum("verdict", Verdict),
    Column("source", String(255), nullable=False),
    Column("seen_at", Time, nullable=False),
    Column("valid_until", Time, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("actor", String(64)),
    Column("notification_uuid", String(36)),
    Index("evidence_once", "host_uuid", "kind", "source", "seen_at", unique=True),
    Index("evidence_fresh", "host_uuid", "valid_until"),
    Index("evidence_notification", "notification_uuid", "kind"),
    Index("evidence_old", "valid_until", "id"),
)

segment_policies = Table(  # of the segments whose policy was ever changed
    "segment_policies",
    metadata,
    Column("id", BigInteger, Identity(), nullable=False, unique=True),
    Column("segment_uuid", String(36), primary_key=True),
    Column("dead_when", JSONB, nullable=False, server_default=text("""'[["service_down"]]'::jsonb""")),
    _enum("local_disk", LocalDisk, server_default=LocalDisk.EVACUATE),
    _enum("fence", FencePolicy, server_default=FencePolicy.NEVER),
    _enum("mode", Mode, server_default=Mode.AUTO),
    _enum("returns", ReturnPolicy, server_default=ReturnPolicy.MANUAL),
    Column("updated_at", Time, nullable=False),
    Column("actor", String(64)),
)

fence_attempts = Table(  # rungs of ladders that recoveries have tried
    "fence_attempts",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("notification_uuid", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    Column("round", Integer, nullable=False, server_default="1"),
    Column("host_uuid", String(36), nullable=False),
    Column("position", Integer, nullable=False),
    Column("method", String(36), nullable=False),
    Column("address", String(1024), nullable=False),
    Column("begun_at", Time, nullable=False),
    Column("asked_at", Time, nullable=False),
    Column("answer", Text),
    Column("ended_at", Time),
    _enum("outcome", FenceOutcome, nullable=True),
    Column("reason", Text),
    Index("fence_attempts_order", "notification_uuid", "attempt", "round", "position", unique=True),
    Index("fence_attempts_of_host", "host_uuid", "id"),
    # No host is fenced in two ways at once.
    Index("fence_attempts_one_at_a_time", "host_uuid", unique=True, postgresql_where=text("outcome IS NULL")),
)

pauses = Table(
    "pauses",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("created_at", Time, nullable=False),
    _enum("scope", Scope),
    Column("segment_uuid", String(36)),
    Column("host_uuid", String(36)),
    Column("reason", String(255), nullable=False),
    Column("until", Time, nullable=False),
    Column("actor", String(64)),
    Column("ended_at", Time),
    Column("ended_by", String(64)),
    Index("pauses_active", "until", postgresql_where=text("ended_at IS NULL")),
)

gate_decisions = Table(  # the decision log: added to and read, never changed
    "gate_decisions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("decided_at", Time, nullable=False),
    Column("notification_uuid", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    _enum("gate", Gate),
    _enum("verdict", GateVerdict),
    Column("saw", JSONB, nullable=False),
    Column("reason", Text),
    Index("gate_decisions_latest", "notification_uuid", "gate", "id"),
)

approvals = Table(  # what operators have said of recoveries that were held: added and read, never changed
    "approvals",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("created_at", Time, nullable=False),
    Column("notification_uuid", String(36), nullable=False),
    _enum("verdict", ApprovalVerdict),
    Column("gates", _GATES, nullable=False),
    Column("reason", String(255), nullable=False),
    Column("actor", String(64)),
    Index("approvals_notification", "notification_uuid", "id"),
)

readiness = Table(  # what each segment would survive, as it was found last
    "readiness",
    metadata,
    Column("segment_uuid", String(36), primary_key=True),
    Column("checked_at", Time, nullable=False),
    Column("survives", Integer),
    Column("reason", Text),
    Column("unfenceable", Integer, nullable=False),
    Column("unrecoverable", Integer, nullable=False),
    Column("hosts", JSONB, nullable=False),
    Column("trouble", Text),
    Column("since", Time),
)

throttle = Table(  # how many evacuations Nova can bear since it struggled, as a share of the usual number
    "throttle",
    metadata,
    Column("name", String(36), primary_key=True),
    Column("share", Double, nullable=False),
    Column("changed_at", Time, nullable=False),
)

# What is polled, and when next: one row for all hosts together ("hosts"), and one for the guests of each host.
watches = Table(
    "watches",
    metadata,
    Column("subject", String(64), primary_key=True),
    Column("due_at", Time, nullable=False),
    Column("owner", String(36)),
    Column("polled_at", Time),
    Index("watches_due", "due_at"),
)

host_health = Table(
    "host_health",
    metadata,
    Column("id", BigInteger, Identity(), nullable=False, unique=True),
    Column("host_uuid", String(36), primary_key=True),
    Column("samples", JSONB, nullable=False),
    _enum("state", HostState),
    Column("since", Time),
    Column("listed", Boolean, nullable=False),
    Column("suppressed", Boolean, nullable=False),
    _enum("reported", ReportState),
    Column("reported_at", Time),
    Column("answer", Text),
)

guest_health = Table(
    "guest_health",
    metadata,
    Column("id", BigInteger, Identity(), nullable=False, unique=True),
    Column("instance_uuid", String(36), primary_key=True),
    Column("host_uuid", String(36), nullable=False),
    Column("domain_id", Integer),
    _enum("state", GuestState),
    Column("misses", Integer, nullable=False),
    Column("since", Time),
    Column("ran", Boolean, nullable=False),
    _enum("fault", Fault, nullable=True),
    Column("fault_since", Time),
    Column("fault_reported", Boolean, nullable=False),
    Column("muted_until", Time),
    Column("pinged_at", Time),
    Column("policy", JSONB, nullable=False),
    Column("policy_at", Time),
    Index("guest_health_host", "host_uuid"),
)

PENDING = text("state = 'pending'")

outbox = Table(  # events: a row for each event and sink, written with the change that it tells of
    "outbox",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("created_at", Time, nullable=False),
    Column("event_id", String(36), nullable=False),
    Column("event_type", String(255), nullable=False),
    Column("subject", String(36), nullable=False),  # events about the same thing are sent in order
    Column("body", Text, nullable=False),
    Column("sink", String(63), nullable=False),
    _enum("state", OutboxState, server_default="pending"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Time),
    Column("done_at", Time),
    Column("reason", Text),
    Index("outbox_once", "event_id", "sink", unique=True),
    Index("outbox_pending", "sink", "id", postgresql_where=PENDING),
    Index("outbox_order", "sink", "subject", "id", postgresql_where=PENDING),
    Index("outbox_done", "done_at", "id", postgresql_where=text("done_at IS NOT NULL")),
)

sinks = Table(  # how each sink does, and who serves it
    "outbox_sinks",
    metadata,
    Column("name", String(63), primary_key=True),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("failing_since", Time),
    Column("reason", Text),
    Column("due_at", Time),
    Column("lease_until", Time),
    Column("lease_owner", String(36)),
)

purge_batches = Table(  # rows on their way to the archive: written down before they are sent, gone with them
    "purge_batches",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("created_at", Time, nullable=False),
    Column("table_name", String(63), nullable=False),
    Column("row_ids", ARRAY(BigInteger), nullable=False),
    Column("cutoff", Time, nullable=False),
    Column("lease_until", Time),
    Column("lease_owner", String(36)),
    Column("due_at", Time),
    Index("purge_batches_table", "table_name", "id"),
)

# What no row tells, and what rows told before they were purged: see models.metrics.
counters = Table(
    "counters",
    metadata,
    Column("name", String(128), primary_key=True),
    Column("labels", String(512), primary_key=True),
    Column("value", Double, nullable=False),
    Column("updated_at", Time, nullable=False),
)

imported_rows = Table(  # what `instance-ha import` has copied, as it was then; purge leaves it, lest rows come back
    "imported_rows",
    metadata,
    Column("table_name", String(63), primary_key=True),
    Column("uuid", String(36), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("imported_at", Time, nullable=False),
)
