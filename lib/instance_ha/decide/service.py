"""The compute service of a failed host: whether instances may be evacuated from it yet."""

from enum import Enum

from instance_ha.models.cloud import ComputeService


class ServiceStep(Enum):
    """What is to be done next."""

    DISABLE = "disable"
    WAIT = "wait"
    READY = "ready"


def next_step(service: ComputeService, force_down: bool) -> ServiceStep:
    """Disable it, and force it down where that is allowed; then wait until Nova says it is down.

    Disabling a dead host that Nova still calls up keeps nova-api busy for a minute with a call to the dead
    nova-compute; forced down in the same request, or down already, it is immediate.
    """
    if not service.disabled or (force_down and not service.forced_down):
        return ServiceStep.DISABLE
    return ServiceStep.WAIT if service.up else ServiceStep.READY
