"""What each witness says of a host, as evidence."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from instance_ha.decide import strategy as strategies
from instance_ha.decide.failures import expires_at
from instance_ha.models.cloud import ComputeService
from instance_ha.models.evidence import Evidence, EvidenceKind, Verdict
from instance_ha.models.guests import Domain
from instance_ha.models.health import NODE, HostState, Reading, Strategy, Vector
from instance_ha.models.rows import Notification
from instance_ha.models.uuids import HostUuid, NotificationUuid

_STORAGE = "storage"
_SERVICE_LASTS = timedelta(seconds=60)


def failed_at(notification: Notification) -> datetime:
    """Say when the host has failed, by its report; the clock of a monitor may be ahead of ours."""
    return min(notification.generated_time, notification.created_at)


def of_report(notification: Notification, lasts: float) -> Evidence:
    """Read a report, which counts for as many seconds as its recovery may last."""
    return Evidence(
        host_uuid=notification.source_host_uuid,
        kind=EvidenceKind.REPORTED,
        verdict=Verdict.DEAD,
        source=notification.notification_uuid,
        seen_at=failed_at(notification),
        valid_until=expires_at(notification, lasts),
        detail=dict(notification.payload),
        notification_uuid=notification.notification_uuid,
    )


def of_service(notification: Notification, service: ComputeService, now: datetime) -> Evidence:
    """Read Nova's record of a host's service. That it is up is no sign of life: it stays so for a minute."""
    return Evidence(
        host_uuid=notification.source_host_uuid,
        kind=EvidenceKind.SERVICE_DOWN,
        verdict=Verdict.UNKNOWN if service.up else Verdict.DEAD,
        source="nova",
        seen_at=now,
        valid_until=now + _SERVICE_LASTS,
        detail={
            "up": service.up,
            "forced_down": service.forced_down,
            "updated_at": service.updated_at.isoformat() if service.updated_at else None,
        },
        notification_uuid=notification.notification_uuid,
    )


def of_vector(
    host_uuid: HostUuid,
    notification_uuid: NotificationUuid | None,
    vector: Vector,
    strategy: Strategy,
    at: datetime,
    lasts: timedelta,
) -> Evidence:
    """Read one sample of monitor-poll.

    The host lives when nothing of it is down, or when its storage network is up, by which its guests write.
    """
    state = strategies.evaluate(strategy, vector)
    if state is HostState.DOWN:
        verdict = Verdict.DEAD
    else:
        lives = state is HostState.UP or vector.get(_STORAGE) is Reading.UP
        verdict = Verdict.ALIVE if lives else Verdict.UNKNOWN
    return Evidence(
        host_uuid=host_uuid,
        kind=EvidenceKind.NODE if strategy.networks == (NODE,) else EvidenceKind.NETWORKS,
        verdict=verdict,
        source="monitor-poll",
        seen_at=at,
        valid_until=at + lasts,
        detail={network: str(reading) for network, reading in vector.items()},
        notification_uuid=notification_uuid,
    )


def of_hypervisor(
    host_uuid: HostUuid,
    notification_uuid: NotificationUuid,
    domains: Iterable[Domain] | None,
    at: datetime,
    lasts: timedelta,
    unasked: str | None = None,
) -> Evidence:
    """Read what a host's libvirt has answered.

    Args:
        host_uuid: of the host.
        notification_uuid: of its reported failure.
        domains: what it has listed; None: nothing. Without one that runs, nothing writes.
        at: when it was asked.
        lasts: how long that counts.
        unasked: why it could not be asked, if so: then nothing follows from its silence.

    """
    running = None if domains is None else sum(domain.running for domain in domains)
    silent = running is None and unasked is None
    verdict = Verdict.DEAD if silent else Verdict.ALIVE if running else Verdict.UNKNOWN
    reason = {"reason": unasked} if running is None and unasked is not None else {}
    return Evidence(
        host_uuid=host_uuid,
        kind=EvidenceKind.LIBVIRT,
        verdict=verdict,
        source="monitor-guests",
        seen_at=at,
        valid_until=at + lasts,
        detail={"answers": running is not None, "domains_running": running or 0} | reason,
        notification_uuid=notification_uuid,
    )
