"""A claimed vmove: what its row and Nova say of it, and how it is closed."""

from dataclasses import dataclass, replace
from datetime import datetime

from instance_ha import emit, log
from instance_ha.decide import evacuation
from instance_ha.decide.evacuation import End
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import Migration, Server
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import VMove
from instance_ha.store.leases import Lease
from instance_ha.world import World

GONE = 404  # what Nova answers about an instance that does not exist any more


@dataclass
class Evacuation:
    """A claimed vmove; ``move`` follows what is written to the row."""

    world: World
    lease: Lease
    move: VMove
    deadline: datetime  # of the invocation
    seen: Server | None = None  # as Nova showed it last

    def write(self, **values: object) -> None:
        """Write to the row while it is ours; raises LeaseLost when it is not."""
        with self.world.database.begin() as connection:
            self.lease.write(connection, **values)
        self.move = replace(self.move, **values)  # type: ignore[arg-type]

    def server(self) -> Server | None:
        """Ask Nova for the instance."""
        self.seen = self.world.nova.server(self.move.instance_uuid)
        return self.seen

    @property
    def lock_is_ours(self) -> bool:
        """Whether we may unlock: we have locked it, and as far as we have seen nobody else has since then."""
        ours = evacuation.lock_reason(self.move.notification_uuid)
        return self.move.locked_by_us and (self.seen is None or self.seen.locked_reason == ours)

    def migration(self) -> Migration | None:
        """Ask Nova for its record of this evacuation."""
        records = self.world.nova.evacuations_from(self.move.source_host, self.move.newer_than, 100)
        return next((m for m in records if m.server_id == self.move.instance_uuid), None)


def close(work: Evacuation, end: End) -> None:
    """Unlock the instance if we locked it, and end the row."""
    if work.lock_is_ours:
        try:
            work.world.nova.unlock(work.move.instance_uuid)
        except CloudRefused as error:
            if error.code != GONE:
                log.get().warning("instance not unlocked", reason=str(error))
        work.world.breakpoint(Breakpoint.INSTANCE_UNLOCKED)
    now = work.world.clock.now()
    with work.world.database.begin() as connection:
        work.lease.release(
            connection,
            None,
            status=end.status,
            message=end.message or None,
            dest_host=end.dest_host,
            end_time=now,
            updated_at=now,
        )
        emit.vmoves_ended(work.world, connection, [work.move.uuid])
    log.get().info(
        "evacuation ended",
        instance=work.move.instance_name,
        status=str(end.status),
        dest_host=end.dest_host,
        message=end.message or None,
    )
    work.world.breakpoint(Breakpoint.VMOVE_CLOSED)
