"""The dispatcher of evacuations: a bounded number in flight, all watched with one question.

This loop is the only one that begins evacuations of a notification, and it holds the notification's lease; so
the bound is kept by rows. Each evacuation is started and closed by recover-instance. In between no invocation
waits for a single instance: one list of Nova's migration records tells of all, and one list of locked instances
tells which locks are ours.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide import destinations, slots
from instance_ha.decide.evacuation import Watch, lock_reason, watch
from instance_ha.decide.outcome import hopeless
from instance_ha.decide.service import Source
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import CLOCKS_APART, Migration
from instance_ha.models.enums import VMoveStep
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.rows import TaskRow, VMove
from instance_ha.models.triggers import EVACUATE_INSTANCE, Trigger
from instance_ha.recovery.evacuation.dest_hosts import DestHosts
from instance_ha.recovery.evacuation.source_host import SourceHost
from instance_ha.recovery.evacuation.under_way import PAGE, under_way
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import segments, vmoves

_FRESH = timedelta(seconds=5)  # what was listed so recently need not be asked again


def evacuate_round(recovery: Recovery, task: TaskRow, target_host: str | None) -> bool:
    """Evacuate all that is planned, to one host or to where the scheduler likes; False when time is up before."""
    records, host, dests = _Records(recovery), SourceHost(recovery, task), DestHosts(recovery)
    while True:
        ongoing, waiting_since = _state(recovery)
        if not ongoing and waiting_since is None:
            return True
        found = _watch(recovery, records, dests, [move for move in ongoing if move.step is VMoveStep.WATCHED])
        free = slots.free(ongoing, found.done, recovery.world.settings.host_failure_recovery_threads)
        if found.done or (waiting_since is not None and free > 0):
            begun = _go_on(recovery, host, records, found, free, target_host, waiting_since)
            if begun:
                recovery.progress(task, 0.5, f"Evacuation started of {','.join(begun)}")
        elif found.unseen:
            uuids = [move.uuid for move in found.unseen]
            with recovery.claim.transaction() as connection:
                vmoves.check_again(connection, uuids, recovery.world.clock.now())
            _publish(recovery, uuids)
        if recovery.claim.out_of_time:
            return False
        now = recovery.world.clock.now()
        pause = slots.pause(ongoing, now, recovery.world.settings.verify_interval)
        recovery.world.clock.sleep(max(0.0, min(pause, (recovery.claim.deadline - now).total_seconds())))


def _state(recovery: Recovery) -> tuple[list[VMove], datetime | None]:
    uuid = recovery.notification.notification_uuid
    with recovery.claim.transaction() as connection:
        return vmoves.ongoing(connection, uuid), vmoves.waiting_since(connection, uuid)


def _go_on(
    recovery: Recovery,
    source: SourceHost,
    records: "_Records",
    found: Watch,
    free: int,
    target_host: str | None,
    waiting_since: datetime | None,
) -> list[str]:
    """Hand what Nova is done with to be closed, and fill the free slots; returns the instances that began."""
    uuid, now = recovery.notification.notification_uuid, recovery.world.clock.now()
    just_listed = waiting_since is not None and now - waiting_since < _FRESH
    try:
        locks = set() if just_listed and not found.done else _foreign_locks(recovery)
        may_begin = waiting_since is not None and free > 0
        host = source.state() if may_begin else Source.UNKNOWN
        if host is Source.DOWN and not just_listed:
            records.refresh()
        others = _under_way(recovery, records) if host is Source.DOWN else {}
        instead = [] if target_host is not None else _instead(recovery)
    except (CloudUnavailable, CloudRefused) as error:
        log.get().warning("Nova does not tell about locks, the host, or evacuations", error=str(error))
        return []
    with recovery.claim.transaction() as connection:
        for move, dest_host in found.done:
            ours = move.locked_by_us and move.instance_uuid not in locks
            vmoves.settle(connection, move.uuid, dest_host, ours, now)
        vmoves.check_again(connection, [move.uuid for move in found.unseen], now)
        vmoves.note_locked(connection, uuid, sorted(locks))
        begun: Sequence[VMove] = ()
        if (reason := _reason_to_stop(connection, recovery, host, elsewhere=bool(instead))) is not None:
            emit.vmoves_ended(recovery.world, connection, vmoves.ignore_pending(connection, uuid, reason, now))
        elif host is Source.DOWN:
            vmoves.follow(connection, uuid, {server_id: record.id for server_id, record in others.items()}, now)
            begun = vmoves.start_next(connection, uuid, free, target_host, now)
            vmoves.aim(connection, destinations.spread(begun, instead))
            emit.vmoves_begun(recovery.world, connection, [move.uuid for move in begun])
    if begun:
        log.get().info("evacuations begun", count=len(begun), target_host=target_host)
    if reason is not None:
        log.get().warning("no more evacuations are begun", reason=reason, host=recovery.host.name)
    recovery.world.breakpoint(Breakpoint.ROUND_ADVANCED)
    settled = [move for move, _ in found.done]
    _publish(recovery, (move.uuid for move in [*settled, *found.unseen, *begun]))
    return [move.instance_uuid for move in begun]


def _under_way(recovery: Recovery, records: "_Records") -> dict[str, Migration]:
    """Find evacuations under way of instances that wait for their turn."""
    not_ended = {server_id: record for server_id, record in records.newest.items() if not record.final}
    with recovery.claim.read() as connection:
        waiting = vmoves.waiting_among(connection, recovery.notification.notification_uuid, not_ended)
    found = {server_id: not_ended[server_id] for server_id in waiting}
    return under_way(recovery.nova, found, recovery.world.clock.now())


def _reason_to_stop(connection: Connection, recovery: Recovery, host: Source, *, elsewhere: bool) -> str | None:
    """Say why nothing more shall begin, if so."""
    if host is Source.UP:
        return f"not evacuated, since host {recovery.host.name} is up again"
    if not segments.is_enabled(connection, recovery.host.failover_segment_id):
        return "not tried, since the segment was disabled"
    limit = recovery.world.settings.evacuation_abort_after
    return hopeless(vmoves.last_ended(connection, recovery.notification, limit), limit, elsewhere=elsewhere)


def _instead(recovery: Recovery) -> list[str]:
    """Name the hosts to send instances to when Nova's scheduler has chosen one that fails; empty while none fails."""
    with recovery.claim.read() as connection:
        counts = vmoves.destinations(connection, recovery.notification.notification_uuid)
    avoid = destinations.failing(counts)
    if not avoid:
        return []
    log.get().debug("destinations avoided", hosts=sorted(avoid))
    return destinations.others(recovery.nova.services(), recovery.host.name, avoid)


def _foreign_locks(recovery: Recovery) -> set[str]:
    """Name the instances that their owners have locked since the failure was reported."""
    ours = lock_reason(recovery.notification.notification_uuid)
    locked = recovery.nova.locked_servers(recovery.notification.created_at - CLOCKS_APART)
    return {server.id for server in locked if server.locked_reason != ours}


def _watch(recovery: Recovery, records: "_Records", dests: DestHosts, watched: Sequence[VMove]) -> Watch:
    """Find the evacuations that Nova is done with, and those to be checked one by one."""
    if not watched:
        return Watch((), ())
    try:
        records.read(watched)
    except (CloudUnavailable, CloudRefused) as error:
        log.get().warning("Nova does not tell about evacuations", error=str(error))
        return Watch((), ())
    down = dests.down(watched, records.newest)
    now, slow = recovery.world.clock.now(), recovery.world.settings.wait_period_after_evacuation
    return watch(watched, records.newest, now, slow, down)


class _Records:
    """Nova's newest evacuation record of each instance, as far as they are needed; they come newest first."""

    def __init__(self, recovery: Recovery) -> None:
        self.newest: dict[str, Migration] = {}
        self._recovery = recovery
        self._read_to: int | None = None  # all newer records have been read
        self._read_at: datetime | None = None
        threads = recovery.world.settings.host_failure_recovery_threads
        self._page = min(max(50, 4 * threads), PAGE)  # the watched ones are mostly among these

    def refresh(self) -> None:
        """Read what is new, unless that was done just now."""
        if self._read_at is None or self._recovery.world.clock.now() - self._read_at > _FRESH:
            self.read(())

    def read(self, watched: Sequence[VMove]) -> None:
        """Read all records that are new since the last time, and those of the watched evacuations again."""
        missing: dict[str, int] = {move.instance_uuid: move.last_migration_id for move in watched}
        read_to = self._first() if self._read_to is None else self._read_to
        since = min([read_to, *missing.values()])
        newest: dict[str, Migration] = {}
        page = PAGE if self._read_to is None else self._page
        for record in self._recovery.nova.evacuations_from(self._recovery.host.name, since, page):
            if record.id <= read_to and not missing:
                break
            newest.setdefault(record.server_id, record)
            missing.pop(record.server_id, None)
        self.newest |= newest
        self._read_at = self._recovery.world.clock.now()
        self._read_to = max((record.id for record in newest.values()), default=read_to)

    def _first(self) -> int:
        with self._recovery.claim.read() as connection:
            return vmoves.planned_after(connection, self._recovery.notification.notification_uuid)


def _publish(recovery: Recovery, uuids: Iterable[str]) -> None:
    triggers = [Trigger(EVACUATE_INSTANCE, uuid, recovery.notification.request_id) for uuid in uuids]
    recovery.world.publisher.publish(triggers, recovery.world.clock.now())
