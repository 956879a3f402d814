"""What the gates of a host's recovery see, read for a recovery and for a plan."""

from collections.abc import Sequence
from datetime import datetime, timedelta

from sqlalchemy import Connection

from instance_ha.decide import gates
from instance_ha.decide.gates import GateLimits, GateResult, Threshold
from instance_ha.models.cloud import ServiceState
from instance_ha.models.gates import Seen
from instance_ha.models.rows import Host, Notification
from instance_ha.settings import Settings
from instance_ha.store import gates as store


def _limits(settings: Settings) -> GateLimits:
    return GateLimits(
        storm_segment=Threshold(settings.storm_segment_number, settings.storm_segment_share),
        storm_cloud=Threshold(settings.storm_cloud_number, settings.storm_cloud_share),
        peers=Threshold(settings.peers_down_number, settings.peers_down_share),
        rate=settings.recovery_rate,
        rate_window=timedelta(seconds=settings.recovery_rate_window),
        recoveries_per_day=settings.host_recoveries_per_day,
    )


def ask_about_host(
    connection: Connection,
    settings: Settings,
    host: Host,
    row: Notification,
    services: Sequence[ServiceState],
    now: datetime,
    together: Sequence[Host] = (),
) -> list[GateResult]:
    """Ask the gates that are about hosts; those that count failures are asked before the first attempt only.

    Args:
        connection: to Postgres.
        settings: the limits.
        host: the one that has failed.
        row: its report.
        services: what Nova says of its services.
        now: the time.
        together: hosts that are taken to fail at the same time.

    """
    limits = _limits(settings)
    results = [gates.cloud_health(services), gates.peers(services, store.peers(connection, host), limits)]
    if row.attempt:
        return results
    seen = _seen(connection, settings, host, row, services, now)
    return [*gates.before_the_first(gates.as_if_failed(seen, together, host, now), limits), *results]


def ask_about_storm(
    connection: Connection,
    settings: Settings,
    host: Host,
    row: Notification,
    services: Sequence[ServiceState],
    now: datetime,
) -> list[GateResult]:
    """Ask the storm gates alone; without ``services`` every host that was reported counts."""
    return gates.storms(_seen(connection, settings, host, row, services, now), _limits(settings))


def _seen(
    connection: Connection,
    settings: Settings,
    host: Host,
    row: Notification,
    services: Sequence[ServiceState],
    now: datetime,
) -> Seen:
    """Read what is known of failures and recoveries, but for the failures of hosts that have proved to be alive."""
    windows = timedelta(seconds=settings.storm_window), timedelta(seconds=settings.recovery_rate_window)
    patience = timedelta(seconds=settings.wait_period_after_service_update)
    return gates.without_alive(store.seen(connection, host, row, *windows, now), services, now, patience)
