"""What is protected: segments, their hosts, and what is set for each segment."""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Identity, Index, String, Table, Text, text
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.enums import RecoveryMethod
from instance_ha.models.evidence import LocalDisk
from instance_ha.models.fencing import FencePolicy
from instance_ha.models.gates import Mode
from instance_ha.models.returns import ReturnPolicy
from instance_ha.store.schema.columns import LIVE, Time, enum, metadata, row

segments = Table(
    "failover_segments",
    metadata,
    *row(),
    Column("uuid", String(36), nullable=False, unique=True),
    Column("name", String(255), nullable=False),
    Column("service_type", String(255), nullable=False),
    Column("enabled", Boolean, nullable=False, server_default="true"),
    Column("description", Text),
    enum("recovery_method", RecoveryMethod),
    Index("segments_live_name", "name", unique=True, postgresql_where=LIVE),
    Index("segments_list", "created_at", "id", postgresql_where=LIVE),
)

hosts = Table(
    "hosts",
    metadata,
    *row(),
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

segment_policies = Table(  # of the segments whose policy was ever changed
    "segment_policies",
    metadata,
    Column("id", BigInteger, Identity(), nullable=False, unique=True),
    Column("segment_uuid", String(36), primary_key=True),
    Column("dead_when", JSONB, nullable=False, server_default=text("""'[["service_down"]]'::jsonb""")),
    enum("local_disk", LocalDisk, server_default=LocalDisk.EVACUATE),
    enum("fence", FencePolicy, server_default=FencePolicy.NEVER),
    enum("mode", Mode, server_default=Mode.AUTO),
    enum("returns", ReturnPolicy, server_default=ReturnPolicy.MANUAL),
    Column("updated_at", Time, nullable=False),
    Column("actor", String(330)),
)
