"""``/x-instance-ha/explanations/{notification_id}``: why a recovery is where it is."""

from dataclasses import asdict

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.explanations import Explanation, ExplanationEnvelope
from instance_ha.decide.explanation import explain
from instance_ha.store import explanations


def show(call: Call, _: Nothing) -> ExplanationEnvelope:
    """Explain a recovery: five questions, the rows behind each answer, and what is waited for."""
    with call.world.database.read(one_moment=True) as connection:
        rows = explanations.rows_of(connection, call.notification_uuid)
    row, found = rows.notification, explain(rows, call.world.clock.now())
    host = rows.host.name if rows.host else None
    about = {"notification_uuid": row.notification_uuid, "type": row.type, "status": row.status, "host": host}
    return ExplanationEnvelope(explanation=Explanation.model_validate(asdict(found) | about))


ROUTES = (
    Route(
        "/x-instance-ha/explanations/<notification_id>",
        {"GET": Operation(show, ExplanationEnvelope, Nothing, "instance-ha:explanations:detail", 200, (404,))},
    ),
)
