"""Lists behind the numbers of the other pages: recoveries, hosts, segments."""

from datetime import timedelta
from typing import Any

from instance_ha.console.shares import number, share
from instance_ha.console.visit import Page, Visit
from instance_ha.models.enums import FINAL_NOTIFICATION, OPEN_NOTIFICATION, NotificationStatus
from instance_ha.models.health import HostState
from instance_ha.store import overview, readiness

_SIZE = 100
_CHOICES = {
    "all": frozenset(NotificationStatus),
    "held": OPEN_NOTIFICATION,
    "open": OPEN_NOTIFICATION,
    **{str(status): frozenset({status}) for status in sorted(FINAL_NOTIFICATION)},
}


def recoveries(visit: Visit) -> dict[str, Any]:
    """Read recoveries, the newest first."""
    chosen = visit.query.get("show", "all")
    chosen = chosen if chosen in _CHOICES else "all"
    with visit.world.database.read() as connection:
        found = overview.recoveries(
            connection,
            _CHOICES[chosen],
            _SIZE + 1,
            held=chosen == "held",
            host_uuid=visit.query.get("host"),
            before=number(visit.query.get("before")),
        )
    return {"found": found[:_SIZE], "goes_on": len(found) > _SIZE, "chosen": chosen, "choices": list(_CHOICES)}


def hosts(visit: Visit) -> dict[str, Any]:
    """Read hosts, by their names."""
    state = visit.query.get("state")
    with visit.world.database.read() as connection:
        found = overview.every_host(
            connection,
            visit.query.get("segment"),
            HostState(state) if state in frozenset(HostState) else None,
            visit.query.get("after", ""),
            _SIZE + 1,
        )
    return {"found": found[:_SIZE], "goes_on": len(found) > _SIZE, "state": state, "states": list(HostState)}


def segments(visit: Visit) -> dict[str, Any]:
    """Read all segments with what they would survive."""
    with visit.world.database.read(one_moment=True) as connection:
        found = overview.all_segments(connection)
        ready = {row.segment_uuid: row for row in readiness.stored(connection)}
    fresh_since = visit.now - timedelta(seconds=visit.world.settings.readiness_max_age)
    return {"found": share(found, visit.query.get("page"), _SIZE), "readiness": ready, "fresh_since": fresh_since}


RECOVERIES = Page("/recoveries", "recoveries.html", ("notifications:index",), recoveries)
HOSTS = Page("/hosts", "hosts.html", ("os-hosts:index", "segments:index"), hosts)
SEGMENTS = Page("/segments", "segments.html", ("segments:index", "instance-ha:readiness:index"), segments)
