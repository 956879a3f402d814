"""``/x-instance-ha/plans``: what a recovery would do. Nothing is stored: a plan is true when it is made."""

from dataclasses import asdict

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.plans import CreatePlan, Plan, PlansEnvelope
from instance_ha.decide import plan as decided
from instance_ha.store import hosts


def create(call: Call, asked: CreatePlan) -> PlansEnvelope:
    """Say what would be done if hosts failed now; nothing is changed, or stored."""
    from instance_ha.planning.plan import plans_of  # not at each start, for what is seldom asked
    from instance_ha.planning.source import Source

    world, names = call.world, asked.plan.hosts or [asked.plan.host]
    until = world.deadline()
    with world.database.read() as connection:
        failed = hosts.named(connection, names)
    source = Source(world.nova, world.database.read, world.clock, world.settings)
    return PlansEnvelope(plans=[_shown(plan) for plan in plans_of(source, failed, None, until)])


def _shown(plan: decided.Plan) -> Plan:
    values = asdict(plan) | {
        "host": plan.host.name,
        "host_uuid": plan.host.uuid,
        "segment_uuid": plan.host.failover_segment_id,
        "notification_uuid": plan.notification.notification_uuid if plan.notification else None,
    }
    del values["notification"]
    return Plan.model_validate(values)


ROUTES = (
    Route(
        "/x-instance-ha/plans",
        {"POST": Operation(create, PlansEnvelope, CreatePlan, "instance-ha:plans:create")},
    ),
)
