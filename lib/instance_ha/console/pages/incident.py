"""An incident: what an outage has cost, by instance and in all."""

from typing import Any

from instance_ha.console.shares import share
from instance_ha.console.visit import Page, Visit
from instance_ha.decide.incident import account
from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import explanations

_SIZE = 100


def show(visit: Visit) -> dict[str, Any]:
    """Read it; the instances with the longest outages come first."""
    with visit.world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, NotificationUuid(visit.path["notification"]))
    found = account(rows)
    instances = sorted(found.instances, key=lambda one: (one.outage is not None, -(one.outage or 0.0)))
    return {"incident": found, "instances": share(instances, visit.query.get("page"), _SIZE), "most_failures": 50}


PAGE = Page("/incidents/<notification>", "incident.html", ("instance-ha:incidents:detail",), show)
