"""The start of one evacuation: whatever changes the world is written down before it is sent."""

from dataclasses import replace
from datetime import timedelta

from instance_ha import log
from instance_ha.decide import evacuation
from instance_ha.decide.evacuation import End
from instance_ha.decide.instances import locked_by_others
from instance_ha.decide.service import SourceState
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import Migration
from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.errors import CloudRefused
from instance_ha.planning.under_way import under_way
from instance_ha.recovery.evacuation.claimed import Evacuation
from instance_ha.recovery.evacuation.source_host import state_now
from instance_ha.recovery.hold import signs_of_life
from instance_ha.store import notifications

_FRESH = timedelta(seconds=5)  # so long after the dispatcher listed evacuations under way they need not be read again
_NOTHING_YET = evacuation.Age(may_ask_again=False, give_up=False)


def start(work: Evacuation, *, showed_task: bool = False) -> None:
    """Lock the instance, make it ready, ask for the evacuation, and leave it to the dispatcher.

    ``showed_task``: the task of an evacuation that has come to nothing still stands at the instance, and tells nothing.
    """
    move = work.move
    must_reset = evacuation.prepare(move.facts).reset_to_error
    if (end := _reason_not_to(work, must_reset=must_reset)) is not None:
        work.close(end)
        return
    may_be_late = move.start_time is None or work.world.clock.now() - move.start_time > _FRESH
    if (must_reset or may_be_late) and not _is_still_down(work):
        return
    newer = _newer_record(work) if must_reset or may_be_late else None
    if newer is not None and newer.final and (end := _moved_since(work)) is not None:
        work.close(end)
        return
    followed = _under_way(work, newer)
    if not _stays_locked(work, may_be_late=may_be_late):
        _lock(work)
    if followed is not None:
        _follow(work, followed)
        return
    if must_reset:
        work.nova.reset_to_error(move.instance_uuid)
    try:
        _request(work, showed_task=showed_task)
    except CloudRefused as error:
        _after_refusal(work, error)


def _reason_not_to(work: Evacuation, *, must_reset: bool) -> End | None:
    """End it when there is nothing to evacuate any more, or the instance may run elsewhere."""
    # A reset to error and another try wreck what has moved meanwhile, or is about to.
    if (must_reset or work.move.is_retry or work.move.facts.left_in_error) and (end := _moved_since(work)) is not None:
        return end
    return _may_run_elsewhere(work) if work.move.facts.task_state == evacuation.LIVE_MIGRATING else None


def _may_run_elsewhere(work: Evacuation) -> End | None:
    """End it when a live migration was under way: the instance may run on the new host while Nova shows the old one.

    Nothing ends the migration's record while the old host is dead, but an operator.
    """
    record = work.nova.latest_live_migration(work.move.instance_uuid)
    if record is None or record.dest_host is None or not under_way(work.source, {record.server_id: record}):
        return None
    reason = f"it was being live-migrated to {record.dest_host} when its host died, and may run there already"
    return End(VMoveStatus.FAILED, f"{reason} (migration {record.id} is {record.status})")


def _newer_record(work: Evacuation) -> Migration | None:
    """Find Nova's record of an evacuation that we did not know of when this one was planned."""
    record = work.nova.latest_evacuation(work.move.instance_uuid)
    return None if record is None or record.id <= work.move.last_migration_id else record


def _moved_since(work: Evacuation) -> End | None:
    """End it when it is elsewhere by now: Nova would take it from there, though that host may live."""
    verdict = evacuation.check(work.move, work.server(), None, _NOTHING_YET)
    return verdict if isinstance(verdict, End) else None


def _under_way(work: Evacuation, record: Migration | None) -> Migration | None:
    """Say whether Nova is still at work on an evacuation, ours or not, by its newest record."""
    return None if record is None else under_way(work.source, {record.server_id: record}).get(record.server_id)


def _stays_locked(work: Evacuation, *, may_be_late: bool) -> bool:
    """Say whether somebody else has locked the instance: our lock would replace theirs, and its end take both away."""
    if work.move.facts.locked:
        return True
    server = work.server() if work.seen is None and may_be_late else work.seen
    return server is not None and locked_by_others(server)


def _lock(work: Evacuation) -> None:
    if not work.move.locked_by_us:
        work.claim.write(locked_by_us=True)
    work.nova.lock(work.move.instance_uuid, evacuation.lock_reason(work.move.notification_uuid))
    work.seen = None  # what was seen before does not tell of this lock
    work.world.breakpoint(Breakpoint.INSTANCE_LOCKED)


def _follow(work: Evacuation, record: Migration) -> None:
    """Leave an earlier evacuation to the dispatcher as if this row had asked for it: two at once wreck an instance."""
    now = work.world.clock.now()
    values = {"step": VMoveStep.WATCHED, "asked_at": now, "last_migration_id": record.id - 1, "updated_at": now}
    with work.claim.release(None, tries=0, message=None, **values):
        pass
    about = {"instance": work.move.instance_name, "dest_host": record.dest_host}
    log.get().info("evacuation under way is followed", **about)


def _is_still_down(work: Evacuation) -> bool:
    """Say whether the host may still be evacuated; if not, the row is closed, or waits for its turn once more."""
    state = state_now(work)
    if state is SourceState.DOWN and _shows_life(work):
        state = SourceState.UNKNOWN
    if state is SourceState.UP:
        work.close(End(VMoveStatus.FAILED, f"not evacuated, since host {work.move.source_host} is up again"))
    elif state is SourceState.UNKNOWN:
        values = {"status": VMoveStatus.PENDING, "step": VMoveStep.START, "start_time": None}
        with work.claim.release(None, **values, updated_at=work.world.clock.now()):
            pass
        log.get().warning("failed host reports again", host=work.move.source_host, instance=work.move.instance_name)
    return state is SourceState.DOWN


def _shows_life(work: Evacuation) -> bool:
    """Say whether there is evidence that the host lives."""
    with work.claim.read() as connection:
        notification = notifications.find(connection, work.move.notification_uuid)
        found = signs_of_life(connection, notification, work.move.source_host, work.world.clock.now())
    return found is not None


def _request(work: Evacuation, *, showed_task: bool = False) -> None:
    world, move = work.world, work.move
    now = world.clock.now()
    work.claim.write_ahead(step=VMoveStep.ASKING, asked_at=now, updated_at=now, tries=0, message=None)
    world.breakpoint(Breakpoint.EVACUATION_RECORDED)
    if move.asked_at is not None and _is_recorded(work, showed_task=showed_task):
        return
    work.nova.evacuate(move.instance_uuid, move.target_host)
    world.breakpoint(Breakpoint.EVACUATION_REQUESTED)
    log.get().info("evacuation asked", instance=move.instance_name)


def _is_recorded(work: Evacuation, *, showed_task: bool) -> bool:
    """Read once more right before a second request: whether Nova has carried out the first one after all."""
    record, server, now = _under_way(work, _newer_record(work)), work.server(), work.world.clock.now()
    if record is not None:
        _follow(work, record)
        return True
    shows_task = server is not None and evacuation.is_accepted(server) and not showed_task
    if server is None or server.host != work.move.source_host or shows_task:
        log.get().info("evacuation carried out late", instance=work.move.instance_name)
        with work.claim.release(now, step=VMoveStep.WATCHED, tries=0, message=None, updated_at=now):
            pass
        return True
    return False


def _after_refusal(work: Evacuation, refusal: CloudRefused) -> None:
    """Nova did not take the request: find out what has changed since the instance was listed."""
    work.claim.write(step=VMoveStep.START, asked_at=None)
    if (end := _moved_since(work)) is not None:
        work.close(end)
        return
    server = work.seen
    if refusal.code == 409 and server is not None:
        facts = replace(work.move.facts, vm_state=server.vm_state, task_state=server.task_state)
        if facts != work.move.facts and evacuation.prepare(facts).reset_to_error:
            work.note(facts)  # before its reset: afterwards nobody can tell any more what it was
            start(work)
            return
    work.close(End(VMoveStatus.FAILED, f"Nova refused the evacuation: {refusal}"))
