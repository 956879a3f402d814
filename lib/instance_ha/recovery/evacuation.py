"""One vmove: begin the evacuation of an instance, or close it once Nova is done (reference, 5.3.1).

Between the two nobody waits here: recover-host watches. Whatever changes the world is written down before it
is sent; after a crash Nova is asked before anything is sent again.
"""

from dataclasses import dataclass, replace
from datetime import timedelta

from instance_ha import emit, log
from instance_ha.decide import evacuation
from instance_ha.decide.evacuation import Ask, End, Moved, Restoration, Verdict
from instance_ha.models.cloud import Migration, Server
from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import VMove
from instance_ha.recovery.holding import holding
from instance_ha.store import vmoves
from instance_ha.store.work import Lease
from instance_ha.world import World, new_owner

_GONE = 404


def evacuate(world: World, vmove_uuid: str) -> None:
    """Do what is due for one vmove."""
    with world.database.begin() as connection:
        move = vmoves.claim(connection, vmove_uuid, new_owner(), world.clock.now(), world.settings.lease_time)
    if move is None:
        log.get().debug("vmove is not to be had", vmove_uuid=vmove_uuid)
        return
    lease = vmoves.lease(move, world.settings.lease_time)
    with log.bound(notification_uuid=move.notification_uuid, instance_uuid=move.instance_uuid):
        world.step("instance-claimed")
        with holding(world, lease, move.tries):
            _work(Evacuation(world, lease, move))


@dataclass
class Evacuation:
    """A claimed vmove; ``move`` follows what is written to the row."""

    world: World
    lease: Lease
    move: VMove

    def write(self, **values: object) -> None:
        """Write to the row while it is ours; raises LeaseLost when it is not."""
        with self.world.database.begin() as connection:
            self.lease.write(connection, **values)
        self.move = replace(self.move, **values)  # type: ignore[arg-type]

    def server(self) -> Server | None:
        """Ask Nova for the instance."""
        return self.world.nova.server(self.move.instance_uuid)

    def migration(self) -> Migration | None:
        """Ask Nova for its record of this evacuation."""
        records = self.world.nova.evacuations_from(self.move.source_host, self.move.newer_than, 100)
        return next((m for m in records if m.server_id == self.move.instance_uuid), None)


def _work(work: Evacuation) -> None:
    try:
        if work.move.step is VMoveStep.START:
            _begin(work)
        else:
            _look(work)
    except CloudRefused as error:
        gone = error.code == _GONE
        status = VMoveStatus.IGNORED if gone else VMoveStatus.FAILED
        _close(work, End(status, "the instance was deleted" if gone else str(error)))


def _begin(work: Evacuation) -> None:
    """Lock the instance, make it ready, ask for the evacuation, and leave it to the watch."""
    move, nova, world = work.move, work.world.nova, work.world
    if not move.facts.locked:
        if not move.locked_by_us:
            work.write(locked_by_us=True)
        nova.lock(move.instance_uuid, f"masakari: notification {move.notification_uuid}")
        world.step("instance-locked")
    if evacuation.prepare(move.facts).reset_to_error:
        nova.reset_to_error(move.instance_uuid)
    try:
        _ask(work)
    except CloudRefused as error:
        _after_refusal(work, error)


def _ask(work: Evacuation) -> None:
    world, move = work.world, work.move
    work.write(step=VMoveStep.ASKING, asked_at=world.clock.now())
    world.step("instance-written-down")
    world.nova.evacuate(move.instance_uuid)
    world.step("instance-asked")
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
        _close(work, verdict)
    elif refusal.code == 409 and server is not None and _must_reset(work, server):
        work.world.nova.reset_to_error(work.move.instance_uuid)
        _ask(work)
    else:
        _close(work, End(VMoveStatus.FAILED, f"Nova refused the evacuation: {refusal}"))


def _must_reset(work: Evacuation, server: Server) -> bool:
    now = replace(work.move.facts, vm_state=server.vm_state, task_state=server.task_state)
    return evacuation.prepare(now).reset_to_error


def _look(work: Evacuation) -> None:
    """Find out how the evacuation stands, and close it if it is over."""
    world, settings = work.world, work.world.settings
    if work.move.dest_host is not None:  # it had moved; the invocation that gave it its state back died
        _restore(work, Moved(work.move.dest_host))
        return
    deadline = world.deadline()
    while True:
        verdict = _verdict(work)
        if isinstance(verdict, Ask):
            _begin(work)
            return
        if isinstance(verdict, Moved):
            _restore(work, verdict)
            return
        if isinstance(verdict, End):
            _close(work, verdict)
            return
        if not verdict.settling or world.clock.now() >= deadline:
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


def _restore(work: Evacuation, moved: Moved) -> None:
    """Give the instance the state back that it had; it has moved, whatever comes of this."""
    restoration = evacuation.restore(work.move.facts)
    message = restoration.message
    if restoration.actions:
        if work.move.dest_host is None:
            work.write(dest_host=moved.dest_host)
        problem = _act(work, restoration)
        message = problem or message
        work.world.step("instance-restored")
    _close(work, End(VMoveStatus.SUCCEEDED, message or ""), moved.dest_host)


_STATE_AFTER = {"stop": "stopped", "pause": "paused", "suspend": "suspended", "reset_error": "error"}


def _act(work: Evacuation, restoration: Restoration) -> str | None:
    """Run the actions; returns what did not work."""
    nova, instance = work.world.nova, work.move.instance_uuid
    do = {"pause": nova.pause, "suspend": nova.suspend, "reset_error": nova.reset_to_error}
    try:
        server = work.server()
        if server is None or server.vm_state == _STATE_AFTER[restoration.actions[-1]]:
            return None  # deleted, or done by an invocation that died then
        for action in restoration.actions:
            if action != "stop":
                do[action](instance)
            elif not _stop(work):
                return "evacuated, but it did not stop in time"
    except CloudRefused as error:
        return f"evacuated, but its state could not be given back: {error}"
    return None


def _stop(work: Evacuation) -> bool:
    """Stop the instance and wait until it has."""
    world = work.world
    until = world.clock.now() + timedelta(seconds=world.settings.wait_period_after_power_off)
    asked = False
    while world.clock.now() < until:
        server = work.server()
        if server is None or server.vm_state == "stopped":
            return True
        if not asked and server.task_state is None:
            world.nova.stop(work.move.instance_uuid)
            asked = True
        with world.database.begin() as connection:
            work.lease.renew(connection, world.clock.now())
        world.clock.sleep(world.settings.verify_interval)
    return False


def _close(work: Evacuation, end: End, dest_host: str | None = None) -> None:
    """Unlock the instance if we locked it, and end the row."""
    if work.move.locked_by_us:
        try:
            work.world.nova.unlock(work.move.instance_uuid)
        except CloudRefused as error:
            if error.code != _GONE:
                log.get().warning("instance not unlocked", reason=str(error))
        work.world.step("instance-unlocked")
    now = work.world.clock.now()
    with work.world.database.begin() as connection:
        work.lease.release(
            connection,
            None,
            status=end.status,
            message=end.message or None,
            dest_host=dest_host,
            end_time=now,
            updated_at=now,
        )
        emit.vmoves_ended(work.world, connection, [work.move.uuid])
    log.get().info(
        "evacuation ended",
        instance=work.move.instance_name,
        status=str(end.status),
        dest_host=dest_host,
        message=end.message or None,
    )
    work.world.step("instance-closed")
