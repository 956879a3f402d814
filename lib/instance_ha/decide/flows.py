"""Which flows of tasks a reported failure asks for."""

from collections.abc import Sequence

from instance_ha.models.enums import Flow, NotificationType, RecoveryMethod

_BY_METHOD = {
    RecoveryMethod.AUTO: (Flow.HOST_AUTO,),
    RecoveryMethod.RESERVED_HOST: (Flow.HOST_RESERVED,),
    RecoveryMethod.AUTO_PRIORITY: (Flow.HOST_AUTO, Flow.HOST_RESERVED),
    RecoveryMethod.RH_PRIORITY: (Flow.HOST_RESERVED, Flow.HOST_AUTO),
}

_METHOD = {Flow.HOST_AUTO: RecoveryMethod.AUTO, Flow.HOST_RESERVED: RecoveryMethod.RESERVED_HOST}


def method_of(flow: Flow) -> RecoveryMethod:
    """Name the method of recovery that a flow of a host is."""
    return _METHOD[flow]


def flows_for(failure: NotificationType, method: RecoveryMethod) -> tuple[Flow, ...]:
    """Return the flows of an attempt in order; a later one takes what the one before left over."""
    if failure is NotificationType.VM:
        return (Flow.INSTANCE,)
    if failure is NotificationType.PROCESS:
        return (Flow.PROCESS,)
    return _BY_METHOD[method]


def flow_after(flow: Flow, flows: Sequence[Flow]) -> Flow | None:
    """Return the flow that takes what ``flow`` left over, if there is one."""
    later = flows[flows.index(flow) + 1 :] if flow in flows else ()
    return later[0] if later else None
