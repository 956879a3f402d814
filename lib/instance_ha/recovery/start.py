"""The start of an attempt: one recovery of a host at a time, those of its instances side by side."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide import failures
from instance_ha.decide.failures import superseded_by
from instance_ha.decide.hold import Hold
from instance_ha.decide.plan import in_a_line
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import NotificationStatus, NotificationType
from instance_ha.models.errors import AlreadyRunning, CloudRefused, RecoveryDenied, TryAgain
from instance_ha.models.gates import Mode
from instance_ha.models.rows import Host, HostChanges, Notification, Segment
from instance_ha.models.uuids import NotificationUuid
from instance_ha.planning.plan import plan_of
from instance_ha.recovery import flows
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.end import close
from instance_ha.recovery.gates import ask_gates
from instance_ha.recovery.hold import check_evidence, check_not_denied, expect_no_pause, go_on, hold
from instance_ha.recovery.host_given_back import end_early
from instance_ha.recovery.recovery import HostBefore, Recovery
from instance_ha.recovery.repaired import repaired
from instance_ha.recovery.tasks.fence_host import ladder_of, reason_not_to_fence
from instance_ha.store import fence_attempts, host_recoveries, hosts, notifications, pauses, policies, segments, tasks
from instance_ha.store.leases import Lease
from instance_ha.world import RecoveryWorld

_HOST_BUSY_PAUSE = timedelta(seconds=10)  # before the next check whether the other recovery of the host has ended


def start(claim: Claim[Notification]) -> Host | None:
    """Put the host on maintenance and write the flow down; None when there is nothing to begin, or not yet."""
    notification = claim.row
    with claim.read() as connection:
        host = hosts.by_uuid(connection, notification.source_host_uuid)
        segment = segments.find(connection, host.failover_segment_id) if host else None
        verdict = _evaluate(claim.world, connection, notification, segment)
    if isinstance(verdict, failures.Close) or host is None:
        _end(claim, host, verdict if isinstance(verdict, failures.Close) else failures.gone())
        return None
    try:
        return _begin(claim, host, verdict) if _may_begin(claim, host, verdict) else None
    except RecoveryDenied as denial:
        _end(claim, host, failures.Close(NotificationStatus.IGNORED, str(denial)))
        return None


def _begin(claim: Claim[Notification], host: Host, verdict: failures.Recover) -> Host | None:
    """Begin an attempt, and return the host as it is then; None while another recovery of it or the instance runs."""
    now, attempt = claim.world.clock.now(), claim.row.attempt + 1
    try:
        with claim.transaction() as connection:
            host = _write_down(claim, connection, verdict, attempt, now)
    except AlreadyRunning:
        with claim.release(now + _HOST_BUSY_PAUSE) as connection:
            check_not_denied(claim, connection)
        log.get().info("another recovery of the host or the instance is running", host=host.name)
        return None
    log.get().info("recovery started", host=host.name, attempt=attempt)
    claim.world.breakpoint(Breakpoint.RECOVERY_STARTED)
    return host


def _write_down(
    claim: Claim[Notification], connection: Connection, verdict: failures.Recover, attempt: int, now: datetime
) -> Host:
    """Write down that an attempt begins, and what it will do; returns the host as it is then."""
    world, notification = claim.world, claim.row
    uuid = notification.notification_uuid
    host, ended = acquire_host(connection, claim.lease, notification, attempt, now)
    check_not_denied(claim, connection)
    for superseded in ended:
        emit.recovery_ended(world, connection, superseded)
    before = HostBefore(host.reserved, host.on_maintenance, host.on_maintenance_for)
    if verdict.host_changes:
        changes = failures.host_changes(verdict, host, notification)
        host = hosts.change(connection, host.uuid, changes, now)
        emit.host_changed(world, connection, host)
    flow, fence = verdict.flows[0], policies.of_segment(connection, host.failover_segment_id).fence
    memory = before if attempt == 1 else None
    tasks.plan(connection, uuid, attempt, flow, flows.shown_names(world.settings, flow, fence), memory)
    claim.row = notifications.find(connection, uuid)
    emit.recovery_started(world, connection, claim.row)
    return host


def _may_begin(claim: Claim[Notification], host: Host, verdict: failures.Recover) -> bool:
    """Hold a recovery that may not act, or whose host is not proven dead; end one that only observes, or need not act.

    Raises:
        RecoveryDenied: an operator has denied it while it was held.

    """
    admission = ask_gates(claim, host)
    if admission.only_observes:
        close(claim, NotificationStatus.IGNORED, _what_it_would_do(claim, host, verdict, admission.held))
        return False
    held = admission.held
    if held is None and claim.row.type is NotificationType.COMPUTE_HOST:
        held = _what_is_missing(claim, host)
    if held is not None:
        hold(claim, held)
        return False
    if (how := repaired(claim, host)) is not None:
        close(claim, NotificationStatus.IGNORED, how)
        return False
    go_on(claim)
    return True


def _what_is_missing(claim: Claim[Notification], host: Host) -> Hold | None:
    """Hold the recovery of a host that shows signs of life, or lacks evidence that the recovery itself cannot bring.

    A host that is fenced first is not held: its power off outvotes a sign of life, and what is missing is asked after.
    """
    held = check_evidence(claim, host)
    return None if held is not None and _is_fenced_first(claim, host) else held


def _what_it_would_do(claim: Claim[Notification], host: Host, verdict: failures.Recover, held: Hold | None) -> str:
    """Say what becomes of a recovery that may only observe."""
    if claim.row.type is NotificationType.COMPUTE_HOST:
        fences = claim.world.fences
        would = in_a_line(plan_of(Recovery(claim, host).source, host, lambda name: ladder_of(fences, name)[0]))
    else:
        would = f"held by {held.reason}" if held else f"the flow {verdict.flows[0]} would have run"
    return f"nothing was done, since the mode of its segment is observe; {would}"


def _is_fenced_first(claim: Claim[Notification], host: Host) -> bool:
    """Say whether the recovery may cut the host's power, and has a way to."""
    return reason_not_to_fence(claim) is None and bool(ladder_of(claim.world.fences, host.name)[0])


def _end(claim: Claim[Notification], host: Host | None, verdict: failures.Close) -> None:
    """End a recovery that is not to begin, or not once more."""
    reasons = [verdict.message]
    changes: HostChanges = {}
    if host is not None and verdict.host_is_back and _lift_force_down(claim, host):
        reasons.append("its compute service is not forced down any more")
    elif host is not None and claim.row.attempt:  # an earlier attempt has changed the host
        given_back = end_early(Recovery(claim, host))
        reasons.append(given_back.text)
        changes = given_back.host_changes
    close(claim, verdict.status, "; ".join(filter(None, reasons)), changes)


def _evaluate(
    world: RecoveryWorld, connection: Connection, notification: Notification, segment: Segment | None
) -> failures.Recover | failures.Close:
    verdict = failures.evaluate(notification, segment)
    if isinstance(verdict, failures.Close) or not failures.is_about_guest_agent(notification):
        return verdict
    yesterday = world.clock.now() - timedelta(days=1)
    restarts = notifications.count_finished(connection, notification.payload, yesterday)
    return failures.over_budget(restarts, world.settings.guest_restarts_per_day) or verdict


def _lift_force_down(claim: Claim[Notification], host: Host) -> bool:
    """Undo what an earlier recovery of the host has told Nova; say whether that was necessary.

    Raises:
        TryAgain: Nova does not answer; or refuses, as it does until the host's nova-compute was restarted; or a pause
            is in force, in which nothing is asked of Nova.

    """
    if host.on_maintenance:  # it has failed again meanwhile
        return False
    with claim.read() as connection:
        if policies.of_segment(connection, host.failover_segment_id).mode is Mode.OBSERVE:
            return False
        if not claim.world.settings.force_down and not fence_attempts.was_fenced(connection, host.uuid):
            return False
        in_force = pauses.over(connection, host, claim.world.clock.now())
    expect_no_pause(in_force)
    service = claim.nova.service(host.name)
    if service is None or not service.forced_down:
        return False
    try:
        claim.nova.lift_force_down(service.id)
    except CloudRefused as error:
        raise TryAgain(f"Nova keeps the compute service of {host.name} forced down: {error}") from error
    log.get().info("compute service not forced down any more", host=host.name)
    return True


def acquire_host(
    connection: Connection, lease: Lease, notification: Notification, attempt: int, now: datetime
) -> tuple[Host, Sequence[NotificationUuid]]:
    """Become the one recovery of the host or of an instance; the host's own ends those of its processes.

    Returns the host, which no operator changes meanwhile, and the uuids of the recoveries that it has ended.

    Raises:
        AlreadyRunning: another one is running; the transaction can do nothing more.

    """
    host_uuid = notification.source_host_uuid
    host = hosts.lock(connection, host_uuid)  # so that no other can start on it meanwhile
    if notification.type is NotificationType.VM and host_recoveries.is_running(connection, host_uuid):
        raise AlreadyRunning
    ended: Sequence[NotificationUuid] = ()
    if notification.type is NotificationType.COMPUTE_HOST:
        message = superseded_by(notification)
        ended = notifications.supersede_processes(connection, host_uuid, message, now)
        for uuid in ended:
            tasks.abandon(connection, uuid, now, message)
    notifications.start(connection, lease, attempt, now)
    return host, ended
