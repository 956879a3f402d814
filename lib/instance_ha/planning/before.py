"""What comes before the first evacuation of a plan: gates, a fence, the proof, and disks that would be lost."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from instance_ha.decide import failures, fencing, gates
from instance_ha.decide import hold as holds
from instance_ha.decide import plan as plans
from instance_ha.decide.plan import Before
from instance_ha.decide.witnesses import of_report, of_service
from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import NotificationStatus, NotificationType
from instance_ha.models.evidence import Evidence, EvidenceKind, KindSet, SegmentPolicy
from instance_ha.models.fencing import FencePolicy, Rung
from instance_ha.models.gates import Pause
from instance_ha.models.rows import Host, Notification, Segment
from instance_ha.planning.gates import HostGates
from instance_ha.planning.instances import InstancePlan
from instance_ha.planning.source import Source
from instance_ha.settings import Settings
from instance_ha.store import approvals, evidence, host_recoveries, hosts, notifications, pauses, policies, segments

Ladder = Callable[[str], Sequence[Rung]]


@dataclass(frozen=True)
class Known:
    """What Postgres says of a host whose recovery is planned."""

    segment: Segment | None
    policy: SegmentPolicy
    notification: Notification | None  # whose recovery is open
    refused: str | None  # why a report of the host would be
    evidence: tuple[Evidence, ...]  # that counts now
    reserved: tuple[Host, ...]
    paused: tuple[Pause, ...]


def read_known(connection: Connection, host: Host, now: datetime) -> Known:
    """Read it."""
    notification = host_recoveries.current(connection, host.uuid)
    recovery = notifications.by_uuid(connection, host.on_maintenance_for)
    refused = None if notification else failures.refusal(host, NotificationType.COMPUTE_HOST, recovery)
    return Known(
        segment=segments.find(connection, host.failover_segment_id),
        policy=policies.of_segment(connection, host.failover_segment_id),
        notification=notification,
        refused=refused,
        evidence=tuple(evidence.fresh(connection, host.uuid, now)),
        reserved=tuple(hosts.reserved(connection, host.failover_segment_id, lock=False)),
        paused=tuple(pauses.over(connection, host, now)),
    )


def ask_gates(
    source: Source, host: Host, known: Known, reported: Notification, together: Sequence[Host], now: datetime
) -> Iterator[Before]:
    """Say what would hold the recovery, or does when an attempt has begun, but for what an operator has approved."""
    asked, services = HostGates(source.settings, host, reported, now), source.nova.service_states()
    first = [] if reported.attempt else [gates.pause(known.paused), gates.approval(known.policy.mode)]
    with source.read() as connection:
        if reported.status is NotificationStatus.RUNNING:
            results = asked.ask_about_storm(connection, services)
        else:
            results = asked.ask(connection, services, together or (host,))
        approved = gates.approved(approvals.of_notification(connection, reported.notification_uuid))
    if (held := gates.hold([*first, *results], approved, now)) is not None:
        yield plans.held(plans.GATES, held)


def is_past_gates(found: InstancePlan, known: Known, reported: Notification) -> bool:
    """Say whether no gate is asked any more: an evacuation has begun, or the host was fenced."""
    uuid = reported.notification_uuid
    is_fenced = any(one.kind is EvidenceKind.POWER_OFF and one.notification_uuid == uuid for one in known.evidence)
    return reported.status is NotificationStatus.RUNNING and (is_fenced or bool(found.moves))


def proof(
    settings: Settings,
    host: Host,
    known: Known,
    reported: Notification,
    service: ComputeService,
    ladder: Ladder | None,
    now: datetime,
) -> Iterator[Before]:
    """Say what is done until the host is proven dead."""
    rungs = ladder(host.name) if ladder is not None else None
    reason_not_to = fencing.forbidden(host, known.policy.fence, settings.never_fenced)
    if rungs == ():
        reason_not_to = reason_not_to or fencing.NO_LADDER
    if (fence := plans.fencing(host, known.policy.fence, reason_not_to, rungs)) is not None:
        yield fence
    if known.policy.fence is FencePolicy.REQUIRED and reason_not_to is not None:
        yield plans.held("FenceHostTask", holds.not_fenced(host.name, reason_not_to, now))
    yield plans.service(service, forced_down=settings.force_down or reason_not_to is None)
    yield plans.evidence(host, known.policy.dead_when)
    seen = [
        *known.evidence,
        of_report(reported, settings.notifications_expired_interval),
        of_service(reported, service, now),
    ]
    seen += [plans.as_if_fenced(reported, now)] if reason_not_to is None else []
    brought = _brought(settings) if known.notification is None else frozenset({EvidenceKind.SERVICE_DOWN})
    held = holds.hold_unless_dead(host.name, holds.about(seen, reported), known.policy.dead_when, brought, now)
    if held is not None:
        yield plans.held("DisableComputeServiceTask", held)


def _brought(settings: Settings) -> KindSet:
    """Name the evidence that comes by itself when a host dies."""
    monitors = {
        "consul": frozenset({EvidenceKind.NETWORKS}),
        "kubernetes": frozenset({EvidenceKind.NODE}),
    }
    brought = monitors.get(settings.monitoring_driver or "", frozenset()) | {EvidenceKind.SERVICE_DOWN}
    return brought | {EvidenceKind.LIBVIRT} if settings.guest_monitoring else brought


def lost_disks(found: InstancePlan, now: datetime) -> Iterator[Before]:
    """Say that the recovery waits until somebody has decided over disks that would be lost, if so."""
    if found.is_held:
        lost = holds.lost_disks([server.name for server in found.disks_lost], now)
        yield plans.held("PrepareHAEnabledInstancesTask", lost)
