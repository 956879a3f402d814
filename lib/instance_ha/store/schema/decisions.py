"""What recoveries are decided by: evidence, fences, gates, pauses, approvals, readiness."""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.evidence import EvidenceKind, Verdict
from instance_ha.models.fencing import FenceOutcome
from instance_ha.models.gates import ApprovalVerdict, Gate, GateVerdict, Scope
from instance_ha.store.schema.columns import GATES, Time, enum, metadata

evidence = Table(  # what was seen of hosts when it mattered whether they are dead: added, read, made to count longer
    "evidence",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("host_uuid", String(36), nullable=False),
    enum("kind", EvidenceKind),
    enum("verdict", Verdict),
    Column("source", String(255), nullable=False),
    Column("seen_at", Time, nullable=False),
    Column("valid_until", Time, nullable=False),
    Column("detail", JSONB, nullable=False),
    Column("actor", String(330)),
    Column("notification_uuid", String(36)),
    Index("evidence_once", "host_uuid", "kind", "source", "seen_at", unique=True),
    Index("evidence_fresh", "host_uuid", "valid_until"),
    Index("evidence_notification", "notification_uuid", "kind"),
    Index("evidence_old", "valid_until", "id"),
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
    enum("outcome", FenceOutcome, nullable=True),
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
    enum("scope", Scope),
    Column("segment_uuid", String(36)),
    Column("host_uuid", String(36)),
    Column("reason", String(255), nullable=False),
    Column("until", Time, nullable=False),
    Column("actor", String(330)),
    Column("ended_at", Time),
    Column("ended_by", String(330)),
    Index("pauses_active", "until", postgresql_where=text("ended_at IS NULL")),
)

gate_decisions = Table(  # the decision log: added to and read, never changed
    "gate_decisions",
    metadata,
    Column("id", BigInteger, Identity(), primary_key=True),
    Column("decided_at", Time, nullable=False),
    Column("notification_uuid", String(36), nullable=False),
    Column("attempt", Integer, nullable=False),
    enum("gate", Gate),
    enum("verdict", GateVerdict),
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
    enum("verdict", ApprovalVerdict),
    Column("gates", GATES, nullable=False),
    Column("reason", String(255), nullable=False),
    Column("actor", String(330)),
    Index("approvals_notification", "notification_uuid", "id"),
)

readiness = Table(  # what each segment would survive, as it was found last
    "readiness",
    metadata,
    Column("segment_uuid", String(36), primary_key=True),
    Column("checked_at", Time, nullable=False),
    Column("survives", Integer),
    Column("known_survives", Integer),  # when that was known last
    Column("reason", Text),
    Column("unfenceable", Integer, nullable=False),
    Column("unrecoverable", Integer, nullable=False),
    Column("hosts", JSONB, nullable=False),
    Column("trouble", Text),
    Column("since", Time),
)
