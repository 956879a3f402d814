"""The begin of one evacuation: whatever changes the world is written down before it is sent."""

from dataclasses import replace

from instance_ha import log
from instance_ha.decide import evacuation
from instance_ha.decide.evacuation import End
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import Migration, Server
from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.errors import CloudRefused
from instance_ha.recovery.one_evacuation import Evacuation, close


def begin(work: Evacuation) -> None:
    """Lock the instance, make it ready, ask for the evacuation, and leave it to the watch."""
    move, nova = work.move, work.world.nova
    must_reset = evacuation.prepare(move.facts).reset_to_error
    # A reset to error and another try wreck what has moved meanwhile, or is about to.
    if (must_reset or move.is_retry) and _is_over(work):
        return
    under_way = _under_way(work) if move.is_retry else None
    if not move.facts.locked:
        _lock(work)
    if under_way is not None:
        _follow(work, under_way)
        return
    if must_reset:
        nova.reset_to_error(move.instance_uuid)
    try:
        _ask(work)
    except CloudRefused as error:
        _after_refusal(work, error)


def _is_over(work: Evacuation) -> bool:
    """Look, and close the row if nothing is left to be done."""
    verdict = evacuation.look(work.move, work.server(), None, evacuation.Age(may_ask_again=False, give_up=False))
    if isinstance(verdict, End):
        close(work, verdict)
        return True
    return False


def _under_way(work: Evacuation) -> Migration | None:
    """Find an earlier evacuation that was given up, and that Nova is still at work on."""
    nova = work.world.nova
    record = nova.latest_evacuation(work.move.instance_uuid)
    if record is None or record.final:
        return None
    dest = nova.service(record.dest_host) if record.dest_host else None
    return record if evacuation.is_at_work(record, dest) else None


def _lock(work: Evacuation) -> None:
    move = work.move
    if not move.locked_by_us:
        work.write(locked_by_us=True)
    work.world.nova.lock(move.instance_uuid, evacuation.lock_reason(move.notification_uuid))
    work.seen = None  # what was seen before does not tell of this lock
    work.world.breakpoint(Breakpoint.INSTANCE_LOCKED)


def _follow(work: Evacuation, under_way: Migration) -> None:
    """Leave an earlier evacuation to the watch as if this row had asked for it: two at once wreck an instance."""
    now = work.world.clock.now()
    values = {"step": VMoveStep.WATCHED, "asked_at": now, "newer_than": under_way.id - 1, "updated_at": now}
    with work.world.database.begin() as connection:
        work.lease.release(connection, None, tries=0, message=None, **values)
    log.get().info("evacuation under way is followed", instance=work.move.instance_name, dest_host=under_way.dest_host)


def _ask(work: Evacuation) -> None:
    world, move = work.world, work.move
    work.write(step=VMoveStep.ASKING, asked_at=world.clock.now())
    world.breakpoint(Breakpoint.EVACUATION_RECORDED)
    world.nova.evacuate(move.instance_uuid, move.target_host)
    world.breakpoint(Breakpoint.EVACUATION_REQUESTED)
    with world.database.begin() as connection:
        now = world.clock.now()
        work.lease.release(connection, None, step=VMoveStep.WATCHED, tries=0, message=None, updated_at=now)
    log.get().info("evacuation asked", instance=move.instance_name)


def _after_refusal(work: Evacuation, refusal: CloudRefused) -> None:
    """Nova did not take the request: find out what has changed since the instance was listed."""
    work.write(step=VMoveStep.START, asked_at=None)
    server = work.server()
    verdict = evacuation.look(work.move, server, None, evacuation.Age(may_ask_again=False, give_up=False))
    if isinstance(verdict, End):
        close(work, verdict)
    elif refusal.code == 409 and server is not None and _must_reset(work, server):
        work.world.nova.reset_to_error(work.move.instance_uuid)
        _ask(work)
    else:
        close(work, End(VMoveStatus.FAILED, f"Nova refused the evacuation: {refusal}"))


def _must_reset(work: Evacuation, server: Server) -> bool:
    now = replace(work.move.facts, vm_state=server.vm_state, task_state=server.task_state)
    return evacuation.prepare(now).reset_to_error
