"""What the gates of recoveries see, and what they have decided."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import ColumnElement, Connection, Label, bindparam, func, insert, literal_column, or_, select, true
from sqlalchemy.dialects.postgresql import distinct_on

from instance_ha.models.enums import OPEN_NOTIFICATION, NotificationStatus
from instance_ha.models.gates import FailedHost, Gate, GateDecision, Seen
from instance_ha.models.rows import Host, Notification
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import records
from instance_ha.store.host_recoveries import IS_DEATH
from instance_ha.store.schema import gate_decisions, hosts, notifications

_LOCK = 0x1A57A9A7E  # any number: gates decide over one recovery of a host after the other
_DAY = timedelta(days=1)


def _is_about_host() -> ColumnElement[bool]:
    return notifications.c.type == literal_column("'COMPUTE_HOST'")


def _count(what: str, *where: ColumnElement[bool]) -> Label[int]:
    return select(func.count()).where(*where).scalar_subquery().label(what)


_TAKE_TURN = select(func.pg_advisory_xact_lock(_LOCK))
_TAKE_FREE_TURN = select(func.pg_try_advisory_xact_lock(_LOCK))
_IS_IN_SEGMENT = hosts.c.failover_segment_id == bindparam("segment")
_IS_PEER = _IS_IN_SEGMENT, hosts.c.uuid != bindparam("host"), hosts.c.deleted_at.is_(None), ~hosts.c.on_maintenance
_COUNTS = select(
    select(func.array_agg(hosts.c.name)).where(*_IS_PEER).scalar_subquery().label("peers"),
    _count("segment_hosts", hosts.c.deleted_at.is_(None), _IS_IN_SEGMENT),
    _count("cloud_hosts", hosts.c.deleted_at.is_(None)),
    _count(
        "begun",
        notifications.c.notification_uuid != bindparam("but"),
        notifications.c.admitted_at > bindparam("admitted_since"),
    ),
    _count(
        "finished",
        _is_about_host(),
        notifications.c.source_host_uuid == bindparam("host"),
        notifications.c.status == NotificationStatus.FINISHED,
        notifications.c.attempt > 0,
        notifications.c.created_at > bindparam("finished_since"),
    ),
).subquery("counts")
_FAILED = (
    select(hosts.c.name, _IS_IN_SEGMENT.label("in_segment"), func.max(notifications.c.created_at).label("reported_at"))
    .join(hosts, hosts.c.uuid == notifications.c.source_host_uuid)
    .where(
        IS_DEATH,
        or_(notifications.c.status.in_(OPEN_NOTIFICATION), notifications.c.created_at > bindparam("failed_since")),
        hosts.c.deleted_at.is_(None),
    )
    .group_by(hosts.c.name, hosts.c.failover_segment_id)
).subquery("failed")
_SEEN = select(_COUNTS, _FAILED).outerjoin_from(_COUNTS, _FAILED, true())  # the counts also when no host has failed
_LATEST = (
    select(gate_decisions)
    .ext(distinct_on(gate_decisions.c.gate))
    .where(gate_decisions.c.notification_uuid == bindparam("of"))
    .order_by(gate_decisions.c.gate, gate_decisions.c.id.desc())
)


def take_turn(connection: Connection) -> None:
    """Wait until no other recovery is decided over; it lasts until the transaction ends."""
    connection.execute(_TAKE_TURN)


def take_free_turn(connection: Connection) -> bool:
    """Take the turn if no other recovery is decided over now; says whether it is taken."""
    return bool(connection.execute(_TAKE_FREE_TURN).scalar_one())


def seen(
    connection: Connection,
    host: Host,
    notification: Notification,
    window: timedelta,
    rate_window: timedelta,
    now: datetime,
) -> Seen:
    """Count the hosts, their failures, and their recoveries."""
    about = {
        "segment": host.failover_segment_id,
        "host": host.uuid,
        "but": notification.notification_uuid,
        "admitted_since": now - rate_window,
        "finished_since": now - _DAY,
        "failed_since": now - window,
    }
    rows = connection.execute(_SEEN, about).all()
    counts = rows[0]
    return Seen(
        segment_hosts=counts.segment_hosts,
        cloud_hosts=counts.cloud_hosts,
        peers=frozenset(counts.peers or ()),
        failed=tuple(
            FailedHost(name=row.name, in_segment=row.in_segment, reported_at=row.reported_at)
            for row in rows
            if row.name is not None
        ),
        begun=counts.begun,
        finished=counts.finished,
    )


def latest(connection: Connection, uuid: NotificationUuid) -> dict[Gate, GateDecision]:
    """Read what each gate has decided last over a recovery."""
    return {one.gate: one for one in records.every(connection, _LATEST, GateDecision, {"of": uuid})}


def page(connection: Connection, uuid: str | None, before: int | None, limit: int) -> list[GateDecision]:
    """List what gates have decided, over one recovery or over all, the newest first."""
    query = select(gate_decisions)
    if uuid is not None:
        query = query.where(gate_decisions.c.notification_uuid == uuid)
    if before is not None:
        query = query.where(gate_decisions.c.id < before)
    return records.every(connection, query.order_by(gate_decisions.c.id.desc()).limit(limit), GateDecision)


def add_decisions(connection: Connection, decisions: Iterable[GateDecision]) -> None:
    """Add rows to the decision log."""
    if rows := [records.values(one) for one in decisions]:
        connection.execute(insert(gate_decisions), rows)
