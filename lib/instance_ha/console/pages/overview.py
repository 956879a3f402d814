"""The first page: what is held, what is being recovered, which hosts are not up, what each segment would survive."""

from datetime import timedelta
from typing import Any

from instance_ha.console.visit import Page, Visit
from instance_ha.models.enums import NotificationStatus
from instance_ha.store import overview, readiness

_MOST_HELD, _MOST_OPEN, _MOST_HOSTS, _MOST_SEGMENTS, _MOST_ENDED = 20, 50, 20, 40, 10
_DAY = timedelta(days=1)
_ENDED = frozenset({NotificationStatus.FAILED, NotificationStatus.FINISHED})


def show(visit: Visit) -> dict[str, Any]:
    """Read it; so many statements, however much there is."""
    now = visit.now
    with visit.world.database.read(one_moment=True) as connection:
        found = {
            "counts": overview.recovery_counts(connection),
            "host_counts": overview.host_counts(connection),
            "held": overview.open_recoveries(connection, _MOST_HELD, held=True),
            "running": overview.open_recoveries(connection, _MOST_OPEN, held=False),
            "ended": overview.ended_recoveries(connection, _ENDED, now - _DAY, _MOST_ENDED),
            "hosts": overview.unusual_hosts(connection, _MOST_HOSTS + 1),
            "pauses": overview.active_pauses(connection, now, _MOST_HELD),
            "segments": overview.all_segments(connection),
            "readiness": {row.segment_uuid: row for row in readiness.stored(connection)},
        }
    max_age = timedelta(seconds=visit.world.settings.readiness_max_age)
    return found | {"most_hosts": _MOST_HOSTS, "most_segments": _MOST_SEGMENTS, "fresh_since": now - max_age}


PAGE = Page(
    "/",
    "overview.html",
    (
        "segments:index",
        "os-hosts:index",
        "notifications:index",
        "instance-ha:pauses:index",
        "instance-ha:readiness:index",
    ),
    show,
)
