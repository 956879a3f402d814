"""The plan of a whole recovery: what comes before the first evacuation, which instances move, how, and to where."""

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from instance_ha.decide import failures, fencing, gates
from instance_ha.decide import hold as holds
from instance_ha.decide import plan as plans
from instance_ha.decide.destinations import reason_to_pass_over
from instance_ha.decide.flows import method_of
from instance_ha.decide.instances import ha_enabled, priority
from instance_ha.decide.plan import Before, LeftInstance, Outlook, Plan, PlannedInstance, ReservedHost
from instance_ha.decide.witnesses import of_report, of_service
from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import Flow, NotificationType, RecoveryMethod
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.evidence import Evidence, EvidenceKind, KindSet, SegmentPolicy
from instance_ha.models.fencing import FencePolicy, Rung
from instance_ha.models.gates import Pause
from instance_ha.models.rows import Host, Notification, Segment
from instance_ha.planning.gates import ask_about_nova, limits_of, read_seen, still_failing
from instance_ha.planning.instances import InstancePlan, Source, plan_instances
from instance_ha.settings import Settings
from instance_ha.store import evidence, hosts, notifications, pauses, policies, segments

Ladder = Callable[[str], Sequence[Rung]]


def plans_of(source: Source, failed: Sequence[Host], ladder: Ladder | None, until: datetime) -> Iterator[Plan]:
    """Say what would be done if all these hosts failed now; a host that Nova does not tell of is not known.

    Args:
        source: where it is read.
        failed: the hosts, in the order in which they are reported.
        ladder: the ways to cut a host's power; None: they are not known here.
        until: nothing is asked of Nova for a host whose turn comes later.

    """
    taken = {host.name for host in failed}
    for host in failed:
        if source.clock.now() >= until:
            yield _not_known(host, "the time of one request is up: ask for fewer hosts at once")
            continue
        try:
            plan = plan_of(source, host, ladder, taken, failed)
        except (CloudUnavailable, CloudRefused) as error:
            plan = _not_known(host, str(error))
        taken.update(_takes(source.settings, plan))
        yield plan


def plan_of(
    source: Source,
    host: Host,
    ladder: Ladder | None,
    taken: Collection[str] = (),
    together: Sequence[Host] = (),
) -> Plan:
    """Say what the recovery of a host would do now, or does next when it has begun; nothing is changed.

    Args:
        source: where it is read.
        host: which has failed, or is taken to have.
        ladder: the ways to cut a host's power; None: they are not known here.
        taken: reserved hosts that are not to be had.
        together: the hosts that are taken to fail at the same time, this one among them.

    Raises:
        CloudUnavailable: Nova does not tell, or not all: there is no plan then.
        CloudRefused: Nova does not let us ask.

    """
    now = source.clock.now()
    with source.read() as connection:
        rows = _read(connection, host, now)
    if rows.refused is not None:
        return Plan(host=host, notification=None, outlook=Outlook.NOTHING, message=rows.refused)
    reported = rows.notification or plans.as_if_reported(host, now)
    verdict = failures.evaluate(reported, rows.segment)
    if isinstance(verdict, failures.Close):
        return Plan(host=host, notification=rows.notification, outlook=Outlook.NOTHING, message=verdict.message)
    service = source.nova.service(host.name)
    if service is None:
        message = f"Nova knows no compute service on host {host.name}"
        return Plan(host=host, notification=rows.notification, outlook=Outlook.NOTHING, message=message)
    found = plan_instances(source, host, reported)
    before = [*_gates(source, host, rows, reported, together, now)]
    before += [*_proof(source.settings, host, rows, reported, service, ladder, now), *_lost(found, now)]
    instances = (*_chosen(found), *_away(found))
    reserved = rows.reserved if Flow.HOST_RESERVED in verdict.flows else ()
    return Plan(
        host=host,
        notification=rows.notification,
        outlook=_outlook(before, instances),
        message=None if instances else f"there is no instance to evacuate on host {host.name}",
        before=tuple(before),
        methods=tuple(map(method_of, verdict.flows)),
        reserved_hosts=tuple(_reserved(source, reserved, taken)),
        instances=instances,
        left_out=tuple(LeftInstance(one.id, one.name, reason) for one, reason in found.choice.left_out),
    )


@dataclass(frozen=True)
class _Rows:
    """What Postgres says."""

    segment: Segment | None
    policy: SegmentPolicy
    notification: Notification | None  # whose recovery is open
    refused: str | None  # why a report of the host would be
    known: tuple[Evidence, ...]
    reserved: tuple[Host, ...]
    paused: tuple[Pause, ...]


def _read(connection: Connection, host: Host, now: datetime) -> _Rows:
    notification = notifications.open_of_host(connection, host.uuid)
    recovery = notifications.by_uuid(connection, host.on_maintenance_for)
    refused = None if notification else failures.refusal(host, NotificationType.COMPUTE_HOST, recovery)
    return _Rows(
        segment=segments.find(connection, host.failover_segment_id),
        policy=policies.of_segment(connection, host.failover_segment_id),
        notification=notification,
        refused=refused,
        known=tuple(evidence.fresh(connection, host.uuid, now)),
        reserved=tuple(hosts.reserved(connection, host.failover_segment_id, lock=False)),
        paused=tuple(pauses.over(connection, host, now)),
    )


def _gates(
    source: Source, host: Host, rows: _Rows, reported: Notification, together: Sequence[Host], now: datetime
) -> Iterator[Before]:
    """Say what would hold the recovery before it acts; nothing any more when it has begun."""
    if reported.attempt:
        return
    settings, services = source.settings, source.nova.service_states()
    with source.read() as connection:
        seen = read_seen(connection, settings, host, reported, now)
        results = ask_about_nova(connection, settings, host, services)
    seen = plans.as_if_failed(still_failing(seen, settings, services, now), together or (host,), host, now)
    first = [gates.pause(rows.paused), gates.approval(rows.policy.mode)]
    results = [*first, *gates.before_the_first(seen, limits_of(settings)), *results]
    if (held := gates.hold(results, (), now)) is not None:
        yield plans.held(plans.GATES, held)


def _not_known(host: Host, reason: str) -> Plan:
    return Plan(host=host, notification=None, outlook=Outlook.NOT_KNOWN, message=reason)


def _outlook(before: Sequence[Before], instances: Sequence[PlannedInstance]) -> Outlook:
    if any(one.holds for one in before):
        return Outlook.HELD
    return Outlook.EVACUATES if instances else Outlook.NOTHING


def _proof(
    settings: Settings,
    host: Host,
    rows: _Rows,
    reported: Notification,
    service: ComputeService,
    ladder: Ladder | None,
    now: datetime,
) -> Iterator[Before]:
    """Say what is done until the host is proven dead."""
    rungs = ladder(host.name) if ladder is not None else None
    reason_not_to = fencing.forbidden(host, rows.policy.fence, reported, settings.never_fenced)
    if rungs == ():
        reason_not_to = reason_not_to or fencing.NO_LADDER
    if (fence := plans.fencing(host, rows.policy.fence, reason_not_to, rungs)) is not None:
        yield fence
    if rows.policy.fence is FencePolicy.REQUIRED and reason_not_to is not None:
        yield plans.held("FenceHostTask", holds.not_fenced(host.name, reason_not_to, now))
    yield plans.service(service, forced_down=settings.force_down or reason_not_to is None)
    yield plans.evidence(host, rows.policy.dead_when)
    seen = [
        *rows.known,
        of_report(reported, settings.notifications_expired_interval),
        of_service(reported, service, now),
    ]
    seen += [plans.as_if_fenced(reported, now)] if reason_not_to is None else []
    brought = _brought(settings) if rows.notification is None else frozenset({EvidenceKind.SERVICE_DOWN})
    held = holds.hold_unless_dead(host.name, holds.about(seen, reported), rows.policy.dead_when, brought, now)
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


def _lost(found: InstancePlan, now: datetime) -> Iterator[Before]:
    if found.is_held:
        lost = holds.lost_disks([server.name for server in found.disks_lost], now)
        yield plans.held("PrepareHAEnabledInstancesTask", lost)


def _chosen(found: InstancePlan) -> Iterator[PlannedInstance]:
    lost = {server.id for server in found.disks_lost}
    under_way = {*found.followed, *(str(move.instance_uuid) for move in found.unheard)}
    for server in found.choice.chosen:
        yield PlannedInstance(
            id=server.id,
            name=server.name,
            vm_state=server.vm_state,
            ha_enabled=ha_enabled(server, found.policy),
            priority=priority(server, found.policy),
            disk_lost=server.id in lost,
            under_way=server.id in under_way,
        )


def _away(found: InstancePlan) -> Iterator[PlannedInstance]:
    """Name what has left the host in an earlier try: it is checked again."""
    for move in found.away:
        yield PlannedInstance(
            id=str(move.instance_uuid),
            name=move.instance_name,
            vm_state="error",
            ha_enabled=move.facts.ha_enabled,
            priority=0,
            disk_lost=False,
            under_way=True,
        )


def _reserved(source: Source, reserved: Sequence[Host], taken: Collection[str]) -> Iterator[ReservedHost]:
    for host in reserved:
        if host.name not in taken:
            yield ReservedHost(host.name, reason_to_pass_over(source.nova.service(host.name)))


def _takes(settings: Settings, plan: Plan) -> list[str]:
    """Name the reserved host that a recovery takes first, unless it is shared with others."""
    if settings.share_reserved_hosts or not plan.instances or plan.methods[:1] != (RecoveryMethod.RESERVED_HOST,):
        return []
    return [one.name for one in plan.reserved_hosts if one.reason is None][:1]
