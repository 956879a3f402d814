"""``/x-instance-ha/incidents/{notification_id}``: what an outage has cost, by instance and in all."""

from dataclasses import asdict

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.incidents import Incident, IncidentEnvelope
from instance_ha.decide.incident import account
from instance_ha.decide.incident_page import markdown
from instance_ha.store import explanations


def show(call: Call, _: Nothing) -> IncidentEnvelope:
    """Account for an outage: the times of the recovery and of each instance, and how long each was out of service."""
    with call.world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, call.notification_uuid)
    found = account(rows)
    return IncidentEnvelope(incident=Incident.model_validate(asdict(found) | {"markdown": markdown(found)}))


ROUTES = (
    Route(
        "/x-instance-ha/incidents/<notification_id>",
        {"GET": Operation(show, IncidentEnvelope, Nothing, "instance-ha:incidents:detail", 200, (404,))},
    ),
)
