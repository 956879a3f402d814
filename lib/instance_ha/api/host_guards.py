"""``/x-instance-ha/host-guards/{host}``: a host asks whether its nova-compute may start."""

from instance_ha.api.operation import Call, Operation, Route
from instance_ha.api.schemas.base import Nothing
from instance_ha.api.schemas.returns import HostGuard, HostGuardEnvelope
from instance_ha.decide.host_guard import reason_not_to_start
from instance_ha.store import host_recoveries, hosts, vmoves


def show(call: Call, _: Nothing) -> HostGuardEnvelope:
    """Say whether the nova-compute of a host may start: not while its recovery may evacuate from it."""
    name = call.path["host"]
    with call.world.database.read() as connection:
        host = hosts.by_name_in_any_case(connection, name)  # as a machine may name itself
        recovery = host_recoveries.current(connection, host.uuid) if host else None
        moves = vmoves.of_notification(connection, recovery.notification_uuid) if recovery else []
    reason = reason_not_to_start(recovery, has_evacuated=any(move.start_time is not None for move in moves))
    allowed = "no recovery of it is open" if host else "it is registered in no segment"
    return HostGuardEnvelope(
        host_guard=HostGuard(
            host=name,
            may_start=reason is None,
            reason=reason or (allowed if recovery is None else "its recovery is held, and has evacuated nothing"),
            notification_uuid=recovery.notification_uuid if recovery and reason else None,
        )
    )


ROUTES = (
    Route(
        "/x-instance-ha/host-guards/<host>",
        {"GET": Operation(show, HostGuardEnvelope, Nothing, "instance-ha:host-guards:detail")},
    ),
)
