"""What is remembered of guests, host by host: one statement reads it, one writes it."""

from collections.abc import Iterable, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, or_, select, text, update
from sqlalchemy.dialects.postgresql import JSONB

from instance_ha.models.guests import GuestHealth, GuestPolicy, GuestState
from instance_ha.store import bulk, records
from instance_ha.store.schema import guest_health as guests

_COLUMNS = tuple(field.name for field in fields(GuestHealth))
_WRITE = bulk.upsert(guests, _COLUMNS)
_FORGET = text(
    "DELETE FROM guest_health WHERE host_uuid = :host"
    " AND instance_uuid NOT IN (SELECT jsonb_array_elements_text(:uuids))"
).bindparams(bindparam("uuids", type_=JSONB))


def of_host(connection: Connection, host_uuid: str, uuids: Sequence[str]) -> dict[str, GuestHealth]:
    """Read what is remembered of the guests of a host, also of those that have just come from another."""
    query = select(*(guests.c[name] for name in _COLUMNS))
    of_it = query.where(or_(guests.c.host_uuid == host_uuid, guests.c.instance_uuid.in_(uuids)))
    return {guest.instance_uuid: guest for guest in records.every(connection, of_it, _guest)}


def _guest(policy: dict[str, Any], **known: Any) -> GuestHealth:
    return GuestHealth(**known, policy=records.part(GuestPolicy, policy))


def write(connection: Connection, host_uuid: str, all_health: Iterable[GuestHealth]) -> None:
    """Store what is to be remembered of the guests of a host; those that are not there any more are forgotten."""
    rows = [bulk.row(guest) for guest in all_health]
    connection.execute(_FORGET, {"host": host_uuid, "uuids": [row["instance_uuid"] for row in rows]})
    if rows:
        connection.execute(_WRITE, {"rows": rows})


def agent_reported(connection: Connection, instance_uuid: str) -> None:
    """Remember that the silence of an agent has been reported, if it still is silent."""
    silent = update(guests).where(guests.c.instance_uuid == instance_uuid, guests.c.state == GuestState.ERROR)
    connection.execute(silent.values(state=GuestState.REPORTED))


def fault_reported(connection: Connection, instance_uuid: str) -> None:
    """Remember that the fault of a domain has been reported."""
    connection.execute(update(guests).where(guests.c.instance_uuid == instance_uuid).values(fault_reported=True))


def mute(connection: Connection, instance_uuid: str, until: datetime) -> None:
    """Report nothing more of a guest before that time: the API took the last notification for a duplicate."""
    connection.execute(update(guests).where(guests.c.instance_uuid == instance_uuid).values(muted_until=until))


def forget(connection: Connection, hosts: Sequence[str]) -> None:
    """Delete what is remembered of guests of other hosts than these."""
    connection.execute(guests.delete().where(guests.c.host_uuid.not_in(hosts)))
