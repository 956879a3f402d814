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


def limits_of(settings: Settings) -> GateLimits:
    """Return what is set for the gates."""
    return GateLimits(
        storm_segment=Threshold(settings.storm_segment_number, settings.storm_segment_share),
        storm_cloud=Threshold(settings.storm_cloud_number, settings.storm_cloud_share),
        peers=Threshold(settings.peers_down_number, settings.peers_down_share),
        rate=settings.recovery_rate,
        rate_window=timedelta(seconds=settings.recovery_rate_window),
        recoveries_per_day=settings.host_recoveries_per_day,
    )


def read_seen(connection: Connection, settings: Settings, host: Host, row: Notification, now: datetime) -> Seen:
    """Read what is known of failures and recoveries."""
    windows = timedelta(seconds=settings.storm_window), timedelta(seconds=settings.recovery_rate_window)
    return store.seen(connection, host, row, *windows, now)


def ask_about_nova(
    connection: Connection, settings: Settings, host: Host, services: Sequence[ServiceState]
) -> list[GateResult]:
    """Ask the gates that hold every attempt at a host: what Nova says of itself, and of the other hosts."""
    others = store.peers(connection, host)
    return [gates.cloud_health(services), gates.peers(services, others, limits_of(settings))]


def still_failing(seen: Seen, settings: Settings, services: Sequence[ServiceState], now: datetime) -> Seen:
    """Leave out the hosts that have proved to be alive."""
    patience = timedelta(seconds=settings.wait_period_after_service_update)
    return gates.without_alive(seen, services, now, patience)
