"""EvacuateInstancesTask: all planned instances, to where the scheduler likes or to one reserved host after another."""

from sqlalchemy import Connection

from instance_ha import log
from instance_ha.decide.hold import Hold
from instance_ha.decide.outcome import LeftOut, Tally, left_over, of_recovery, tally
from instance_ha.decide.service import SourceState
from instance_ha.models.enums import Flow, NotificationStatus, TaskState, VMoveStatus
from instance_ha.models.errors import RecoveryFailed
from instance_ha.models.rows import Notification, TaskRow, VMove
from instance_ha.recovery import reserved_hosts
from instance_ha.recovery.evacuation.arrivals import take_back_failed
from instance_ha.recovery.evacuation.dispatcher import evacuate_round
from instance_ha.recovery.evacuation.source_host import SourceHost, is_up_again
from instance_ha.recovery.hold import check_evidence, go_on, signs_of_life
from instance_ha.recovery.host_given_back import is_back, what_stays
from instance_ha.recovery.recovery import Done, Held, Outcome, Recovery, Skip
from instance_ha.recovery.reserved_hosts import ReservedHosts
from instance_ha.store import segments, tasks, vmoves


def evacuate_instances(recovery: Recovery, task: TaskRow) -> Outcome:
    """Evacuate everything that is planned; fails when an instance did not move."""
    if not task.details:
        if (held := check_evidence(recovery.claim, recovery.host)) is not None:  # a flow may not wait for the service
            return Held(held)
        go_on(recovery.claim)
        recovery.progress(task, 0.0, f"Evacuation of instances from host {recovery.host.name} started")
    elif recovery.notification.held_since is not None:  # by signs of life, as the evacuations went on
        if (held := _still_alive(recovery, task)) is not None:
            return Held(held)
        go_on(recovery.claim)
    if task.flow is Flow.HOST_RESERVED:
        return _to_reserved_hosts(recovery, task)
    return evacuate_round(recovery, task, None) or _conclude(recovery, task)


def _still_alive(recovery: Recovery, task: TaskRow) -> Hold | None:
    """Say what still keeps it, unless Nova calls the host up: then it is over."""
    if SourceHost(recovery, task).state() is SourceState.UP:
        return None
    with recovery.claim.read() as connection:
        return signs_of_life(connection, recovery.notification, recovery.host.name, recovery.world.clock.now())


def _to_reserved_hosts(recovery: Recovery, task: TaskRow) -> Outcome:
    """Fill one reserved host after another, until nothing is left over or no host is."""
    memory = reserved_hosts.recall(recovery, task)
    while True:
        moves = _moves(recovery)
        if memory.held is None:
            rest = left_over(moves)
            if not rest or _is_disabled(recovery) or is_up_again(recovery, task):
                return _conclude(recovery, task)
            taken = reserved_hosts.take(recovery, task, memory, rest)
            if taken is None:
                return _conclude(recovery, task, "no reserved host is left")
            memory = taken
        ready = reserved_hosts.make_ready(recovery, task, memory)
        if ready is None:
            memory = reserved_hosts.give_back(recovery, task, memory)
            continue
        assert ready.held is not None
        if (kept := evacuate_round(recovery, task, ready.held.name)) is not None:
            return kept
        memory = _release(recovery, task, ready)


def give_up(recovery: Recovery, task: TaskRow) -> str | None:
    """Give a reserved host back that is held for nothing; says why it is not when an instance may be on its way."""
    memory = reserved_hosts.recall(recovery, task)
    if memory.held is None:
        return None
    if any(move.status is VMoveStatus.ONGOING for move in _moves(recovery)):
        return f"reserved host {memory.held.name} is not given back: an evacuation may be under way to it"
    _release(recovery, task, memory)
    return None


def _release(recovery: Recovery, task: TaskRow, memory: ReservedHosts) -> ReservedHosts:
    assert memory.held is not None
    name = memory.held.name
    if any(move.dest_host == name for move in _moves(recovery)):
        return reserved_hosts.keep(recovery, task, memory)
    return reserved_hosts.give_back(recovery, task, memory)


def _moves(recovery: Recovery) -> list[VMove]:
    with recovery.claim.read() as connection:
        return vmoves.of_attempt(connection, recovery.notification.notification_uuid, recovery.notification.attempt)


def account(connection: Connection, notification: Notification) -> tuple[list[VMove], Tally]:
    """Read the latest vmove of each instance of a recovery, and say how they have fared."""
    uuid = notification.notification_uuid
    moves = of_recovery(vmoves.of_notification(connection, uuid), notification.attempt)
    return moves, tally(moves, tasks.recall_latest(connection, uuid, LeftOut) or LeftOut())


def _is_disabled(recovery: Recovery) -> bool:
    with recovery.claim.read() as connection:
        return not segments.is_enabled(connection, recovery.host.failover_segment_id)


def _conclude(recovery: Recovery, task: TaskRow, problem: str | None = None) -> Outcome:
    """Say how it went, by the latest vmove of each instance."""
    with recovery.claim.read() as connection:
        moves, result = account(connection, recovery.notification)
    if take_back_failed(recovery, moves):
        with recovery.claim.read() as connection:
            moves, result = account(connection, recovery.notification)
    lines, is_short, is_disabled = _ids(moves), result.failed or result.untried, _is_disabled(recovery)
    if not (is_short or problem or is_disabled):
        lines.append((1.0, f"Evacuation completed: {result.text}"))
        recovery.progress_lines(task, lines, TaskState.SUCCESS)
        return Done()
    if lines:
        recovery.progress_lines(task, lines)
    if is_short and is_up_again(recovery, task):
        return is_back(recovery, result.text)
    if is_disabled:
        return _stopped(recovery, result)
    raise RecoveryFailed("; ".join(filter(None, (problem, result.text))))


def _ids(moves: list[VMove]) -> list[tuple[float, str]]:
    """Name what has moved, and what has failed, in lines of progress."""
    ended = ((VMoveStatus.SUCCEEDED, "evacuated"), (VMoveStatus.FAILED, "failed to evacuate"))
    named = ((what, ",".join(move.instance_uuid for move in moves if move.status is status)) for status, what in ended)
    return [(0.7, f"Instances {what}: {ids}") for what, ids in named if ids]


def _stopped(recovery: Recovery, result: Tally) -> Skip:
    reasons = f"the segment was disabled meanwhile: {result.text}", what_stays(recovery)
    reason = "; ".join(filter(None, reasons))
    log.get().warning("recovery stopped", reason=reason)
    complete = not (result.failed or result.untried)
    return Skip(reason, NotificationStatus.FINISHED if complete else NotificationStatus.IGNORED)
