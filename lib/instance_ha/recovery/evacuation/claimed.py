"""A claimed vmove: what its row and Nova say of it, and how it is closed."""

from dataclasses import asdict, dataclass, replace
from datetime import timedelta

from instance_ha import emit, log
from instance_ha.decide import evacuation
from instance_ha.decide.evacuation import End
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import Migration, Server
from instance_ha.models.enums import VMoveStatus, VMoveStep
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import InstanceFacts, VMove
from instance_ha.recovery.claim import Claim, Claimed

_FRESH = timedelta(seconds=5)  # so long after the dispatcher has listed the locks one need not be read again
GONE = 404  # what Nova answers about an instance that does not exist any more


@dataclass
class Evacuation(Claimed[VMove]):
    """A claimed vmove, and the instance as Nova showed it last."""

    claim: Claim[VMove]
    seen: Server | None = None

    @property
    def move(self) -> VMove:
        """The row, as it was claimed or last written."""
        return self.claim.row

    def note(self, facts: InstanceFacts) -> None:
        """Write down that the instance is something else than when it was listed; raises LeaseLost."""
        with self.claim.transaction(facts=asdict(facts)):
            pass
        self.claim.row = replace(self.move, facts=facts)

    def server(self) -> Server | None:
        """Ask Nova for the instance."""
        self.seen = self.nova.server(self.move.instance_uuid)
        return self.seen

    def migration(self) -> Migration | None:
        """Ask Nova for its record of this evacuation."""
        records = self.nova.evacuations_from(self.move.source_host, self.move.last_migration_id, 100)
        return next((m for m in records if m.server_id == self.move.instance_uuid), None)

    def close(self, end: End) -> None:
        """Unlock the instance if we locked it, and end the row."""
        if self.move.locked_by_us and self._is_locked_by_us():
            try:
                self.nova.unlock(self.move.instance_uuid)
            except CloudRefused as error:
                if error.code != GONE:
                    log.get().warning("instance not unlocked", reason=str(error))
            self.world.breakpoint(Breakpoint.INSTANCE_UNLOCKED)
        now, message = self.world.clock.now(), end.message or None
        result = {"status": end.status, "message": message, "dest_host": end.dest_host, "failed_host": end.failed_host}
        moved_at = self.move.moved_at or (now if end.status is VMoveStatus.SUCCEEDED else None)
        with self.claim.release(None, **result, moved_at=moved_at, end_time=now, updated_at=now) as connection:
            emit.vmoves_ended(self.world, connection, [self.move.uuid])
        about = {
            "status": str(end.status),
            "dest_host": end.dest_host,
            "failed_host": end.failed_host,
            "message": message,
        }
        log.get().info("evacuation ended", instance=self.move.instance_name, **about)
        self.world.breakpoint(Breakpoint.VMOVE_CLOSED)

    def _is_locked_by_us(self) -> bool:
        """Say whether the lock is ours still, by what was read lately: somebody may have locked it since."""
        read_at = self.move.updated_at  # the list of all locks, when the dispatcher has handed it over
        if self.move.step is not VMoveStep.SETTLE:  # it may have come to no lock of ours
            read_at = None
        if self.seen is None and (read_at is None or self.world.clock.now() - read_at > _FRESH):
            self.server()
        return self.seen is None or self.seen.locked_reason == evacuation.lock_reason(self.move.notification_uuid)
