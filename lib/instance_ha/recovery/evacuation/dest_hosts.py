"""The hosts that take instances: which of them Nova calls down, so that evacuations to them come to nothing."""

from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from instance_ha import log
from instance_ha.models.cloud import Migration
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.rows import VMove
from instance_ha.recovery.recovery import Recovery


class DestHosts:
    """The destinations, asked for once in an interval of nova-compute's reports: more often there is nothing new.

    One list of services tells of all. While evacuations are shorter than the interval it is not read at all.
    """

    def __init__(self, recovery: Recovery) -> None:
        self._recovery = recovery
        self._down: frozenset[str] = frozenset()
        self._asked_at: datetime | None = None

    def down(self, watched: Iterable[VMove], newest: Mapping[str, Migration]) -> frozenset[str]:
        """Name the hosts that Nova calls down, by an answer no older than the interval.

        It is only a reason to check an evacuation: when Nova does not tell, that is done later.
        """
        now = self._recovery.world.clock.now()
        interval = timedelta(seconds=self._recovery.world.settings.nova_report_interval)
        if self._asked_at is not None and now - self._asked_at < interval:
            return self._down
        if not any(self._lasts(move, newest.get(move.instance_uuid), now - interval) for move in watched):
            return frozenset()
        self._asked_at = now
        try:
            services = self._recovery.nova.services()
        except (CloudUnavailable, CloudRefused) as error:
            log.get().warning("destinations not read", error=str(error))
            return self._down
        self._down = frozenset(service.host for service in services if not service.up)
        return self._down

    @staticmethod
    def _lasts(move: VMove, record: Migration | None, since: datetime) -> bool:
        under_way = record is not None and record.dest_host is not None and not record.final
        return under_way and move.asked_at is not None and move.asked_at <= since
