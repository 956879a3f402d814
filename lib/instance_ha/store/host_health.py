"""What is remembered of hosts: one statement reads all of it, one writes all of it, however many hosts there are."""

from collections.abc import Iterable
from dataclasses import fields, replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, and_, case, delete, or_, select, update

from instance_ha.models.enums import NotificationType
from instance_ha.models.health import HostHealth, Reading, RegisteredHost, ReportState, Sample
from instance_ha.models.text import utc
from instance_ha.store import bulk, host_recoveries
from instance_ha.store.schema import host_health, hosts, notifications, segments

_HEALTH = tuple(field.name for field in fields(HostHealth) if field.name != "host_uuid")
_POLLED = ("host_uuid", "samples", "state", "since", "listed", "suppressed", "reported")  # what a poll finds out


def is_monitored() -> ColumnElement[bool]:
    """Return the condition on ``hosts`` joined with ``segments`` that a host is monitored.

    Of a host that is on maintenance since its nova-compute failed its own death must still be noticed.
    """
    since_process = (
        select(notifications.c.id)
        .where(
            notifications.c.notification_uuid == hosts.c.on_maintenance_for,
            notifications.c.type == NotificationType.PROCESS,
        )
        .exists()
    )
    return and_(segments.c.enabled, or_(~hosts.c.on_maintenance, since_process))


def registered(connection: Connection) -> list[RegisteredHost]:
    """Read every registered host with what is remembered of it."""
    query = (
        select(
            hosts.c.uuid,
            hosts.c.name,
            hosts.c.failover_segment_id.label("segment_uuid"),
            segments.c.name.label("segment_name"),
            is_monitored().label("monitored"),
            hosts.c.on_maintenance,
            host_recoveries.current_uuid().label("open_recovery"),
            *(host_health.c[name] for name in _HEALTH),
        )
        .join(segments, segments.c.uuid == hosts.c.failover_segment_id)
        .join(host_health, host_health.c.host_uuid == hosts.c.uuid, isouter=True)
        .where(hosts.c.deleted_at.is_(None), segments.c.deleted_at.is_(None))
        .order_by(hosts.c.id)
    )
    return [_registered(row) for row in connection.execute(query).mappings()]


def of_host(connection: Connection, host_uuid: str) -> HostHealth | None:
    """Read what is remembered of one host; None: it was never polled."""
    query = select(host_health.c.host_uuid.label("uuid"), *(host_health.c[name] for name in _HEALTH))
    row = connection.execute(query.where(host_health.c.host_uuid == host_uuid)).mappings().first()
    return None if row is None else _health(row)


def _registered(row: Any) -> RegisteredHost:
    return RegisteredHost(
        name=row["name"],
        segment_uuid=row["segment_uuid"],
        segment_name=row["segment_name"],
        monitored=row["monitored"],
        on_maintenance=row["on_maintenance"],
        open_recovery=row["open_recovery"],
        health=_health(row) if row["state"] else HostHealth(host_uuid=row["uuid"]),
    )


def _health(row: Any) -> HostHealth:
    samples = tuple(_sample(sample) for sample in row["samples"])
    return HostHealth(**{name: row[name] for name in _HEALTH} | {"host_uuid": row["uuid"], "samples": samples})


def _sample(sample: dict[str, Any]) -> Sample:
    return Sample(utc(sample["at"]), {network: Reading(reading) for network, reading in sample["vector"].items()})


def listed(connection: Connection) -> frozenset[str]:
    """Name the hosts that the source knew at the last poll."""
    query = select(hosts.c.name).join(host_health, host_health.c.host_uuid == hosts.c.uuid)
    return frozenset(connection.execute(query.where(host_health.c.listed, hosts.c.deleted_at.is_(None))).scalars())


def _what_stays(sent: bulk.Excluded) -> dict[str, Any]:
    """Leave what has been reported; that it counts no more is for a host that was reported."""
    was_reported = host_health.c.reported.in_([ReportState.STOPPED, ReportState.DUPLICATE])
    counts_no_more = (sent["reported"] == ReportState.STOPPED_BEFORE) & was_reported
    return {"reported": case((counts_no_more, sent["reported"]), else_=host_health.c.reported)}


_WRITE = bulk.upsert(host_health, _POLLED, _what_stays)


def write(connection: Connection, all_health: Iterable[HostHealth]) -> None:
    """Store what is to be remembered now, all at once.

    What has been reported is left as it is, unless the host is not monitored any more: ``reported`` alone writes it,
    which may run at the same time for the poll before.
    """
    if rows := [_row(health) for health in all_health]:
        connection.execute(_WRITE, {"rows": rows})


def _row(health: HostHealth) -> dict[str, Any]:
    samples = [{"at": sample.at.isoformat(), "vector": dict(sample.vector)} for sample in health.samples]
    return bulk.row(replace(health, samples=())) | {"samples": samples}


def forget(connection: Connection) -> None:
    """Delete what is remembered of hosts that are not registered any more."""
    live = select(hosts.c.uuid).where(hosts.c.deleted_at.is_(None))
    connection.execute(delete(host_health).where(host_health.c.host_uuid.not_in(live)))


def reported(connection: Connection, host_uuid: str, what: ReportState, at: datetime, answer: str) -> None:
    """Remember that the API has accepted a notification, or has refused it for good."""
    connection.execute(
        update(host_health)
        .where(host_health.c.host_uuid == host_uuid)
        .values(reported=what, reported_at=at, answer=answer)
    )
