"""The compute service of a failed host: whether instances may be evacuated from it yet."""

from dataclasses import dataclass

from instance_ha.models.cloud import ComputeService


@dataclass(frozen=True)
class ServiceStep:
    """What is still to be asked of Nova; nothing of both and not ready means: wait."""

    force_down: bool = False
    disable: bool = False
    ready: bool = False


def next_step(service: ComputeService, force_down: bool) -> ServiceStep:
    """Force it down first where that is allowed, then disable it, then wait until Nova says it is down.

    Disabling a dead host that Nova still calls up keeps nova-api busy for a minute with a call to the dead
    nova-compute; forced down first, or down already, it is immediate.
    """
    if force_down and not service.forced_down:
        return ServiceStep(force_down=True)
    if not service.disabled:
        return ServiceStep(disable=True)
    return ServiceStep(ready=not service.up)
