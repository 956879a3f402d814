"""Hosts."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any
from uuid import uuid4

from sqlalchemy import Connection, bindparam, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from instance_ha.models.errors import BadRequest, Conflict, NotFound
from instance_ha.models.rows import Host
from instance_ha.models.uuids import HostUuid, SegmentUuid
from instance_ha.store import paging, records
from instance_ha.store.schema import hosts

# Asked in each recovery again and again: built once.
_BY_UUID = select(hosts).where(hosts.c.uuid == bindparam("wanted"), hosts.c.deleted_at.is_(None))
_BY_NAME = select(hosts).where(hosts.c.name == bindparam("wanted"), hosts.c.deleted_at.is_(None))


def find(connection: Connection, segment_uuid: SegmentUuid, uuid: HostUuid) -> Host:
    """Read a live host of a segment.

    Raises:
        NotFound: the segment has no such host.

    """
    query = select(hosts).where(
        hosts.c.uuid == uuid, hosts.c.failover_segment_id == segment_uuid, hosts.c.deleted_at.is_(None)
    )
    found = records.first(connection, query, Host)
    if found is None:
        raise NotFound(f"host {uuid} could not be found in segment {segment_uuid}")
    return found


def by_uuid(connection: Connection, uuid: HostUuid) -> Host | None:
    """Read a live host wherever it is."""
    return records.first(connection, _BY_UUID, Host, {"wanted": uuid})


def lock(connection: Connection, uuid: HostUuid) -> Host:
    """Make all others that lock this host wait for our commit; returns it, as it is until then."""
    return records.one(connection, select(hosts).where(hosts.c.uuid == uuid).with_for_update(), Host)


def by_name(connection: Connection, name: str, *, lock: bool = False) -> Host | None:
    """Read a live host by its name; ``lock`` makes all others that ask so wait for our commit."""
    query = _BY_NAME.with_for_update() if lock else _BY_NAME
    return records.first(connection, query, Host, {"wanted": name})


def by_name_in_any_case(connection: Connection, name: str) -> Host | None:
    """Read a live host by its name; if none has it, one whose name differs in capitals alone."""
    alike = func.lower(hosts.c.name) == func.lower(bindparam("wanted"))
    query = select(hosts).where(alike, hosts.c.deleted_at.is_(None))
    query = query.order_by((hosts.c.name == bindparam("wanted")).desc(), hosts.c.id)
    return records.first(connection, query, Host, {"wanted": name})


def named(connection: Connection, wanted: Sequence[str]) -> list[Host]:
    """Read live hosts by their names or uuids, each once, in the order in which they are named.

    Raises:
        BadRequest: one is not registered.

    """
    is_wanted = or_(hosts.c.name.in_(wanted), hosts.c.uuid.in_(wanted))
    found = records.every(connection, select(hosts).where(is_wanted, hosts.c.deleted_at.is_(None)), Host)
    known = {one.uuid: one for one in found} | {one.name: one for one in found}
    if unknown := [name for name in wanted if name not in known]:
        raise BadRequest(f"not registered in any segment: host {', '.join(unknown)}")
    return list({known[name].uuid: known[name] for name in wanted}.values())


def names(connection: Connection) -> list[str]:
    """List the names of all live hosts."""
    query = select(hosts.c.name).where(hosts.c.deleted_at.is_(None)).order_by(hosts.c.name)
    return list(connection.execute(query).scalars())


def page(connection: Connection, segment_uuid: SegmentUuid, wanted: paging.Page) -> list[Host]:
    """List the hosts of a segment."""
    within = hosts.c.failover_segment_id == segment_uuid
    return records.every(connection, paging.query(connection, hosts, wanted, within=within), Host)


def reserved(connection: Connection, segment_uuid: SegmentUuid, *, lock: bool) -> list[Host]:
    """Read the reserved hosts of a segment, in the order in which they are taken: the newest first.

    ``lock`` makes all others that ask so wait for our commit.
    """
    query = select(hosts).where(
        hosts.c.failover_segment_id == segment_uuid,
        hosts.c.reserved,
        hosts.c.on_maintenance.is_(False),
        hosts.c.deleted_at.is_(None),
    )
    query = query.order_by(hosts.c.id)
    found = records.every(connection, query.with_for_update() if lock else query, Host)
    return sorted(found, key=lambda host: (host.created_at, host.id), reverse=True)


def create(connection: Connection, segment_uuid: SegmentUuid, values: dict[str, Any], now: datetime) -> Host:
    """Register a host.

    Raises:
        Conflict: the name is registered already, in this or another segment.

    """
    key = {"uuid": str(uuid4()), "failover_segment_id": segment_uuid, "created_at": now}
    return _write(connection, insert(hosts).values(**key | values), values)


def change(connection: Connection, uuid: HostUuid, values: dict[str, Any], now: datetime) -> Host:
    """Change a host.

    Raises:
        Conflict: the name is registered already.

    """
    return _write(connection, update(hosts).where(hosts.c.uuid == uuid).values(updated_at=now, **values), values)


def _write(connection: Connection, statement: Any, values: dict[str, Any]) -> Host:
    try:
        return records.one(connection, statement.returning(hosts), Host)
    except IntegrityError:
        raise Conflict(f"a host with the name {values.get('name')} exists already") from None


def delete(connection: Connection, uuid: HostUuid, now: datetime) -> None:
    """Delete a host."""
    connection.execute(update(hosts).where(hosts.c.uuid == uuid).values(deleted_at=now))
