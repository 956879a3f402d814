"""One vmove: begin the evacuation of an instance, or close it once Nova is done (reference, 5.3.1).

Between the two nobody waits here: recover-host watches. After a crash Nova is asked before anything is sent again.
"""

from instance_ha import log
from instance_ha.decide import evacuation
from instance_ha.decide.evacuation import Ask, End, Moved, Verdict
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.errors import CloudRefused
from instance_ha.recovery.begin_evacuation import begin
from instance_ha.recovery.holding import holding
from instance_ha.recovery.one_evacuation import GONE, Evacuation, close
from instance_ha.recovery.restore_instance import restore
from instance_ha.store import vmoves
from instance_ha.world import World, new_owner


def evacuate(world: World, vmove_uuid: str) -> None:
    """Do what is due for one vmove."""
    with world.database.begin() as connection:
        move = vmoves.claim(connection, vmove_uuid, new_owner(), world.clock.now(), world.settings.lease_time)
    if move is None:
        log.get().debug("vmove is not to be had", vmove_uuid=vmove_uuid)
        return
    lease = vmoves.lease(move, world.settings.lease_time)
    with log.bound(notification_uuid=move.notification_uuid, instance_uuid=move.instance_uuid):
        world.breakpoint(Breakpoint.VMOVE_CLAIMED)
        with holding(world, lease, move.tries):
            _work(Evacuation(world, lease, move, world.deadline()))


def _work(work: Evacuation) -> None:
    try:
        if work.move.step is VMoveStep.START:
            begin(work)
        else:
            _look(work)
    except CloudRefused as error:
        gone = error.code == GONE
        status = VMoveStatus.IGNORED if gone else VMoveStatus.FAILED
        close(work, End(status, "the instance was deleted" if gone else str(error)))


def _look(work: Evacuation) -> None:
    """Find out how the evacuation stands, and close it if it is over."""
    world, settings = work.world, work.world.settings
    if work.move.dest_host is not None:  # that it has moved is known already
        restore(work, Moved(work.move.dest_host))
        return
    while True:
        verdict = _verdict(work)
        if isinstance(verdict, Ask):
            begin(work)
            return
        if isinstance(verdict, Moved):
            restore(work, verdict)
            return
        if isinstance(verdict, End):
            close(work, verdict)
            return
        if not verdict.settling or world.clock.now() >= work.deadline:
            with world.database.begin() as connection:
                work.lease.release(connection, None, step=VMoveStep.WATCHED, updated_at=world.clock.now())
            return
        with world.database.begin() as connection:
            work.lease.renew(connection, world.clock.now())
        world.clock.sleep(settings.verify_interval)


def _verdict(work: Evacuation) -> Verdict:
    server = work.server()
    age = evacuation.age(work.move, work.world.clock.now(), work.world.settings.evacuation_give_up_after)
    plain = server is None or (server.host != work.move.source_host and server.vm_state != "error")
    return evacuation.look(work.move, server, None if plain else work.migration(), age)
