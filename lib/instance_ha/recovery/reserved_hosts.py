"""Reserved hosts: taken under a row lock, made ready, given back when they were not used.

What is held is written down before Nova is asked for anything, so the next invocation knows after a crash what to undo.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from instance_ha import emit, log
from instance_ha.decide.destinations import reason_to_pass_over
from instance_ha.decide.instances import facts_again
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import Notification, TaskRow, VMove
from instance_ha.models.uuids import HostUuid
from instance_ha.planning.under_way import PAGE, newest_of_each, under_way
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.recovery import Recovery
from instance_ha.store import hosts, rounds, tasks

_CONFLICT = 409  # what Nova answers when the host is in another availability zone


@dataclass(frozen=True)
class Held:
    """A reserved host that this recovery has taken, and what was changed to use it."""

    uuid: HostUuid
    name: str
    is_shared: bool = False
    was_disabled: bool | None = None  # None: not read yet
    joined: list[int] | None = None  # aggregates; None: not read yet
    is_ready: bool = False


@dataclass(frozen=True)
class ReservedHosts:
    """What the task remembers."""

    held: Held | None = None
    tried: list[HostUuid] = field(default_factory=list)  # uuids of hosts that will not be taken again in this flow
    given_back: list[Held] = field(default_factory=list)  # what Nova may still change of them late
    kept: list[Held] = field(default_factory=list)  # what they were is given back when the failed host has returned


def recall(recovery: Recovery, task: TaskRow) -> ReservedHosts:
    """Read what was written down."""
    return recovery.recall(task, ReservedHosts) or ReservedHosts()


def take(recovery: Recovery, task: TaskRow, memory: ReservedHosts, left_over: Iterable[VMove]) -> ReservedHosts | None:
    """Take the next reserved host, and plan another round for what the last one left over; None: no host is left."""
    world, now = recovery.world, recovery.world.clock.now()
    ended = [move for move in left_over if move.status is not VMoveStatus.PENDING]
    again = [(move.instance_uuid, move.instance_name, facts_again(move)) for move in ended]
    known = min((move.last_migration_id for move in ended), default=0)
    newest = newest_of_each(recovery.nova.evacuations_from(recovery.host.name, known, PAGE))
    followed = {server_id: record.id for server_id, record in under_way(recovery.source, newest).items()}
    last = max((record.id for record in newest.values()), default=known)
    with recovery.claim.transaction() as connection:
        found = hosts.reserved(connection, recovery.host.failover_segment_id, lock=True)
        host = next((host for host in found if host.uuid not in memory.tried), None)
        if host is None:
            return None
        held = Held(host.uuid, host.name, world.settings.share_reserved_hosts)
        if not held.is_shared:
            emit.host_changed(world, connection, hosts.change(connection, host.uuid, {"reserved": False}, now))
        rounds.plan(connection, recovery.notification, recovery.host.name, again, last, now)
        rounds.follow(connection, recovery.notification.notification_uuid, followed, now)
        memory = replace(memory, held=held, tried=[*memory.tried, host.uuid])
        tasks.remember(connection, task, memory)
    log.get().info("reserved host taken", reserved_host=host.name)
    world.breakpoint(Breakpoint.RESERVED_HOST_TAKEN)
    return memory


def make_ready(recovery: Recovery, task: TaskRow, memory: ReservedHosts) -> ReservedHosts | None:
    """Join the failed host's aggregates and enable the compute service; None: the host cannot be used."""
    assert memory.held is not None
    held, nova = memory.held, recovery.nova
    if held.is_ready:
        return memory
    try:
        service = nova.service(held.name)
        reason = reason_to_pass_over(service)
        if service is None or reason is not None:
            log.get().warning("reserved host cannot be used", reserved_host=held.name, reason=reason)
            return None
        if held.was_disabled is None:
            joined = _aggregates_to_join(recovery, held.name)
            held = replace(held, was_disabled=service.disabled, joined=joined)
            memory = _remember(recovery, task, replace(memory, held=held))
        count = sum(_join(recovery, number, held.name) for number in held.joined or ())
        if service.disabled:
            nova.enable_service(service.id)
            recovery.world.breakpoint(Breakpoint.RESERVED_HOST_ENABLED)
    except CloudRefused as error:
        log.get().warning("reserved host cannot be made ready", reserved_host=held.name, reason=str(error))
        return None
    recovery.progress(task, 0.1, f"Reserved host {held.name} is enabled; its aggregates: {count} joined")
    return _remember(recovery, task, replace(memory, held=replace(held, is_ready=True)))


def _join(recovery: Recovery, aggregate: int, name: str) -> bool:
    """Join an aggregate; False when Nova does not let the host in."""
    try:
        recovery.nova.join_aggregate(aggregate, name)
    except CloudRefused as error:
        if error.code != _CONFLICT:
            raise
        log.get().warning("reserved host not in aggregate", reserved_host=name, aggregate=aggregate, reason=str(error))
        return False
    recovery.world.breakpoint(Breakpoint.AGGREGATE_JOINED)
    return True


def _aggregates_to_join(recovery: Recovery, name: str) -> list[int]:
    if not recovery.world.settings.add_reserved_host_to_aggregate:
        return []
    failed = recovery.host.name
    return [one.id for one in recovery.nova.aggregates() if failed in one.hosts and name not in one.hosts]


def give_back(recovery: Recovery, task: TaskRow, memory: ReservedHosts) -> ReservedHosts:
    """Undo what was changed on a host that received nothing, and reserve it again.

    A shared host stays as it is: another recovery may be at work on it, and relies on what we have changed.
    """
    assert memory.held is not None
    held, world = memory.held, recovery.world
    if held.is_shared:
        return keep(recovery, task, memory)
    restore(recovery.claim, held)  # what Nova refuses now, the final check tries once more
    now = world.clock.now()
    memory = replace(memory, held=None, given_back=[*memory.given_back, held])
    with recovery.claim.transaction() as connection:
        if hosts.by_uuid(connection, held.uuid) is not None:
            emit.host_changed(world, connection, hosts.change(connection, held.uuid, {"reserved": True}, now))
        tasks.remember(connection, task, memory)
    log.get().info("reserved host given back", reserved_host=held.name)
    world.breakpoint(Breakpoint.RESERVED_HOST_GIVEN_BACK)
    return memory


def restore_late(claim: Claim[Notification]) -> Iterator[str]:
    """Undo what Nova has changed of hosts only since they were given back, unless they were taken again.

    Says what Nova refuses. Raises CloudUnavailable when it does not tell.
    """
    with claim.read() as connection:
        memories = tasks.recall_all(connection, claim.row.notification_uuid, ReservedHosts)
        given_back = [held for memory in memories for held in memory.given_back]
        still = [held for held in given_back if (host := hosts.by_uuid(connection, held.uuid)) and host.reserved]
    members = claim.nova.aggregates() if any(held.joined for held in still) else []
    for held in still:
        joined = [one.id for one in members if one.id in (held.joined or ()) and held.name in one.hosts]
        undone = restore(claim, replace(held, joined=joined))
        if undone is True:
            log.get().warning("late change of reserved host undone", reserved_host=held.name)
        elif undone is not False:
            yield f"what was changed of reserved host {held.name} is not undone, since Nova refuses it: {undone}"


def restore(claim: Claim[Any], held: Held) -> bool | CloudRefused:
    """Undo in Nova what was changed on a host; says whether that was necessary, or what Nova refused."""
    nova, reason = claim.nova, claim.world.settings.reserved_host_disable_reason
    try:
        service = nova.service(held.name)
        is_enabled = service is not None and not service.disabled
        if service is not None and held.was_disabled and not service.disabled:
            nova.disable_service(service.id, reason, False, None)
        for number in held.joined or ():
            nova.leave_aggregate(number, held.name)
    except CloudRefused as error:
        log.get().warning("reserved host not restored in Nova", reserved_host=held.name, reason=str(error))
        return error
    return bool(held.joined or (held.was_disabled and is_enabled))


def keep(recovery: Recovery, task: TaskRow, memory: ReservedHosts) -> ReservedHosts:
    """Leave a host as it is now, until the failed one has returned."""
    assert memory.held is not None
    return _remember(recovery, task, replace(memory, held=None, kept=[*memory.kept, memory.held]))


def _remember(recovery: Recovery, task: TaskRow, memory: ReservedHosts) -> ReservedHosts:
    recovery.remember(task, memory)
    return memory
