"""The failed host gets back what recoveries have taken from it, when nothing was evacuated.

What counts is what the host was when it was last sound: a recovery may have begun on what an earlier one has left.
"""

from dataclasses import dataclass, replace
from typing import TypeVar

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.decide.outcome import latest, tally
from instance_ha.decide.service import ServiceBefore
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import NotificationStatus, NotificationType
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import Host, HostChanges, Notification
from instance_ha.models.uuids import NotificationUuid
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.recovery import HostBefore, Recovery, Skip
from instance_ha.store import fence_attempts, notifications, tasks, vmoves

Memory = TypeVar("Memory")


@dataclass(frozen=True)
class ServiceGivenBack:
    """What the compute service was made again. Nova may carry out an earlier change of ours afterwards."""

    service: ServiceBefore


@dataclass(frozen=True)
class GivenBack:
    """What to say of it, and what becomes of the host's row."""

    text: str
    host_changes: HostChanges


def has_begun(recovery: Recovery) -> bool:
    """Say whether a recovery, this or an earlier one, may have evacuated something since the host was last sound."""
    with recovery.claim.read() as connection:
        since = _since_healthy(connection, recovery.notification.notification_uuid)
        return any(vmoves.of_notification(connection, uuid) for uuid in since)


def _since_healthy(connection: Connection, notification_uuid: NotificationUuid) -> list[NotificationUuid]:
    """Name the recoveries of the host since it was last sound, the latest first: each has begun on what the next left.

    The recovery of a process is none of them: what it has changed is not given back.
    """
    found = [notification_uuid]
    while (before := tasks.recall_latest(connection, found[-1], HostBefore)) is not None:
        earlier = notifications.by_uuid(connection, before.on_maintenance_for)
        if earlier is None or earlier.type is not NotificationType.COMPUTE_HOST:
            break
        found.append(earlier.notification_uuid)
    return found


def when_healthy(connection: Connection, notification_uuid: NotificationUuid, kind: type[Memory]) -> Memory | None:
    """Read the oldest memory of a kind since the host was last sound."""
    since = _since_healthy(connection, notification_uuid)
    kept = (tasks.recall_latest(connection, uuid, kind) for uuid in reversed(since))
    return next((memory for memory in kept if memory is not None), None)


def give_host_back(recovery: Recovery) -> GivenBack:
    """Enable the compute service if we have disabled it, and let it be up again if we have forced it down.

    Raises CloudUnavailable when Nova does not answer; it may be done again.
    """
    uuid = recovery.notification.notification_uuid
    with recovery.claim.read() as connection:
        service = when_healthy(connection, uuid, ServiceBefore)
        before = when_healthy(connection, uuid, HostBefore)
    changes: HostChanges = {"on_maintenance": False, "on_maintenance_for": None}
    if before is not None:
        changes = vars(before)  # columns of the host
    try:
        said = _give_service_back(recovery, service)
    except CloudRefused as error:
        said = f"stays as it is: {error}"
        log.get().warning("compute service not given back", host=recovery.host.name, reason=str(error))
    recovery.world.breakpoint(Breakpoint.HOST_GIVEN_BACK)
    maintenance = "stays on maintenance, as before" if changes["on_maintenance"] else "is off maintenance"
    return GivenBack(f"its compute service {said}, and it {maintenance}", changes)


def _give_service_back(recovery: Recovery, before: ServiceBefore | None) -> str:
    if before is None:
        return "was not changed"
    with recovery.claim.transaction() as connection:
        first = tasks.of_notification(connection, recovery.notification.notification_uuid)[0]  # it stays
        tasks.remember(connection, first, ServiceGivenBack(before))
    if _may_be_forced_down(recovery.claim, recovery.host) and not before.forced_down:
        recovery.nova.lift_force_down(before.service_id)
        log.get().info("compute service not forced down any more", host=recovery.host.name)
    if before.disabled:
        return "was disabled before"
    recovery.nova.enable_service(before.service_id)
    log.get().info("compute service enabled", host=recovery.host.name)
    return "is enabled again"


def _may_be_forced_down(claim: Claim[Notification], host: Host) -> bool:
    with claim.read() as connection:
        return claim.world.settings.force_down or fence_attempts.was_fenced(connection, host.uuid)


def undo_late(claim: Claim[Notification], host: Host) -> list[str]:
    """Undo what Nova has changed of the compute service only since it was given back; returns what could not be.

    A service that somebody else has disabled since then, for a reason of their own, is left alone. Raises
    CloudUnavailable when Nova does not tell.
    """
    with claim.read() as connection:
        given_back = tasks.recall_latest(connection, claim.row.notification_uuid, ServiceGivenBack)
    if given_back is None or host.on_maintenance:  # it has failed again, or an operator works on it
        return []
    service, before = claim.nova.service(host.name), given_back.service
    if service is None or not _is_changed_by_us(claim, service):
        return []
    try:
        if service.forced_down and not before.forced_down and _may_be_forced_down(claim, host):
            claim.nova.lift_force_down(service.id)
            log.get().warning("late force-down undone", host=host.name)
        if not before.disabled:
            claim.nova.enable_service(service.id)
            log.get().warning("late disable undone", host=host.name)
    except CloudRefused as error:
        return [f"the compute service of {host.name} was disabled late, and Nova refuses to undo that: {error}"]
    return []


def _is_changed_by_us(claim: Claim[Notification], service: ComputeService) -> bool:
    reason = claim.world.settings.service_disable_reason  # without one nobody knows
    return bool(reason) and service.disabled and service.disabled_reason == reason


def end_early(recovery: Recovery) -> GivenBack:
    """Give a failed host back from which nothing was evacuated; else only say what it keeps.

    Raises CloudUnavailable when Nova does not answer.
    """
    if recovery.notification.type is not NotificationType.COMPUTE_HOST or has_begun(recovery):
        return GivenBack(what_is_left(recovery), {})
    given_back = give_host_back(recovery)
    return replace(given_back, text=f"host {recovery.host.name} was not evacuated: {given_back.text}")


def is_back(recovery: Recovery, counts: str) -> Skip:
    """End the recovery of a host that is up again after evacuations from it: it is not given back."""
    reason = ": ".join(filter(None, (f"host {recovery.host.name} is up again, what is left stays on it", counts)))
    return Skip("; ".join(filter(None, (reason, what_stays(recovery)))), NotificationStatus.FAILED)


def how_far(recovery: Recovery) -> str:
    """Say how the instances of all attempts have fared when a recovery ends early; nothing before they are planned."""
    with recovery.claim.read() as connection:
        moves = latest(vmoves.of_notification(connection, recovery.notification.notification_uuid))
    return tally(moves).text if moves else ""


def what_is_left(recovery: Recovery) -> str:
    """Say how a recovery that ends early leaves its instances and its host."""
    return "; ".join(filter(None, (how_far(recovery), what_stays(recovery))))


def what_stays(recovery: Recovery) -> str:
    """Say what the recovery leaves of its host as it has made it; nothing when it has not changed it."""
    host, uuid = recovery.host, recovery.notification.notification_uuid
    if not host.on_maintenance or host.on_maintenance_for != uuid:
        return ""
    with recovery.claim.read() as connection:
        was_changed = when_healthy(connection, uuid, ServiceBefore) is not None
        is_given_back = tasks.recall_latest(connection, uuid, ServiceGivenBack) is not None
    too = ", and its compute service disabled" if was_changed and not is_given_back else ""
    return f"host {host.name} stays on maintenance{too}"
