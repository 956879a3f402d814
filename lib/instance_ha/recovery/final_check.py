"""The check of a recovery some minutes after its end: what Nova has carried out late is put right.

A request whose answer was lost may be carried out when all is over: a lock after its unlock, a reset to error after the
evacuation, a stop after the start, a change of a reserved host after it was given back. A killed invocation may have
left locks, too.
"""

from instance_ha import log
from instance_ha.decide import evacuation, power
from instance_ha.decide.evacuation import lock_reason
from instance_ha.decide.outcome import latest
from instance_ha.decide.power import Step
from instance_ha.decide.service import Reports
from instance_ha.models.cloud import CLOCKS_APART
from instance_ha.models.enums import NotificationStatus, NotificationType, VMoveStatus
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.rows import Notification, VMove
from instance_ha.recovery import host_reset, reserved_hosts
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.end import final_check_at
from instance_ha.recovery.evacuation.claimed import GONE
from instance_ha.store import hosts, notifications, segments, tasks, vmoves


def final_check(claim: Claim[Notification]) -> None:
    """Check what a recovery that has ended had in work.

    Raises CloudUnavailable when Nova does not answer; it is due again then.
    """
    late = ""
    if claim.row.type is NotificationType.COMPUTE_HOST:
        _unlock(claim)
        with claim.read() as connection:
            moves = vmoves.of_notification(connection, claim.row.notification_uuid)
        for move in latest(move for move in moves if move.start_time is not None):
            if evacuation.prepare(move.facts).reset_to_error:
                _give_state_back(claim, move)
        reserved_hosts.restore_late(claim)
        late = _start_what_is_off(claim)
    elif _has_restarted(claim) and not _undo_late_power_action(claim):
        with claim.release(final_check_at(claim.world, claim.world.clock.now())):
            return
    about = {"message": "; ".join(filter(None, (claim.row.message, late)))} if late else {}
    with claim.release(None, **about):
        pass


def _start_what_is_off(claim: Claim[Notification]) -> str:
    """Start what the reset of a host that came back has shut off, if Nova has found that only since the end."""
    with claim.read() as connection:
        host = hosts.by_uuid(connection, claim.row.source_host_uuid)
        reports = tasks.recall_latest(connection, claim.row.notification_uuid, Reports)
        if host is None or reports is None or not reports.is_up:
            return ""
        if notifications.host_is_recovered(connection, host.uuid):  # it has failed again
            return ""
        if not segments.is_enabled(connection, host.failover_segment_id):
            return ""
    return host_reset.start_late(claim, host.name)


def _unlock(claim: Claim[Notification]) -> None:
    ours = lock_reason(claim.row.notification_uuid)
    for server in claim.nova.locked_servers(claim.row.created_at - CLOCKS_APART):
        if server.locked_reason != ours:
            continue
        try:
            claim.nova.unlock(server.id)
            log.get().warning("late lock removed", instance=server.name)
        except CloudRefused as error:
            if error.code != GONE:  # else it was deleted since it was listed
                raise CloudUnavailable(f"late lock of {server.name} not removed: {error}") from error


def _give_state_back(claim: Claim[Notification], move: VMove) -> None:
    """Undo a reset to error that came late, where the instance has moved and where it has stayed.

    One that failed by itself has a fault. On a host that is down it is left as it is: the host's recovery takes care.
    """
    nova = claim.nova
    server = nova.server(move.instance_uuid)
    if server is None or (server.vm_state, server.task_state, server.fault) != ("error", None, None):
        return
    left_on = move.dest_host if move.status is VMoveStatus.SUCCEEDED else move.source_host
    if left_on is None or server.host != left_on or move.facts.vm_state == "error":
        return
    service = nova.service(left_on)
    if service is None or not service.up:
        return
    ask = {"stop": nova.stop, "pause": nova.pause, "suspend": nova.suspend}
    try:
        nova.reset_to_active(server.id)
        for action in evacuation.restore(move.facts).actions:
            if action in ask:  # it runs already, so that nothing is to be started
                ask[action](server.id)
        log.get().warning("late reset undone", instance=server.name)
    except CloudRefused as error:
        log.get().warning("late reset not undone", instance=server.name, reason=str(error))


def _has_restarted(claim: Claim[Notification]) -> bool:
    """Say whether a recovery of an instance has asked for anything, however it has ended."""
    with claim.read() as connection:
        has_stopped = tasks.has_stopped(connection, claim.row.notification_uuid)
    return has_stopped or claim.row.status is NotificationStatus.FINISHED


def _undo_late_power_action(claim: Claim[Notification]) -> bool:
    """Give an instance back the power state that it had after its restart, or that its owner has given it since.

    Returns whether it could be seen: not while its host is recovered, since it starts where it is evacuated to.
    """
    instance = claim.row.instance_uuid
    server = claim.nova.server(instance) if instance else None
    if instance is None or server is None:
        return True
    with claim.read() as connection:
        host = hosts.by_name(connection, server.host or "")
        if host is not None and notifications.host_is_recovered(connection, host.uuid):
            return False
    if host is not None and host.on_maintenance:  # it has failed, and is not recovered: nothing starts there
        return True
    late = power.carried_out_late(server, claim.nova.last_power_action(instance))
    try:
        if late is Step.START:
            claim.nova.start(instance)
            log.get().warning("late stop undone", instance=server.name)
        elif late is Step.STOP and not claim.world.settings.start_stopped_instances:
            claim.nova.stop(instance)
            log.get().warning("late start undone", instance=server.name)
    except CloudRefused as error:  # somebody else has acted since
        log.get().warning("late power action not undone", instance=server.name, reason=str(error))
    return True
