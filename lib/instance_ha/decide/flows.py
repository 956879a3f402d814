"""Which flows of tasks a reported failure asks for (reference, sections 5.2 to 5.6)."""

from enum import StrEnum

from instance_ha.models.enums import NotificationType, RecoveryMethod


class Flow(StrEnum):
    """A flow, by the name that its option has in the configuration of custom flows."""

    HOST_AUTO = "host_auto_failure_recovery_tasks"
    HOST_RESERVED = "host_rh_failure_recovery_tasks"
    INSTANCE = "instance_failure_recovery_tasks"
    PROCESS = "process_failure_recovery_tasks"


_BY_METHOD = {
    RecoveryMethod.AUTO: (Flow.HOST_AUTO,),
    RecoveryMethod.RESERVED_HOST: (Flow.HOST_RESERVED,),
    RecoveryMethod.AUTO_PRIORITY: (Flow.HOST_AUTO, Flow.HOST_RESERVED),
    RecoveryMethod.RH_PRIORITY: (Flow.HOST_RESERVED, Flow.HOST_AUTO),
}


def flows_for(report: NotificationType, method: RecoveryMethod) -> tuple[Flow, ...]:
    """Return the flows of an attempt in order; a later one takes what the one before left over."""
    if report is NotificationType.VM:
        return (Flow.INSTANCE,)
    if report is NotificationType.PROCESS:
        return (Flow.PROCESS,)
    return _BY_METHOD[method]
