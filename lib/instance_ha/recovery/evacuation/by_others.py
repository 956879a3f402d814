"""What others evacuate of the instances that wait for their turn: it is watched, and not asked for once more."""

from collections.abc import Mapping, Sequence

from instance_ha.models.cloud import Migration
from instance_ha.models.rows import VMove
from instance_ha.planning.under_way import under_way
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import rounds


class ByOthers:
    """The evacuations of others, found among Nova's newest records."""

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery
        self._over: set[int] = set()  # records of evacuations that are over, of instances that do not wait

    def among(self, newest: Mapping[str, Migration], ongoing: Sequence[VMove]) -> dict[str, int]:
        """Find the records, by instance, of evacuations that are under way, or over since we have planned ours."""
        own = {move.instance_uuid for move in ongoing}
        records = {id_: one for id_, one in newest.items() if one.moved or not one.final}
        others = {id_: one for id_, one in records.items() if id_ not in own and one.id not in self._over}
        waiting = self._waiting(others)
        self._over |= {one.id for id_, one in records.items() if one.moved and id_ not in waiting}
        found = {id_: others[id_] for id_ in waiting}
        moved = {id_: one for id_, one in found.items() if one.moved and one.id > waiting[id_]}
        at_work = under_way(self._recovery.source, found) | moved
        return {id_: one.id for id_, one in at_work.items()}

    def _waiting(self, records: Mapping[str, Migration]) -> Mapping[str, int]:
        """Name the instances that wait for their turn, each with the newest record when they were planned."""
        if not records:
            return {}
        with self._recovery.claim.read() as connection:
            return rounds.waiting_among(connection, self._recovery.notification.notification_uuid, records)
