"""One invocation's share of the return of a host.

It runs in recover-host, under the lease of the return's own row: the recovery that it undoes has ended, and keeps its
status. A return that may not begin yet is due again, and has changed nothing but a force-down that stands in its way.
"""

from dataclasses import replace

from instance_ha import emit, log
from instance_ha.decide import returning as decided
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.errors import TryAgain
from instance_ha.models.returns import HostReturn, ReturnStatus
from instance_ha.models.rows import Host
from instance_ha.models.triggers import RETURN_HOST, Trigger
from instance_ha.recovery.claim import Claim, claim_return
from instance_ha.recovery.returning.host import Returning, bring_back, check, reserve_again, what_stays
from instance_ha.recovery.returning.moves import move_home
from instance_ha.store import host_recoveries, hosts, returns
from instance_ha.world import RecoveryWorld


def return_host(world: RecoveryWorld, return_uuid: str) -> None:
    """Advance the return of a host as far as one invocation can."""
    claim = claim_return(world, return_uuid)
    if claim is None:
        log.get().debug("return not claimable", return_uuid=return_uuid)
        return
    with log.bound(return_uuid=return_uuid):
        world.breakpoint(Breakpoint.RETURN_CLAIMED)
        with claim.lease_guard():
            _advance(claim)


def _advance(claim: Claim[HostReturn]) -> None:
    with claim.read() as connection:
        host = hosts.by_uuid(connection, claim.row.host_uuid)
    if host is None:
        _close(claim, ReturnStatus.FAILED, "the host is not registered any more")
        return
    work = Returning(claim, host)
    if claim.row.status is ReturnStatus.WAITING and not _begin(work):
        return
    if (instead := bring_back(work)) is not None:
        _close(claim, *instead)
        return
    if claim.row.move_home and not move_home(work):
        trigger = Trigger(RETURN_HOST, claim.row.uuid)
        claim.hand_over(trigger, host=host.name)
        return
    _conclude(work)


def _begin(work: Returning) -> bool:
    """Begin when all is so that must be; False while it is not, or when that is waited for no more."""
    claim, now = work.claim, work.world.clock.now()
    if claim.row.stopped_by is not None:
        _close(claim, ReturnStatus.STOPPED, "an operator has stopped it before it began")
        return False
    missing = check(work)
    if not missing:
        with claim.transaction(status=ReturnStatus.RUNNING, begun_at=now, message=None, tries=0) as connection:
            emit.return_begun(work.world, connection, claim.row.uuid)
        claim.row = replace(claim.row, status=ReturnStatus.RUNNING)
        log.get().info("return begun", host=work.host.name, move_home=claim.row.move_home)
        work.world.breakpoint(Breakpoint.RETURN_BEGUN)
        return True
    reason = "; ".join(missing)
    waited = (now - claim.row.created_at).total_seconds()
    if claim.row.actor is not None and waited > work.world.settings.return_wait:
        _close(claim, ReturnStatus.FAILED, f"it could not begin in time: {reason}")
        return False
    message = f"waiting: {reason}"
    if message != claim.row.message:
        log.get().info("return waits", host=work.host.name, reason=reason)
    due_at = decided.check_again_at(claim.row.created_at, now)
    with claim.release(due_at, message=message, tries=0, reports=claim.row.reports):
        pass
    return False


def _conclude(work: Returning) -> None:
    """End a return whose moves, if there were any, have ended."""
    claim, name = work.claim, work.host.name
    with claim.read() as connection:
        moves = returns.moves_home(connection, claim.row, name) if claim.row.move_home else []
        stopped = returns.find(connection, claim.row.uuid).stopped_by is not None
        host = hosts.by_uuid(connection, work.host.uuid)
        has_failed = host_recoveries.current(connection, work.host.uuid) is not None
    if host is None or host.on_maintenance or has_failed:
        reasons = f"host {name} was back, and has failed again or was put on maintenance", decided.text(moves)
        _close(claim, ReturnStatus.FAILED, "; ".join(filter(None, reasons)))
        return
    parts = [f"host {name} is back", what_stays(work), decided.text(moves)]
    if claim.row.move_home and not stopped:
        parts += reserve_again(work)
    if any(move.status is VMoveStatus.FAILED for move in moves):
        status = ReturnStatus.FAILED
    else:
        status = ReturnStatus.STOPPED if stopped else ReturnStatus.FINISHED
    _close(claim, status, "; ".join(filter(None, parts)), still_healthy=host)


def _close(claim: Claim[HostReturn], status: ReturnStatus, message: str, *, still_healthy: Host | None = None) -> None:
    now = claim.world.clock.now()
    with claim.release(None, status=status, message=message, ended_at=now, updated_at=now, tries=0) as connection:
        if still_healthy is not None:
            hosts.lock(connection, still_healthy.uuid)  # so that no failure of it is reported meanwhile
            if host_recoveries.current(connection, still_healthy.uuid) is not None:
                raise TryAgain(f"host {still_healthy.name} has failed again")  # the next invocation ends it
        emit.return_ended(claim.world, connection, claim.row.uuid)
        if status is ReturnStatus.FAILED:  # it may have failed again, and been recovered again, meanwhile
            returns.plan_if_due(connection, claim.row.host_uuid, now)
    log.get().info("return closed", status=str(status), message=message)
    claim.world.breakpoint(Breakpoint.RETURN_CLOSED)
