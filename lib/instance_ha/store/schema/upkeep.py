"""What purge, metrics and import remember."""

from sqlalchemy import BigInteger, Column, Double, Identity, Index, String, Table
from sqlalchemy.dialects.postgresql import ARRAY

from instance_ha.store.schema.columns import Time, metadata

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

# What no row tells, and what rows told before they were purged: see models.metric.
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
