"""What the gates of a host's recovery see, read for a recovery and for a plan."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha.decide import gates
from instance_ha.decide.gates import GateLimits, GateResult, Threshold
from instance_ha.models.cloud import ServiceState
from instance_ha.models.gates import Seen
from instance_ha.models.rows import Host, Notification
from instance_ha.settings import Settings
from instance_ha.store import gates as store
from instance_ha.store import readiness


def _limits(settings: Settings) -> GateLimits:
    return GateLimits(
        storm_segment=Threshold(settings.storm_segment_number, settings.storm_segment_share),
        storm_cloud=Threshold(settings.storm_cloud_number, settings.storm_cloud_share),
        peers=Threshold(settings.peers_down_number, settings.peers_down_share),
        rate=settings.recovery_rate,
        rate_window=timedelta(seconds=settings.recovery_rate_window),
        recoveries_per_day=settings.host_recoveries_per_day,
        capacity_holds=settings.capacity_hold,
        capacity_max_age=timedelta(seconds=settings.readiness_max_age),
    )


@dataclass(frozen=True)
class HostGates:
    """The gates that are about hosts, asked about the failure of one: ``row`` is its report."""

    settings: Settings
    host: Host
    row: Notification
    now: datetime

    def ask(
        self, connection: Connection, services: Sequence[ServiceState], together: Sequence[Host] = ()
    ) -> list[GateResult]:
        """Ask all of them; those that count failures are asked before the first attempt only.

        ``services`` is what Nova says of its own, ``together`` names hosts that are taken to fail at the same time.
        """
        limits, found = _limits(self.settings), self._seen(connection, services)
        results = [gates.cloud_health(services), gates.peers(services, found.peers, limits)]
        if self.row.attempt:
            return results
        seen = gates.as_if_failed(found, together, self.host, self.now)
        capacity = gates.capacity(readiness.of_host(connection, self.host), self.now, limits)
        return [*gates.before_the_first(seen, limits), *results, capacity]

    def ask_about_storm(self, connection: Connection, services: Sequence[ServiceState]) -> list[GateResult]:
        """Ask the storm gates alone; without ``services`` every host that was reported counts."""
        return gates.storms(self._seen(connection, services), _limits(self.settings))

    def _seen(self, connection: Connection, services: Sequence[ServiceState]) -> Seen:
        """Read what is known of failures and recoveries, but for the failures of hosts that have proved to be alive."""
        settings = self.settings
        windows = timedelta(seconds=settings.storm_window), timedelta(seconds=settings.recovery_rate_window)
        patience = timedelta(seconds=settings.wait_period_after_service_update)
        seen = store.seen(connection, self.host, self.row, *windows, self.now)
        return gates.without_alive(seen, services, self.now, patience)
