"""EvacuateInstancesTask: keep a bounded number of evacuations in flight, and watch them all with one question.

This loop is the only one that begins evacuations of a notification, and it holds the notification's lease; so
the bound is kept by rows. Each evacuation is begun and closed by recover-instance. In between nobody waits
for a single instance: one list of Nova's migration records tells of all.
"""

from collections.abc import Iterable, Sequence

from instance_ha import emit, log
from instance_ha.decide import slots
from instance_ha.decide.evacuation import watch
from instance_ha.decide.outcome import tally
from instance_ha.models.cloud import Migration
from instance_ha.models.enums import TaskState, VMoveStep
from instance_ha.models.errors import CloudUnavailable, RecoveryFailed
from instance_ha.models.rows import TaskRow, VMove
from instance_ha.models.work import EVACUATE_INSTANCE, Work
from instance_ha.recovery.context import Done, NotYet, Outcome, Recovery
from instance_ha.store import vmoves


def evacuate_instances(recovery: Recovery, task: TaskRow) -> Outcome:
    """Evacuate everything that is planned; fails when an instance did not move."""
    if not task.details:
        recovery.report(task, 0.0, f"Evacuation of instances from host {recovery.host.name} started")
    while True:
        ongoing, begun = _begin_next(recovery)
        if not ongoing and not begun:
            return _conclude(recovery, task)
        if _settle(recovery, [move for move in ongoing if move.step is VMoveStep.WATCHED]):
            _begin_next(recovery)  # slots have become free: fill them before the pause
        if recovery.out_of_time:
            return NotYet()
        recovery.world.clock.sleep(recovery.world.settings.verify_interval)


def _begin_next(recovery: Recovery) -> tuple[list[VMove], Sequence[str]]:
    """Fill the free slots; returns what was in work before, and what has just begun."""
    uuid = recovery.notification.notification_uuid
    now = recovery.world.clock.now()
    with recovery.world.database.begin() as connection:
        recovery.lease.renew(connection, now)
        ongoing = vmoves.ongoing(connection, uuid)
        busy = slots.busy(ongoing)
        free = max(0, recovery.world.settings.host_failure_recovery_threads - busy)
        begun = vmoves.start_next(connection, uuid, free, now) if free else []
        emit.vmoves_begun(recovery.world, connection, begun)
    if begun:
        log.get().info("evacuations begun", count=len(begun), in_flight=busy + len(begun))
        recovery.world.step("evacuations-begun")
        _publish(recovery, begun)
    return ongoing, begun


def _settle(recovery: Recovery, watched: Sequence[VMove]) -> bool:
    """Find the evacuations that need a look, and give them one; says whether Nova is done with any."""
    if not watched:
        return False
    try:
        newest = _newest_migrations(recovery, watched)
    except CloudUnavailable as error:
        log.get().warning("Nova does not tell about evacuations", error=str(error))
        return False
    now = recovery.world.clock.now()
    found = watch(watched, newest, now, recovery.world.settings.wait_period_after_evacuation)
    if found.done or found.unseen:
        with recovery.world.database.begin() as connection:
            vmoves.due_now(connection, found.done, VMoveStep.SETTLE, now)
            vmoves.due_now(connection, found.unseen, VMoveStep.WATCHED, now)
        recovery.world.step("evacuations-settled")
        _publish(recovery, found.done + found.unseen)
    return bool(found.done)


def _newest_migrations(recovery: Recovery, watched: Sequence[VMove]) -> dict[str, Migration]:
    """Read Nova's newest record of each watched instance; records come newest first, so mostly from one page."""
    missing = {move.instance_uuid for move in watched}
    since = min(move.newer_than for move in watched)
    page = max(50, 4 * recovery.world.settings.host_failure_recovery_threads)
    newest: dict[str, Migration] = {}
    for migration in recovery.world.nova.evacuations_from(recovery.host.name, since, min(page, 1000)):
        newest.setdefault(migration.server_id, migration)
        missing.discard(migration.server_id)
        if not missing:
            break
    return newest


def _publish(recovery: Recovery, uuids: Iterable[str]) -> None:
    request_id = recovery.notification.request_id
    recovery.world.publisher.publish(Work(EVACUATE_INSTANCE, uuid, request_id) for uuid in uuids)


def _conclude(recovery: Recovery, task: TaskRow) -> Outcome:
    uuid, attempt = recovery.notification.notification_uuid, recovery.notification.attempt
    with recovery.world.database.begin() as connection:
        result = tally(vmoves.of_attempt(connection, uuid, attempt))
    if result.failed:
        raise RecoveryFailed(result.text)
    recovery.report(task, 1.0, f"Evacuation completed: {result.text}", TaskState.SUCCESS)
    return Done()
