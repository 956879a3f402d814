"""What the monitors remember between two polls."""

from sqlalchemy import BigInteger, Boolean, Column, Identity, Index, Integer, String, Table, Text
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.guests import Fault, GuestState
from instance_ha.models.health import HostState, ReportState
from instance_ha.store.schema.columns import Time, enum, metadata

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
    enum("state", HostState),
    Column("since", Time),
    Column("listed", Boolean, nullable=False),
    Column("suppressed", Boolean, nullable=False),
    enum("reported", ReportState),
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
    enum("state", GuestState),
    Column("misses", Integer, nullable=False),
    Column("since", Time),
    Column("ran", Boolean, nullable=False),
    enum("fault", Fault, nullable=True),
    Column("fault_since", Time),
    Column("fault_reported", Boolean, nullable=False),
    Column("muted_until", Time),
    Column("pinged_at", Time),
    Column("policy", JSONB, nullable=False),
    Column("policy_at", Time),
    Index("guest_health_host", "host_uuid"),
)
