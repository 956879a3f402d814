"""One vmove: start the evacuation of an instance, or close it once Nova is done.

Between the two nothing waits here: the dispatcher watches. After a crash Nova is asked before anything is sent again.
"""

from datetime import datetime, timedelta

from instance_ha import log
from instance_ha.decide import evacuation, gates
from instance_ha.decide.evacuation import SURE_AFTER, Ask, DestState, End, Finding, Moved, Perhaps, Wait
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import Migration
from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.errors import CloudRefused
from instance_ha.planning.under_way import dest_states
from instance_ha.recovery.claim import claim_vmove
from instance_ha.recovery.evacuation.claimed import GONE, Evacuation
from instance_ha.recovery.evacuation.restore import restore
from instance_ha.recovery.evacuation.start import start
from instance_ha.world import RecoveryWorld


def evacuate(world: RecoveryWorld, vmove_uuid: str) -> None:
    """Do what is due for one vmove."""
    claim = claim_vmove(world, vmove_uuid)
    if claim is None:
        log.get().debug("vmove not claimable", vmove_uuid=vmove_uuid)
        return
    with log.bound(notification_uuid=claim.row.notification_uuid, instance_uuid=claim.row.instance_uuid):
        world.breakpoint(Breakpoint.VMOVE_CLAIMED)
        with claim.lease_guard():
            work = Evacuation(claim)
            try:
                if work.move.step is VMoveStep.START:
                    start(work)
                else:
                    _check(work)
            except CloudRefused as error:
                gone = error.code == GONE and work.server() is None  # else Nova misses something else, a host
                status = VMoveStatus.IGNORED if gone else VMoveStatus.FAILED
                work.close(End(status, "the instance was deleted" if gone else str(error)))


def _check(work: Evacuation) -> None:
    """Find out how the evacuation stands, and close it if it is over."""
    if work.move.dest_host is not None:  # that it has moved is known already
        restore(work, Moved(work.move.dest_host))
        return
    while True:
        finding = _sure_finding(work)
        if isinstance(finding, Ask):
            if finding.last_migration_id is not None:
                work.claim.write(last_migration_id=finding.last_migration_id)
                log.get().warning("evacuation lost, asking again", instance=work.move.instance_name)
            start(work, showed_task=work.seen is not None and evacuation.is_accepted(work.seen))
            return
        if isinstance(finding, Moved):
            restore(work, finding)
            return
        if isinstance(finding, End):
            work.close(finding)
            return
        if not finding.settling or not work.claim.pause():
            _wait(work, finding)
            return


def _wait(work: Evacuation, finding: Wait) -> None:
    """Leave it to the dispatcher, or to the time when it must be checked again."""
    if finding.reason is not None and finding.reason != work.move.message:
        log.get().warning("evacuation waits", instance=work.move.instance_name, reason=finding.reason)
    values = {"step": VMoveStep.WATCHED, "message": finding.reason, "updated_at": work.world.clock.now()}
    with work.claim.release(_due_at(work, finding), **values):
        pass


def _may_be_queued(work: Evacuation) -> bool:
    """Say whether Nova could carry nothing out now: what was asked for may wait in its queue until it can."""
    return gates.cloud_health(work.nova.service_states()).reason is not None


def _due_at(work: Evacuation, finding: Wait) -> datetime | None:
    """Say when to check by itself what the dispatcher cannot see: a request may be sent again then."""
    if not finding.unrecorded or work.move.asked_at is None:
        return None
    return work.move.asked_at + timedelta(seconds=work.world.settings.nova_late_request_limit)


def _sure_finding(work: Evacuation) -> Finding:
    """Say how the evacuation stands; what seems to be over is checked again."""
    since = work.world.clock.now()
    while isinstance(found := _finding(work), Perhaps):
        if work.world.clock.now() - since >= SURE_AFTER:
            return found.end
        if not work.claim.pause():
            return Wait()
    return found


def _finding(work: Evacuation) -> Finding | Perhaps:
    server = work.server()
    settings = work.world.settings
    limits = settings.nova_late_request_limit, settings.evacuation_give_up_after
    age = evacuation.age(work.move, work.world.clock.now(), *limits)
    plain = server is None or (server.host != work.move.source_host and server.vm_state != "error")
    record = None if plain else work.migration()
    found = evacuation.check(work.move, server, record, age, _dest(work, record))
    return Wait() if isinstance(found, Ask) and _may_be_queued(work) else found


def _dest(work: Evacuation, record: Migration | None) -> DestState:
    """Ask about the host to which an evacuation is under way."""
    if record is None or record.moved or record.failed:
        return DestState.UP
    return dest_states(work.source, [record])[record.id]
