"""Evidence about hosts: rows that are added and read; only how long one counts may change, to longer."""

from collections.abc import Iterable
from datetime import datetime

from sqlalchemy import Connection, bindparam, func, select
from sqlalchemy.dialects.postgresql import insert

from instance_ha.models.enums import FINAL_NOTIFICATION
from instance_ha.models.evidence import Evidence, KindSet
from instance_ha.models.rows import Notification
from instance_ha.models.uuids import HostUuid, NotificationUuid
from instance_ha.store import records
from instance_ha.store.schema import evidence, hosts

_NEW = insert(evidence)
_ADD = _NEW.on_conflict_do_update(
    index_elements=("host_uuid", "kind", "source", "seen_at"),
    set_={"valid_until": _NEW.excluded.valid_until},
    where=_NEW.excluded.valid_until > evidence.c.valid_until,
)
_FRESH = (
    select(evidence)
    .where(evidence.c.host_uuid == bindparam("host"), evidence.c.valid_until > bindparam("now"))
    .order_by(evidence.c.seen_at, evidence.c.id)
)


def add(connection: Connection, found: Iterable[Evidence]) -> None:
    """Store evidence; what one source saw at one time is stored once, and counts as long as was ever said of it."""
    if rows := [records.values(one) for one in found]:
        connection.execute(_ADD, rows)


def add_one(connection: Connection, one: Evidence) -> Evidence:
    """Store one piece of evidence, and return it as it was stored."""
    return records.one(connection, insert(evidence).values(records.values(one)).returning(evidence), Evidence)


def page(connection: Connection, host: str | None, before: int | None, limit: int) -> list[Evidence]:
    """List evidence about a host, by its name or uuid, or about all; only older rows than ``before``."""
    query = select(evidence).order_by(evidence.c.id.desc()).limit(limit)
    if host is not None:
        named = select(hosts.c.uuid).where(hosts.c.name == host, hosts.c.deleted_at.is_(None))
        query = query.where(evidence.c.host_uuid == func.coalesce(named.scalar_subquery(), host))
    if before is not None:
        query = query.where(evidence.c.id < before)
    return records.every(connection, query, Evidence)


def of_recovery(connection: Connection, notification: Notification) -> list[Evidence]:
    """Read what was seen of a host for one recovery, or while it lasted; the oldest first."""
    while_it_lasted = evidence.c.notification_uuid.is_(None) & (evidence.c.seen_at >= notification.generated_time)
    if notification.status in FINAL_NOTIFICATION and notification.updated_at is not None:
        while_it_lasted &= evidence.c.seen_at <= notification.updated_at
    is_of = (evidence.c.notification_uuid == notification.notification_uuid) | while_it_lasted
    query = select(evidence).where(evidence.c.host_uuid == notification.source_host_uuid, is_of)
    return records.every(connection, query.order_by(evidence.c.seen_at, evidence.c.id), Evidence)


def is_there(connection: Connection, notification_uuid: NotificationUuid, kinds: KindSet) -> bool:
    """Say whether there is evidence of one of the kinds for the recovery of a notification, whatever it says."""
    is_of = evidence.c.notification_uuid == notification_uuid, evidence.c.kind.in_(kinds)
    query = select(evidence.c.id).where(*is_of)
    return connection.execute(query.limit(1)).first() is not None


def fresh(connection: Connection, host_uuid: HostUuid, now: datetime) -> list[Evidence]:
    """Read what still counts of a host, the oldest first."""
    return records.every(connection, _FRESH, Evidence, {"host": host_uuid, "now": now})
