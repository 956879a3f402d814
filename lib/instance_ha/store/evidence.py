"""Evidence about hosts: rows that are added and read, and never changed."""

from collections.abc import Iterable
from dataclasses import asdict
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

from instance_ha.models.evidence import Evidence
from instance_ha.models.uuids import HostUuid
from instance_ha.store import records
from instance_ha.store.schema import evidence


def add(connection: Connection, found: Iterable[Evidence]) -> None:
    """Store evidence; what one source saw at one time is stored once, however often it is added."""
    if rows := [_values(one) for one in found]:
        connection.execute(insert(evidence).values(rows).on_conflict_do_nothing())


def _values(one: Evidence) -> dict[str, Any]:
    values = asdict(one)
    del values["id"]  # Postgres gives it
    return values


def fresh(connection: Connection, host_uuid: HostUuid, now: datetime) -> list[Evidence]:
    """Read what still counts of a host, the oldest first."""
    query = select(evidence).where(evidence.c.host_uuid == host_uuid, evidence.c.valid_until > now)
    return records.every(connection, query.order_by(evidence.c.seen_at, evidence.c.id), Evidence)
