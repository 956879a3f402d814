"""The host itself: whether it may return, and what is given back to it; and the reserved hosts that stood in for it."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta

from pydantic import TypeAdapter
from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide import returning as decided
from instance_ha.decide.service import Reports, ServiceBefore, count_report
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import ComputeService, Migration
from instance_ha.models.errors import CloudRefused, TryAgain
from instance_ha.models.returns import HostReturn, ReturnStatus
from instance_ha.models.rows import Host, HostChanges
from instance_ha.models.text import counted
from instance_ha.models.uuids import NotificationUuid
from instance_ha.planning.instances import servers_of
from instance_ha.planning.under_way import PAGE
from instance_ha.recovery import reserved_hosts
from instance_ha.recovery.claim import Claim, Claimed
from instance_ha.recovery.hold import expect_no_pause
from instance_ha.recovery.host_given_back import when_healthy
from instance_ha.recovery.recovery import HostBefore
from instance_ha.recovery.reserved_hosts import Held, ReservedHosts
from instance_ha.store import host_recoveries, hosts, pauses, policies, returns, tasks, vmoves

_REPORTS = TypeAdapter(Reports)


@dataclass(frozen=True)
class Returning(Claimed[HostReturn]):
    """What a return works with."""

    claim: Claim[HostReturn]
    host: Host

    def recoveries(self) -> list[NotificationUuid]:
        """Name the recoveries of the host since its instances last went home, the latest first."""
        with self.claim.read() as connection:
            return returns.unsettled(connection, self.host.uuid)


def check(work: Returning) -> list[str]:
    """Name what must be so, and is not, before the host may serve again.

    Raises CloudUnavailable when Nova does not answer.
    """
    facts = _facts(work)
    missing = decided.unmet(facts)
    if missing or facts.service is None or not facts.service.forced_down:
        return missing
    try:
        work.nova.lift_force_down(facts.service.id)
    except CloudRefused as error:
        return [f"Nova keeps its compute service forced down: {error}"]
    log.get().info("compute service not forced down any more", host=work.host.name)
    work.world.breakpoint(Breakpoint.RETURN_FORCE_DOWN_LIFTED)
    return ["Nova has not called its nova-compute up since it is not forced down any more"]


def _facts(work: Returning) -> decided.Facts:
    row, host = work.claim.row, work.host
    service, reports = _read_reports(work)
    now = work.world.clock.now()
    with work.claim.read() as connection:
        failed = host_recoveries.current(connection, host.uuid)
        in_force = pauses.over(connection, host, now)
    return decided.Facts(
        host=host,
        open_recovery=failed,
        pauses=in_force,
        service=service,
        reports=reports,
        evacuations=_evacuations(work) if reports is not None and reports.is_alive else [],
        is_asked_for=row.actor is not None,
        reasons=_reasons(work),
    )


def _reasons(work: Returning) -> frozenset[str]:
    settings = work.world.settings
    return frozenset(filter(None, (settings.service_disable_reason, settings.process_failure_service_disable_reason)))


def reports_so_far(row: HostReturn) -> Reports | None:
    """Return what was heard of the host's nova-compute until now."""
    return _REPORTS.validate_python(row.reports) if row.reports else None


def _read_reports(work: Returning) -> tuple[ComputeService | None, Reports | None]:
    """Ask for the service, and take in what it has reported since the last check; once it reports a second is awaited.

    What was heard is kept in the row until that is released.
    """
    world, row = work.world, work.claim.row
    interval = world.settings.nova_report_interval
    until, reports = world.clock.now() + timedelta(seconds=3 * interval), reports_so_far(row)
    while (service := work.nova.service(work.host.name)) is not None:
        reports = count_report(reports, service, world.clock.now(), interval)
        if reports.count != 1 or world.clock.now() >= until or work.claim.out_of_time:
            break
        work.claim.keep()
        world.clock.sleep(interval / 2)
    work.claim.row = replace(row, reports=_REPORTS.dump_python(reports, mode="json") if reports else None)
    return service, reports


def _evacuations(work: Returning) -> list[Migration]:
    """Read Nova's records of the evacuations from the host since it was last sound."""
    recoveries = work.recoveries()
    with work.claim.read() as connection:
        moves = [move for uuid in recoveries for move in vmoves.of_notification(connection, uuid)]
    since = min((move.last_migration_id for move in moves), default=0)
    return list(work.nova.evacuations_from(work.host.name, since, PAGE)) if moves else []


def bring_back(work: Returning) -> tuple[ReturnStatus, str] | None:
    """Enable the compute service and take the host off maintenance; says how the return ends instead, if it does.

    Raises TryAgain while a pause is in force, or Nova calls the host down.
    """
    claim, uuid = work.claim, work.host.uuid
    if claim.row.is_back:
        return None
    with claim.read() as connection:
        instead = _given_up(work, connection)
        in_force = pauses.over(connection, work.host, work.world.clock.now())
        last = host_recoveries.last(connection, uuid)
        before = when_healthy(connection, last.notification_uuid, HostBefore) if last else None
        service = when_healthy(connection, last.notification_uuid, ServiceBefore) if last else None
    if instead is not None:
        _disable_again(work, service)
        return instead
    expect_no_pause(in_force)
    _enable(work, service)
    changes: HostChanges = {"on_maintenance": False, "on_maintenance_for": None}
    if before is not None:
        changes = {**changes, "reserved": before.reserved}
    with claim.transaction(is_back=True) as connection:
        hosts.lock(connection, uuid)  # so that no failure of it is reported meanwhile, and nobody changes it
        if (instead := _given_up(work, connection)) is not None:
            raise TryAgain(instead[1])  # the next invocation ends it
        emit.host_changed(work.world, connection, hosts.change(connection, uuid, dict(changes), work.world.clock.now()))
    claim.row = replace(claim.row, is_back=True)
    log.get().info("host is off maintenance", host=work.host.name)
    work.world.breakpoint(Breakpoint.RETURN_MAINTENANCE_ENDED)
    return None


def _given_up(work: Returning, connection: Connection) -> tuple[ReturnStatus, str] | None:
    """Read what has come since the return began, by the rows of now."""
    host = hosts.by_uuid(connection, work.host.uuid) or work.host
    failed = host_recoveries.current(connection, host.uuid)
    stopped_by = returns.find(connection, work.claim.row.uuid).stopped_by
    return decided.given_up(host, failed, stopped_by, policies.of_segment(connection, host.failover_segment_id).returns)


def _enable(work: Returning, before: ServiceBefore | None) -> None:
    service, is_asked_for = work.nova.service(work.host.name), work.claim.row.actor is not None
    if service is not None and not service.up:
        raise TryAgain(f"Nova calls the nova-compute of {work.host.name} down again")
    if service is None or not decided.is_to_be_enabled(service, before, _reasons(work), is_asked_for=is_asked_for):
        return
    work.nova.enable_service(service.id)
    log.get().info("compute service enabled", host=work.host.name)
    work.world.breakpoint(Breakpoint.RETURN_HOST_ENABLED)


def _disable_again(work: Returning, before: ServiceBefore | None) -> None:
    """Undo what Nova was told before the return was given up: a host on maintenance is to get no instances."""
    with work.claim.read() as connection:
        if host_recoveries.current(connection, work.host.uuid) is not None:
            return  # its recovery does
    service = work.nova.service(work.host.name)
    if service is None or service.disabled or before is None or before.disabled:
        return
    work.nova.disable_service(service.id, work.world.settings.service_disable_reason, False, None)
    log.get().info("compute service disabled again", host=work.host.name)


def what_stays(work: Returning) -> str:
    """Say what of the host is not as it was: nothing if all is."""
    service = work.nova.service(work.host.name)
    if service is None or not service.disabled:
        return ""
    return f"its compute service stays disabled: {service.disabled_reason or 'without a reason'}"


def reserve_again(work: Returning) -> Iterator[str]:
    """Reserve the hosts again that have stood in for this one, once nothing is on them; says which are not.

    Raises TryAgain while an evacuation of ours is under way: it may come to one of them.
    """
    for held in _kept(work):
        _await_evacuations(work)
        if left := len(servers_of(work.nova, held.name)):
            yield f"reserved host {held.name} is still used by {counted(left, 'instance')}"
            continue
        refused = reserved_hosts.restore(work.claim, held)
        if isinstance(refused, CloudRefused):
            yield f"what was changed of reserved host {held.name} is not undone, since Nova refuses it: {refused}"
            continue
        _await_evacuations(work)  # what began before Nova's scheduler has heard of it
        if left := len(servers_of(work.nova, held.name)):
            came = counted(left, "instance")
            yield f"{came} came to reserved host {held.name} while its compute service was disabled"
            continue
        with work.claim.transaction() as connection:
            changed = hosts.change(connection, held.uuid, {"reserved": True}, work.world.clock.now())
            emit.host_changed(work.world, connection, changed)
        log.get().info("reserved host reserved again", reserved_host=held.name)
        work.world.breakpoint(Breakpoint.RETURN_RESERVED_AGAIN)
        yield f"{held.name} is reserved again"


def _await_evacuations(work: Returning) -> None:
    with work.claim.read() as connection:
        under_way = vmoves.evacuations_under_way(connection)
    if under_way:
        raise TryAgain(f"{under_way} evacuations are under way, which may come to a host that is to be reserved")


def _kept(work: Returning) -> list[Held]:
    """Read which reserved hosts the recoveries have used up, and nobody has changed since."""
    recoveries = work.recoveries()
    with work.claim.read() as connection:
        memories = [
            memory for uuid in reversed(recoveries) for memory in tasks.recall_all(connection, uuid, ReservedHosts)
        ]
        kept = {held.uuid: held for memory in memories for held in memory.kept if not held.is_shared}
        found = {uuid: hosts.by_uuid(connection, uuid) for uuid in kept}
    return [
        held
        for uuid, held in kept.items()
        if (host := found[uuid]) is not None and not host.reserved and not host.on_maintenance
    ]
