"""A host: what is known of it, by whom, and what was done about it."""

from typing import Any

from sqlalchemy import Connection

from instance_ha.console.shares import number
from instance_ha.console.visit import Page, Visit
from instance_ha.models.enums import NotificationStatus
from instance_ha.models.errors import NotFound
from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.returns import OPEN_RETURN, ReturnPolicy
from instance_ha.models.rows import Host
from instance_ha.models.uuids import HostUuid
from instance_ha.store import (
    evidence,
    host_health,
    host_recoveries,
    hosts,
    overview,
    pauses,
    policies,
    readiness,
    returns,
    segments,
)

_ALL = frozenset(NotificationStatus)
_MOST, _MOST_RECOVERIES, _MOST_RETURNS = 30, 10, 5


def show(visit: Visit) -> dict[str, Any]:
    """Read it.

    Raises:
        NotFound: it is not registered any more.

    """
    with visit.world.database.read(one_moment=True) as connection:
        host = hosts.by_uuid(connection, HostUuid(visit.path["host"]))
        if host is None:
            raise NotFound(f"host {visit.path['host']} is not registered in any segment")
        policy = policies.of_segment(connection, host.failover_segment_id)
        ready = readiness.stored(connection, host.failover_segment_id)
        return {
            "host": host,
            "segment": segments.find(connection, host.failover_segment_id),
            "policy": policy,
            "health": host_health.of_host(connection, host.uuid),
            "evidence": evidence.page(connection, host.uuid, number(visit.query.get("before")), _MOST + 1),
            "most": _MOST,
            "recoveries": overview.recoveries(connection, _ALL, _MOST_RECOVERIES, host_uuid=host.uuid),
            "returns": returns.page(connection, host.uuid, None, _MOST_RETURNS),
            "open": host_recoveries.current(connection, host.uuid),
            "returnable": _is_returnable(connection, host, policy),
            "open_return": OPEN_RETURN,
            "pauses": pauses.over(connection, host, visit.now),
            "ready": _of_host(readiness.hosts_of(connection, host.failover_segment_id), host.uuid) if ready else None,
            "ready_at": ready[0].checked_at if ready else None,
        }


def _is_returnable(connection: Connection, host: Host, policy: SegmentPolicy) -> bool:
    """Say whether the API would bring it back."""
    allowed = policy.returns is not ReturnPolicy.NEVER
    open_return = returns.open_of_host(connection, host.uuid)
    return allowed and open_return is None and host_recoveries.last(connection, host.uuid) is not None


def _of_host(found: list[dict[str, Any]], uuid: HostUuid) -> dict[str, Any] | None:
    return next((one for one in found if one["uuid"] == uuid), None)


PAGE = Page(
    "/hosts/<host>",
    "host.html",
    ("os-hosts:detail", "instance-ha:evidence:index", "notifications:index", "instance-ha:readiness:detail"),
    show,
)
