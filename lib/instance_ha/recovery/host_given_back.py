"""The failed host gets back what the recovery has taken from it, when the recovery ends without an evacuation."""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from instance_ha import log
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import NotificationType
from instance_ha.models.errors import CloudRefused
from instance_ha.recovery.recovery import HostBefore, Recovery
from instance_ha.store import fence_attempts, tasks, vmoves


@dataclass(frozen=True)
class ServiceBefore:
    """What the compute service was before the recovery has changed it, as its task remembers."""

    service_id: str
    disabled: bool
    forced_down: bool


@dataclass(frozen=True)
class GivenBack:
    """What to say of it, and what becomes of the host's row."""

    text: str
    host_changes: Mapping[str, bool | None]


def has_begun(recovery: Recovery) -> bool:
    """Say whether a flow or attempt may have evacuated something."""
    with recovery.claim.read() as connection:
        return bool(vmoves.of_notification(connection, recovery.notification.notification_uuid))


def give_host_back(recovery: Recovery) -> GivenBack:
    """Enable the compute service if we have disabled it, and let it be up again if we have forced it down.

    Raises CloudUnavailable when Nova does not answer; it may be done again.
    """
    uuid = recovery.notification.notification_uuid
    with recovery.claim.read() as connection:
        service = tasks.recall_latest(connection, uuid, ServiceBefore)
        before = tasks.recall_latest(connection, uuid, HostBefore)
    changes: dict[str, bool | None] = {"on_maintenance": False, "on_maintenance_for": None}
    if before is not None:
        changes["reserved"] = before.reserved
    try:
        said = _give_service_back(recovery, service)
    except CloudRefused as error:
        said = f"stays as it is: {error}"
        log.get().warning("compute service not given back", host=recovery.host.name, reason=str(error))
    recovery.world.breakpoint(Breakpoint.HOST_GIVEN_BACK)
    return GivenBack(f"its compute service {said}, and it is off maintenance", changes)


def _give_service_back(recovery: Recovery, before: ServiceBefore | None) -> str:
    name, forces = recovery.host.name, recovery.world.settings.force_down
    with recovery.claim.read() as connection:
        may_be_forced_down = forces or fence_attempts.was_fenced(connection, recovery.host.uuid)
    if before is not None and may_be_forced_down and not before.forced_down:
        recovery.nova.lift_force_down(before.service_id)
        log.get().info("compute service not forced down any more", host=name)
    if before is None:
        return "was not changed"
    if before.disabled:
        return "was disabled before"
    recovery.nova.enable_service(before.service_id)
    log.get().info("compute service enabled", host=name)
    return "is enabled again"


def end_early(recovery: Recovery) -> GivenBack:
    """Give a failed host back from which nothing was evacuated; else only say what it keeps.

    Raises CloudUnavailable when Nova does not answer.
    """
    if recovery.notification.type is not NotificationType.COMPUTE_HOST or has_begun(recovery):
        return GivenBack(what_stays(recovery), {})
    given_back = give_host_back(recovery)
    return replace(given_back, text=f"host {recovery.host.name} was not evacuated: {given_back.text}")


def what_stays(recovery: Recovery) -> str:
    """Say what the recovery leaves of its host as it has made it; nothing when it has not changed it."""
    host = recovery.host
    if not host.on_maintenance or host.on_maintenance_for != recovery.notification.notification_uuid:
        return ""
    with recovery.claim.read() as connection:
        service = tasks.recall_latest(connection, recovery.notification.notification_uuid, ServiceBefore)
    too = ", and its compute service disabled" if service is not None else ""
    return f"host {host.name} stays on maintenance{too}"
