"""The instances of a host that is back go home by live migration: a few at once, each written down before it is asked.

Nova refuses a second live migration of an instance while one is under way, and an instance that is home already; so
one that nobody has heard of may be asked for again.
"""

from collections.abc import Sequence
from datetime import timedelta

from instance_ha import emit, log
from instance_ha.decide import returning as decided
from instance_ha.decide.outcome import hopeless
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import OPEN_VMOVE, VMoveStatus
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import VMove
from instance_ha.recovery.returning.host import Returning
from instance_ha.store import host_recoveries, hosts, pauses, returns

_PAUSE = timedelta(seconds=2)


def move_home(work: Returning) -> bool:
    """Move the instances home that are where their last evacuation has put them; False when time is up before."""
    if not work.claim.row.is_planned:
        _plan(work)
    while _advance(work):
        if work.claim.out_of_time:
            return False
        work.claim.keep()
        work.world.clock.sleep(_PAUSE.total_seconds())
    return True


def _advance(work: Returning) -> bool:
    """Check what is under way, and begin what may begin; False when nothing is left."""
    for move in _moves(work):
        if move.status is VMoveStatus.ONGOING:
            _check(work, move)
    moves = _moves(work)
    reason, may_begin = _may_begin(work, moves)
    if reason is not None:
        _leave_the_rest(work, moves, reason)
    elif may_begin:
        _fill(work, moves)
    return any(move.status in OPEN_VMOVE for move in _moves(work))


def _plan(work: Returning) -> None:
    with work.claim.transaction(is_planned=True) as connection:
        evacuated = returns.movable(connection, work.host.uuid)
        returns.plan(connection, evacuated, work.host.name, work.world.clock.now())
    log.get().info("moves home planned", host=work.host.name, count=len(evacuated))
    work.world.breakpoint(Breakpoint.RETURN_PLANNED)


def _moves(work: Returning) -> list[VMove]:
    with work.claim.read() as connection:
        return returns.moves_home(connection, work.claim.row, work.host.name)


def _may_begin(work: Returning, moves: Sequence[VMove]) -> tuple[str | None, bool]:
    """Say why nothing more may begin for good, if so; and whether anything may begin now."""
    settings, now = work.world.settings, work.world.clock.now()
    with work.claim.read() as connection:
        row = returns.find(connection, work.claim.row.uuid)
        host = hosts.by_uuid(connection, work.host.uuid)
        failed = host_recoveries.current(connection, work.host.uuid)
        is_paused = bool(host and pauses.over(connection, host, now))
    ended = sorted((move for move in moves if move.end_time is not None), key=lambda move: move.end_time or now)
    tried = [move for move in reversed(ended) if move.asked_at is not None]
    if row.stopped_by is not None:
        return "not moved, since an operator has stopped the return", False
    if failed is not None or host is None or host.on_maintenance_for is not None:
        return f"not moved, since host {work.host.name} has failed again", False
    if host.on_maintenance:
        return f"not moved, since host {work.host.name} was put on maintenance", False
    limit = settings.evacuation_abort_after
    return hopeless(tried, limit, elsewhere=False, what="live migrations"), not is_paused


def _leave_the_rest(work: Returning, moves: Sequence[VMove], reason: str) -> None:
    waiting = [move for move in moves if move.status is VMoveStatus.PENDING]
    for move in waiting:
        _end(work, move, decided.Over(VMoveStatus.IGNORED, reason))


def _fill(work: Returning, moves: Sequence[VMove]) -> None:
    """Begin as many as are free."""
    busy = sum(move.status is VMoveStatus.ONGOING for move in moves)
    waiting = [move for move in moves if move.status is VMoveStatus.PENDING]
    free = work.world.settings.return_threads - busy
    while waiting and free > 0 and not work.claim.out_of_time:
        free -= _begin(work, waiting.pop(0))


def _begin(work: Returning, move: VMove) -> bool:
    """Ask for one live migration; False when the instance stays where it is."""
    reason = decided.reason_to_stay(move, work.nova.server(move.instance_uuid))
    if reason is not None:
        _end(work, move, decided.Over(VMoveStatus.IGNORED, reason))
        return False
    newest = work.nova.latest_live_migration(move.instance_uuid)
    return _ask(work, move, newest.id if newest is not None else 0)


def _ask(work: Returning, move: VMove, last_migration_id: int) -> bool:
    with work.claim.transaction() as connection:
        returns.begin_move(connection, move, last_migration_id, work.world.clock.now())
        emit.vmoves_begun(work.world, connection, [move.uuid])
    work.world.breakpoint(Breakpoint.RETURN_MOVE_RECORDED)
    try:
        work.nova.live_migrate(move.instance_uuid, work.host.name)
    except CloudRefused as error:
        _end(work, move, decided.Over(VMoveStatus.FAILED, f"Nova refused the live migration: {error}"))
        return False
    log.get().info("live migration asked", instance=move.instance_name, source_host=move.source_host)
    work.world.breakpoint(Breakpoint.RETURN_MOVE_REQUESTED)
    return True


def _check(work: Returning, move: VMove) -> None:
    """Find out how a live migration stands, and close its row if it is over."""
    settings = work.world.settings
    server = work.nova.server(move.instance_uuid)
    record = work.nova.latest_live_migration(move.instance_uuid) if server is not None else None
    limits = settings.nova_late_request_limit, settings.live_migration_give_up_after
    finding = decided.check(move, server, record, work.world.clock.now(), *limits)
    if isinstance(finding, decided.Over):
        _end(work, move, finding)
    elif isinstance(finding, decided.AskAgain):
        log.get().warning("live migration lost, asking again", instance=move.instance_name)
        _begin_again(work, move)


def _begin_again(work: Returning, move: VMove) -> None:
    reason = decided.reason_to_stay(move, work.nova.server(move.instance_uuid))
    if reason is not None:
        _end(work, move, decided.Over(VMoveStatus.IGNORED, reason))
        return
    _ask(work, move, move.last_migration_id)


def _end(work: Returning, move: VMove, over: decided.Over) -> None:
    now = work.world.clock.now()
    with work.claim.transaction() as connection:
        returns.end_move(connection, move, over.status, over.message, now)
        emit.vmoves_ended(work.world, connection, [move.uuid])
    about = {"status": str(over.status), "source_host": move.source_host, "message": over.message}
    log.get().info("live migration ended", instance=move.instance_name, **about)
    work.world.breakpoint(Breakpoint.RETURN_MOVE_ENDED)
