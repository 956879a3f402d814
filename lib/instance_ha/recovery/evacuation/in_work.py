"""The rows of a round: read seldom, since most of what happens to them is written by the dispatcher itself."""

from collections.abc import Container, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from instance_ha.decide import slots
from instance_ha.models.cloud import Migration
from instance_ha.models.enums import UNDER_WAY, VMoveStep
from instance_ha.models.rows import VMove
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import rounds

_READ_AGAIN_AFTER = timedelta(seconds=10)


class InWork:
    """The evacuations that have begun and not ended, and since when others wait; None: none does.

    One that was begun a moment ago is taken to be asked for. When Nova shows no record of it in time, its row is read.
    How many are in flight is counted by rows before another one begins, whatever is thought here.
    """

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery
        self._clock = recovery.world.clock
        self._uuid = recovery.notification.notification_uuid
        self._rows: tuple[list[VMove], datetime | None] = [], None
        self._read_again_at: datetime | None = None  # None: at once
        self._presumed: dict[str, datetime] = {}  # by instance: from then on Nova should have a record
        self._ends: dict[str, tuple[int, int]] | None = None

    def rows(self) -> tuple[list[VMove], datetime | None]:
        """Say what is in work, as it was read some seconds ago at most."""
        now = self._clock.now()
        if self._read_again_at is None or now >= self._read_again_at:
            with self._recovery.claim.read() as connection:
                self._rows = rounds.in_work(connection, self._uuid)
            self._read_again_at = None if slots.settles(self._rows[0]) else now + _READ_AGAIN_AFTER
            self._presumed, self._ends = {}, None
        return self._rows

    @property
    def known(self) -> list[VMove]:
        """What is in work, as far as it is known without reading."""
        return self._rows[0]

    def under_way(self) -> list[VMove]:
        """Say what Nova is at work on."""
        return [move for move in self.known if move.step in UNDER_WAY]

    def lacks(self, newest: Mapping[str, Migration]) -> bool:
        """Say whether Nova should have a record of one that was begun, and has none: its row tells why."""
        now, missing = self._clock.now(), False
        for move in self.known:
            expected_at, record = self._presumed.get(move.instance_uuid), newest.get(move.instance_uuid)
            if expected_at is None:
                continue
            if record is not None and record.id > move.last_migration_id:
                del self._presumed[move.instance_uuid]
            elif now >= expected_at:
                missing = True
        if missing:
            self.read_again()
        return missing

    def read_again(self) -> None:
        """Have the rows read before anything else is decided."""
        self._read_again_at = None

    def go_on(self, ended: Container[str], begun: Sequence[VMove]) -> None:
        """Take in what has been written: these have moved (by uuid), and others were begun."""
        expected_at = self._clock.now() + timedelta(seconds=self._recovery.world.settings.verify_interval)
        ongoing, waiting_since = self._rows
        asked = [replace(move, step=VMoveStep.ASKING, asked_at=move.start_time) for move in begun]
        self._rows = [*(move for move in ongoing if move.uuid not in ended), *asked], waiting_since
        self._presumed |= {move.instance_uuid: expected_at for move in begun}
        if not self.under_way():
            self.read_again()

    def ends(self) -> Mapping[str, tuple[int, int]]:
        """Count by destination the evacuations that failed on it, and those that it took, when the rows were read."""
        if self._ends is None:
            with self._recovery.claim.read() as connection:
                self._ends = rounds.destinations(connection, self._uuid)
        return self._ends
