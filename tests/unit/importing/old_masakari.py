"""A database as Masakari's own release has it, on any server, and rows in it."""

from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import (
    Boolean,
    Column,
    DateTime,
    Enum,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
    create_engine,
    insert,
    update,
)
from sqlalchemy.pool import NullPool

metadata = MetaData()
WHEN = datetime(2024, 5, 1, 12, 0, 0)  # noqa: DTZ001
METHODS = ("auto", "reserved_host", "auto_priority", "rh_priority")
STATUSES = ("new", "running", "error", "failed", "ignored", "finished")


def _common() -> list[Column[Any]]:
    times = [Column(name, DateTime) for name in ("created_at", "updated_at", "deleted_at")]
    return [*times, Column("deleted", Integer), Column("id", Integer, primary_key=True, autoincrement=True)]


SEGMENTS = Table(
    "failover_segments",
    metadata,
    *_common(),
    Column("uuid", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("service_type", String(255), nullable=False),
    Column("enabled", Boolean),
    Column("description", Text),
    Column("recovery_method", Enum(*METHODS, name="recovery_methods"), nullable=False),
    UniqueConstraint("name", "deleted", name="uniq_segment0name0deleted"),
    UniqueConstraint("uuid", name="uniq_segments0uuid"),
    Index("segments_service_type_idx", "service_type"),
)
HOSTS = Table(
    "hosts",
    metadata,
    *_common(),
    Column("uuid", String(36), nullable=False),
    Column("name", String(255), nullable=False),
    Column("reserved", Boolean),
    Column("type", String(255), nullable=False),
    Column("control_attributes", Text, nullable=False),
    Column("on_maintenance", Boolean),
    Column("failover_segment_id", String(36), ForeignKey("failover_segments.uuid"), nullable=False),
    UniqueConstraint("name", "deleted", name="uniq_host0name0deleted"),
    UniqueConstraint("uuid", name="uniq_host0uuid"),
    Index("hosts_type_idx", "type"),
)
NOTIFICATIONS = Table(
    "notifications",
    metadata,
    *_common(),
    Column("notification_uuid", String(36), nullable=False),
    Column("generated_time", DateTime, nullable=False),
    Column("source_host_uuid", String(36), nullable=False),
    Column("type", String(36), nullable=False),
    Column("payload", Text),
    Column("status", Enum(*STATUSES, name="notification_status"), nullable=False),
    Column("failover_segment_uuid", String(36)),
    Column("message", Text),
    UniqueConstraint("notification_uuid", name="uniq_notification0uuid"),
)
VMOVES = Table(
    "vmoves",
    metadata,
    *_common(),
    Column("uuid", String(36), nullable=False),
    Column("notification_uuid", String(36), nullable=False),
    Column("instance_uuid", String(36), nullable=False),
    Column("instance_name", String(255), nullable=False),
    Column("source_host", String(255)),
    Column("dest_host", String(255)),
    Column("start_time", DateTime),
    Column("end_time", DateTime),
    Column("type", String(36)),
    Column("status", String(255)),
    Column("message", Text),
    UniqueConstraint("uuid", name="uniq_vmove0uuid"),
)


class OldMasakari:
    """What its API and engine would have written."""

    def __init__(self, url: str, driver_url: Any) -> None:
        self.url = url
        self._engine = create_engine(driver_url, poolclass=NullPool)
        metadata.create_all(self._engine)

    def add(self, table: Table, **values: Any) -> dict[str, Any]:
        """Insert a live row."""
        key = "notification_uuid" if table is NOTIFICATIONS else "uuid"
        row = {"created_at": WHEN, "deleted": 0, key: str(uuid4()), **values}
        with self._engine.begin() as connection:
            connection.execute(insert(table).values(**row))
        return row

    def change(self, table: Table, uuid: str, **values: Any) -> None:
        """Update a row."""
        key = table.c["notification_uuid" if table is NOTIFICATIONS else "uuid"]
        with self._engine.begin() as connection:
            connection.execute(update(table).where(key == uuid).values(**values))

    def segment(self, **values: Any) -> dict[str, Any]:
        """Add a segment."""
        given = {"name": f"s-{uuid4().hex[:6]}", "service_type": "compute", "enabled": True, "recovery_method": "auto"}
        return self.add(SEGMENTS, **{**given, **values})

    def host(self, segment: dict[str, Any], **values: Any) -> dict[str, Any]:
        """Add a host."""
        given = {"name": f"h-{uuid4().hex[:6]}", "reserved": False, "type": "COMPUTE", "control_attributes": "SSH"}
        return self.add(HOSTS, **{**given, "on_maintenance": False, "failover_segment_id": segment["uuid"], **values})

    def notification(self, **values: Any) -> dict[str, Any]:
        """Add a finished notification."""
        payload = '{"event": "STOPPED", "host_status": "NORMAL"}'
        given = {"generated_time": WHEN, "source_host_uuid": str(uuid4()), "type": "COMPUTE_HOST", "payload": payload}
        return self.add(NOTIFICATIONS, **{**given, "status": "finished", **values})

    def vmove(self, notification: dict[str, Any], **values: Any) -> dict[str, Any]:
        """Add a vmove that succeeded."""
        given = {"notification_uuid": notification["notification_uuid"], "instance_uuid": str(uuid4())}
        given |= {"instance_name": "vm", "source_host": "a", "status": "succeeded", "type": "evacuation"}
        return self.add(VMOVES, **{**given, **values})
