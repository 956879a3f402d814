"""The plan of a whole recovery: what comes before the first evacuation, which instances move, how, and to where."""

from collections.abc import Collection, Iterator, Sequence
from datetime import datetime

from instance_ha.decide import failures
from instance_ha.decide import plan as plans
from instance_ha.decide.destinations import reason_to_pass_over
from instance_ha.decide.flows import method_of
from instance_ha.decide.instances import ha_enabled, priority
from instance_ha.decide.plan import Before, LeftInstance, Outlook, Plan, PlannedInstance, ReservedHost
from instance_ha.models.enums import Flow, RecoveryMethod
from instance_ha.models.errors import CloudRefused, CloudUnavailable
from instance_ha.models.gates import Mode
from instance_ha.models.rows import Host
from instance_ha.planning.before import Ladder, ask_gates, is_past_gates, lost_disks, proof, read_known
from instance_ha.planning.instances import InstancePlan, plan_instances
from instance_ha.planning.source import Source
from instance_ha.settings import Settings


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
        known = read_known(connection, host, now)
    if known.refused is not None:
        return Plan(host=host, notification=None, outlook=Outlook.NOTHING, message=known.refused)
    reported = known.notification or plans.as_if_reported(host, now)
    verdict = failures.evaluate(reported, known.segment)
    if isinstance(verdict, failures.Close):
        return Plan(host=host, notification=known.notification, outlook=Outlook.NOTHING, message=verdict.message)
    service = source.nova.service(host.name)
    if service is None:
        message = f"Nova knows no compute service on host {host.name}"
        return Plan(host=host, notification=known.notification, outlook=Outlook.NOTHING, message=message)
    found = plan_instances(source, host, reported)
    past = is_past_gates(found, known, reported)
    before = [] if past else [*ask_gates(source, host, known, reported, together, now)]
    before += [*proof(source.settings, host, known, reported, service, ladder, now), *lost_disks(found, now)]
    instances = (*_chosen(found), *_away(found))
    observes = known.policy.mode is Mode.OBSERVE and not reported.attempt
    reserved = known.reserved if Flow.HOST_RESERVED in verdict.flows else ()
    return Plan(
        host=host,
        notification=known.notification,
        outlook=_outlook(before, instances, observes=observes),
        message=None if instances else f"there is no instance to evacuate on host {host.name}",
        before=tuple(before),
        methods=tuple(map(method_of, verdict.flows)),
        reserved_hosts=tuple(_reserved(source, reserved, taken)),
        instances=instances,
        left_out=tuple(LeftInstance(one.id, one.name, reason) for one, reason in found.choice.left_out),
    )


def _not_known(host: Host, reason: str) -> Plan:
    return Plan(host=host, notification=None, outlook=Outlook.NOT_KNOWN, message=reason)


def _outlook(before: Sequence[Before], instances: Sequence[PlannedInstance], *, observes: bool) -> Outlook:
    if observes:
        return Outlook.OBSERVED
    if any(one.holds for one in before):
        return Outlook.HELD
    return Outlook.EVACUATES if instances else Outlook.NOTHING


def _chosen(found: InstancePlan) -> Iterator[PlannedInstance]:
    lost = {server.id for server in found.disks_lost}
    under_way = {*found.followed, *(str(move.instance_uuid) for move in found.unrecorded)}
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
            priority=move.facts.priority,
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
