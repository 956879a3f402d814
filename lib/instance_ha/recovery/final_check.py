"""The check of a recovery some minutes after its end: what Nova has carried out late is put right.

A request whose answer was lost may be carried out when all is over: a lock after its unlock, a reset to error after the
evacuation, a stop after the start, a change of a host after it was given back. A killed invocation may have left locks,
too. What Nova refuses to undo is added to the notification's message, and to the progress of its last task.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta

from instance_ha import log
from instance_ha.decide import power
from instance_ha.decide.evacuation import lock_reason, prepare
from instance_ha.decide.failures import expires_at
from instance_ha.decide.outcome import latest
from instance_ha.decide.power import Step
from instance_ha.decide.restoration import restoration_of
from instance_ha.decide.service import Reports
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import CLOCKS_APART, Server
from instance_ha.models.enums import NotificationStatus, NotificationType, VMoveStatus
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.rows import Notification, VMove
from instance_ha.recovery import host_given_back, host_reset, reserved_hosts
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.end import final_check_at
from instance_ha.recovery.evacuation.claimed import GONE
from instance_ha.recovery.tasks.restart_instance import has_begun_to_start
from instance_ha.store import host_recoveries, hosts, segments, tasks, vmoves


@dataclass(frozen=True)
class Undoing:
    """Instances whose late reset is being undone: active by name in between, whatever they were."""

    instances: tuple[str, ...]


def final_check(claim: Claim[Notification]) -> None:
    """Check what a recovery that has ended had in work; nothing of it is known when Nova never answers.

    Raises CloudUnavailable when Nova does not answer; it is due again then.
    """
    try:
        added = _check(claim)
    except CloudUnavailable as error:
        if not _is_given_up(claim):
            raise
        added = [f"what Nova may have carried out late was not checked: {error}"]
    if added is None:
        with claim.release(final_check_at(claim.world, claim.world.clock.now())):
            return
    with claim.release(None, **_message(claim, added)) as connection:
        if added:
            log.get().warning("added after the end", message="; ".join(added))
            last = tasks.of_notification(connection, claim.row.notification_uuid)[-1]
            lines = [(last.progress, f"After the end: {line}") for line in added]
            tasks.add_progress(connection, last, claim.world.clock.now(), lines, last.state)


def _is_given_up(claim: Claim[Notification]) -> bool:
    """Say whether Nova has kept silent for as long as the recovery itself might have lasted."""
    lasts = claim.world.settings.notifications_expired_interval
    return claim.world.clock.now() >= expires_at(claim.row, lasts) + timedelta(seconds=lasts)


def _check(claim: Claim[Notification]) -> list[str] | None:
    """Put right what was carried out late; returns what an operator should know of it, None: check again later."""
    if claim.row.type is NotificationType.COMPUTE_HOST:
        return [*_unlock(claim), *_give_states_back(claim), *reserved_hosts.restore_late(claim), *_check_host(claim)]
    return _undo_late_power_action(claim) if _has_restarted(claim) else []


def _message(claim: Claim[Notification], added: list[str]) -> dict[str, str]:
    return {"message": "; ".join(filter(None, (claim.row.message, *added)))} if added else {}


def _check_host(claim: Claim[Notification]) -> list[str]:
    """Check a failed host that lives, unless it has failed again; returns what to say of it."""
    with claim.read() as connection:
        host = hosts.by_uuid(connection, claim.row.source_host_uuid)
        if host is None or host_recoveries.is_running(connection, host.uuid):
            return []
        reports = tasks.recall_latest(connection, claim.row.notification_uuid, Reports)
        is_enabled = segments.is_enabled(connection, host.failover_segment_id)
    added = host_given_back.undo_late(claim, host)
    if is_enabled and reports is not None and reports.is_up:  # its reset may have shut off what Nova finds off only now
        added += host_reset.start_late(claim, host.name)
    return added


def _unlock(claim: Claim[Notification]) -> Iterator[str]:
    ours = lock_reason(claim.row.notification_uuid)
    for server in claim.nova.locked_servers(claim.row.created_at - CLOCKS_APART):
        if server.locked_reason != ours:
            continue
        try:
            claim.nova.unlock(server.id)
            log.get().warning("late lock removed", instance=server.name)
        except CloudRefused as error:
            if error.code != GONE:  # else it was deleted since it was listed
                log.get().warning("late lock not removed", instance=server.name, reason=str(error))
                yield f"{server.name} ({server.id}) is left locked by us, and Nova refuses to unlock it: {error}"


def _give_states_back(claim: Claim[Notification]) -> Iterator[str]:
    with claim.read() as connection:
        moves = vmoves.of_notification(connection, claim.row.notification_uuid)
    # Begun, or put back after it was begun: then it is locked.
    for move in latest(move for move in moves if move.start_time is not None or move.locked_by_us):
        if prepare(move.facts).reset_to_error and (refused := _give_state_back(claim, move)) is not None:
            yield refused


def _give_state_back(claim: Claim[Notification], move: VMove) -> str | None:
    """Undo a reset to error that came late, where the instance has moved and where it has stayed.

    One that failed by itself has a fault. On a host that is down it is left as it is: the host's recovery takes care.
    Returns what to say when Nova refuses it.
    """
    nova = claim.nova
    server = nova.server(move.instance_uuid)
    if server is None or not _is_to_be_undone(claim, server):
        return None
    left_on = move.dest_host if move.status is VMoveStatus.SUCCEEDED else move.source_host
    if left_on is None or server.host != left_on or move.facts.vm_state == "error":
        return None
    if not _lives(claim, left_on, is_source=left_on == move.source_host):
        return None
    ask = {"stop": nova.stop, "pause": nova.pause, "suspend": nova.suspend}
    try:
        if server.vm_state == "error":
            _remember(claim, server)
            nova.reset_to_active(server.id)
            claim.world.breakpoint(Breakpoint.RESET_UNDONE)
        for action in restoration_of(move.facts).actions:
            if action in ask:  # it runs already, so that nothing is to be started
                ask[action](server.id)
        log.get().warning("late reset undone", instance=server.name)
    except CloudRefused as error:
        log.get().warning("late reset not undone", instance=server.name, reason=str(error))
        return f"{server.name} ({server.id}) is in error by a late reset of ours, and Nova refuses to undo it: {error}"
    return None


def _is_to_be_undone(claim: Claim[Notification], server: Server) -> bool:
    if (server.vm_state, server.task_state, server.fault) == ("error", None, None):
        return True
    with claim.read() as connection:
        begun = tasks.recall_latest(connection, claim.row.notification_uuid, Undoing)
    return (
        begun is not None and server.id in begun.instances and (server.vm_state, server.task_state) == ("active", None)
    )


def _remember(claim: Claim[Notification], server: Server) -> None:
    with claim.transaction() as connection:
        first = tasks.of_notification(connection, claim.row.notification_uuid)[0]
        begun = tasks.recall(connection, first, Undoing) or Undoing(())
        tasks.remember(connection, first, Undoing((*begun.instances, server.id)))


def _lives(claim: Claim[Notification], host: str, *, is_source: bool) -> bool:
    """Say whether a host is up; the failed one may be forced down still, but was up again and has reported since."""
    service = claim.nova.service(host)
    if service is None or service.up or not (service.forced_down and is_source):
        return service is not None and service.up
    with claim.read() as connection:
        reports = tasks.recall_latest(connection, claim.row.notification_uuid, Reports)
    return reports is not None and reports.is_up and service.updated_at != reports.updated_at


def _has_restarted(claim: Claim[Notification]) -> bool:
    """Say whether a recovery of an instance has asked for anything, however it has ended."""
    uuid = claim.row.notification_uuid
    with claim.read() as connection:
        return tasks.has_stopped(connection, uuid) or has_begun_to_start(connection, uuid)


def _is_stopped_for_its_owner(restart: Notification, moved: VMove) -> bool:
    """Say whether an instance was evacuated after its restart, and stopped, as its owner wanted when its host died.

    A restart that has not finished may have asked for that stop itself.
    """
    is_later = restart.status is NotificationStatus.FINISHED and moved.created_at >= restart.created_at
    return is_later and "stop" in restoration_of(moved.facts).actions


def _undo_late_power_action(claim: Claim[Notification]) -> list[str] | None:
    """Give an instance back the power state that it had after its restart, or that its owner has given it since.

    Returns what Nova refuses of it; None while its host is recovered, since it starts where it is evacuated to.
    """
    instance = claim.row.instance_uuid
    server = claim.nova.server(instance) if instance else None
    if instance is None or server is None:
        return []
    with claim.read() as connection:
        host = hosts.by_name(connection, server.host or "")
        if host is not None and host_recoveries.is_running(connection, host.uuid):
            return None
        moved = vmoves.last_begun(connection, instance)
    if host is not None and host.on_maintenance:  # it has failed, and is not recovered: nothing starts there
        return []
    if moved is not None and _is_stopped_for_its_owner(claim.row, moved):
        return []
    late = power.carried_out_late(server, claim.nova.last_power_action(instance))
    try:
        if late is Step.START:
            claim.nova.start(instance)
            log.get().warning("late stop undone", instance=server.name)
        elif late is Step.STOP and not claim.world.settings.start_stopped_instances:
            claim.nova.stop(instance)
            log.get().warning("late start undone", instance=server.name)
    except CloudRefused as error:
        log.get().warning("late power action not undone", instance=server.name, reason=str(error))
        return [f"what Nova has carried out late is not undone: {error}"]
    return []
