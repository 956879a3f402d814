"""``/x-instance-ha/policies/{segment_id}``."""

from instance_ha import emit, log
from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.policies import Policy, PolicyEnvelope, UpdatePolicy
from instance_ha.models.triggers import Trigger, recovery_of
from instance_ha.store import notifications, policies, segments


def show(call: Call, _: Nothing) -> PolicyEnvelope:
    """Show the policy of a segment."""
    with call.world.database.begin() as connection:
        segment = segments.find(connection, call.segment_uuid)
        row = policies.of_segment(connection, segment.uuid)
    return PolicyEnvelope(policy=Policy.model_validate(row))


def update(call: Call, asked: UpdatePolicy) -> PolicyEnvelope:
    """Change the policy of a segment; recoveries that are held are checked by it at once."""
    assert call.caller is not None
    values, now = asked.policy.given(), call.world.clock.now()
    with emit.change(call.world, "policy.update") as change, call.world.database.begin() as connection:
        segment = segments.find(connection, call.segment_uuid)
        change.start(segment.uuid, vars(policies.of_segment(connection, segment.uuid)) | values)
        row = policies.change(connection, segment.uuid, values, call.caller.actor, now)
        held = notifications.held_in_segment(connection, segment.uuid)
        change.end(connection, vars(row))
    log.get().warning(
        "policy changed",
        segment=segment.name,
        actor=row.actor,
        **asked.policy.model_dump(mode="json", exclude_unset=True),
    )
    triggers = [Trigger(recovery_of(one.type), one.notification_uuid, call.request_id) for one in held]
    call.world.publisher.publish(triggers, now)
    return PolicyEnvelope(policy=Policy.model_validate(row))


ROUTES = (
    Route(
        "/x-instance-ha/policies/<segment_id>",
        {
            "GET": Operation(show, PolicyEnvelope, Nothing, "instance-ha:policies:detail", 200, (404,)),
            "PUT": Operation(update, PolicyEnvelope, UpdatePolicy, "instance-ha:policies:update", 200, (404,)),
        },
    ),
)
