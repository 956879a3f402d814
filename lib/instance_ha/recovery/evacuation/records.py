"""Nova's records of the evacuations from the failed host: one list tells of all that a round watches."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from instance_ha.models.cloud import Migration
from instance_ha.models.rows import VMove
from instance_ha.planning.under_way import PAGE
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import rounds

_BEING_SENT = timedelta(seconds=2)
FRESH = timedelta(seconds=5)  # what was listed so recently need not be asked again


class EvacuationRecords:
    """The newest record of each instance, as far as they are needed; they come newest first."""

    def __init__(self, recovery: Recovery) -> None:
        self.newest: dict[str, Migration] = {}
        self._recovery = recovery
        self._read_to: int | None = None  # all newer records have been read
        self._read_at: datetime | None = None
        threads = recovery.world.settings.host_failure_recovery_threads
        self._page = min(max(50, 4 * threads), PAGE)  # the watched ones are mostly among these

    def refresh(self) -> None:
        """Read what is new, unless that was done just now."""
        if self._read_at is None or self._recovery.world.clock.now() - self._read_at > FRESH:
            self.read(())

    def read(self, watched: Sequence[VMove]) -> None:
        """Read all records that are new since the last time, and those of the watched evacuations again."""
        sought = (move for move in watched if self._has_record(move))
        missing: dict[str, int] = {move.instance_uuid: move.last_migration_id for move in sought}
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

    def _has_record(self, move: VMove) -> bool:
        """Say whether a record is to be expected; that of a request which is being sent comes with the new ones."""
        asked = move.asked_at is None or self._recovery.world.clock.now() - move.asked_at > _BEING_SENT
        return asked or move.instance_uuid in self.newest

    def _first(self) -> int:
        with self._recovery.claim.read() as connection:
            return rounds.planned_after(connection, self._recovery.notification.notification_uuid)
