"""Events on their way to their sinks."""

from sqlalchemy import BigInteger, Column, Identity, Index, Integer, String, Table, Text, text

from instance_ha.models.events import OutboxState
from instance_ha.store.schema.columns import Time, enum, metadata

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
    enum("state", OutboxState, server_default="pending"),
    Column("tries", Integer, nullable=False, server_default="0"),
    Column("due_at", Time),  # when one that was refused is sent again
    Column("done_at", Time),
    Column("reason", Text),
    Index("outbox_once", "event_id", "sink", unique=True),
    Index("outbox_pending", "sink", "id", postgresql_where=text("state = 'pending'")),
    Index("outbox_due", "sink", "due_at", postgresql_where=text("due_at IS NOT NULL")),
    Index("outbox_order", "sink", "subject", "id", postgresql_where=text("state = 'waiting'")),
    Index("outbox_open", "sink", "created_at", postgresql_where=text("done_at IS NULL")),
    Index("outbox_dead", "sink", postgresql_where=text("state = 'dead'")),
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
