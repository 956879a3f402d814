"""PrepareHAEnabledInstancesTask: which instances, in which order; one pending vmove each."""

from collections.abc import Container
from dataclasses import replace
from datetime import datetime
from heapq import nsmallest

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide.evacuation import is_unheard
from instance_ha.decide.failures import superseded_by
from instance_ha.decide.hold import incomplete_list, lost_disks
from instance_ha.decide.instances import (
    Choice,
    InstancePolicy,
    choose,
    disks_lost,
    facts,
    facts_away,
    first_facts,
    ha_enabled,
    left_in_error_by_others,
    unsettled_elsewhere,
)
from instance_ha.decide.outcome import LeftOut, latest
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import CLOCKS_APART, Server
from instance_ha.models.enums import TaskState, VMoveStatus
from instance_ha.models.errors import ListIncomplete
from instance_ha.models.evidence import LocalDisk
from instance_ha.models.rows import InstanceFacts, TaskRow, VMove
from instance_ha.recovery.end import final_check_at
from instance_ha.recovery.evacuation.arrivals import read_moved
from instance_ha.recovery.evacuation.under_way import PAGE, newest_of_each, to_follow
from instance_ha.recovery.hold import go_on
from instance_ha.recovery.recovery import Done, Held, Outcome, Recovery, Skip, instance_policy
from instance_ha.store import notifications, policies, rounds, tasks, vmoves


def prepare_instances(recovery: Recovery, task: TaskRow) -> Outcome:
    """Plan the evacuation; the plan and the task's success are one transaction."""
    name = recovery.host.name
    if not task.details:
        recovery.progress(task, 0.0, "Preparing instances for evacuation")
    uuid = recovery.notification.notification_uuid
    try:
        servers = _servers(recovery)
    except ListIncomplete as error:
        return Held(incomplete_list(str(error), recovery.world.clock.now()))
    newest = newest_of_each(recovery.nova.evacuations_from(name, 0, PAGE))
    followed = to_follow(recovery, newest)
    with recovery.claim.read() as connection:
        begun = vmoves.begun_since_the_last_success(connection, recovery.notification)
        tries = vmoves.latest_tries(connection, name, [*(server.id for server in servers), *begun])
        moves = vmoves.of_notification(connection, uuid)
        local_disk = policies.of_segment(connection, recovery.host.failover_segment_id).local_disk
    policy = replace(instance_policy(recovery.world.settings), leave_local_disks=local_disk is LocalDisk.LEAVE)
    since = recovery.notification.created_at - CLOCKS_APART
    tried = left_in_error_by_others(servers, newest, since, policy) | first_facts(servers, tries, uuid)
    tried |= _stopped_by_us(recovery, policy, servers)
    choice = choose(servers, policy, tried)
    if local_disk is LocalDisk.HOLD and (lost := disks_lost(choice.chosen)):
        return Held(lost_disks([server.name for server in lost], recovery.world.clock.now()))
    go_on(recovery.claim)
    left_out = _left_out(choice)
    _log(choice, name)
    now, late_limit = recovery.world.clock.now(), recovery.world.settings.nova_late_request_limit
    unheard = [move for move in tries.values() if is_unheard(move, newest.get(move.instance_uuid), now, late_limit)]
    on_their_way = {*followed, *(move.instance_uuid for move in unheard)}
    tried_ever = {move.instance_uuid: move for move in [*_handed_on(moves), *tries.values()]}
    away = _not_well(recovery, unsettled_elsewhere(tried_ever.values(), servers), on_their_way)
    with recovery.claim.transaction() as connection:
        planned = [(server.id, server.name, facts(server, policy, tried.get(server.id))) for server in choice.chosen]
        planned += [(move.instance_uuid, move.instance_name, facts_away(move)) for move in away]
        has_work = bool(planned) or any(move.status is VMoveStatus.SUCCEEDED for move in latest(moves))
        last = max((record.id for record in newest.values()), default=0)
        rounds.plan(connection, recovery.notification, name, planned, last, now)
        rounds.follow(connection, uuid, followed, now)
        rounds.await_late(connection, uuid, unheard)
        _supersede(recovery, connection, servers, now)
        tasks.remember(connection, task, left_out)
        tasks.add_progress(
            connection, task, now, _progress(choice, policy, name), TaskState.SUCCESS if has_work else None
        )
    recovery.world.breakpoint(Breakpoint.INSTANCES_PLANNED)
    nothing = f"there is no instance to evacuate on host {name}"
    return Done() if has_work else Skip(", ".join(filter(None, (nothing, left_out.text))))


def _handed_on(moves: list[VMove]) -> list[VMove]:
    """Keep what has moved and failed there: the recovery of its new host works on it, but here it is not forgotten."""
    begun = latest(move for move in moves if move.start_time is not None)
    return [move for move in begun if move.status is VMoveStatus.FAILED and move.dest_host is not None]


def _not_well(recovery: Recovery, away: list[VMove], on_their_way: Container[str]) -> list[VMove]:
    """Keep what is in error, or still on its way: what runs elsewhere, or is gone, needs nothing of us."""
    moves = {str(move.instance_uuid): move for move in away}
    in_error = {server.id for server in read_moved(recovery.nova, moves) if server.vm_state == "error" and server.host}
    return [move for server_id, move in moves.items() if server_id in in_error or server_id in on_their_way]


def _left_out(choice: Choice) -> LeftOut:
    """Name the first three by name: Nova lists what was created in one second in the order of random ids."""
    first = nsmallest(3, choice.left_out, key=lambda left: (left[0].name, left[0].id))
    named = (f"{server.name} ({server.id}): {reason}" for server, reason in first)
    return LeftOut(len(choice.left_out), tuple(named))


def _supersede(recovery: Recovery, connection: Connection, servers: list[Server], now: datetime) -> None:
    """End the recoveries of the instances on the host, whatever host they were reported on."""
    message, instances = superseded_by(recovery.notification), [server.id for server in servers]
    check_at = final_check_at(recovery.world, now)
    for uuid in notifications.supersede_instances(connection, instances, message, now, check_at):
        tasks.abandon(connection, uuid, now, message)
        emit.recovery_ended(recovery.world, connection, uuid)


def _servers(recovery: Recovery) -> list[Server]:
    servers: dict[str, Server] = {}
    for page in recovery.nova.servers_on(recovery.host.name):
        servers.update((server.id, server) for server in page)  # a page boundary may show one twice
    return list(servers.values())


def _stopped_by_us(recovery: Recovery, policy: InstancePolicy, servers: list[Server]) -> dict[str, InstanceFacts]:
    """Find what a restart of ours has stopped that the host's failure cut off; its owner has not stopped it since."""
    off = [server for server in servers if server.vm_state == "stopped"]
    with recovery.claim.read() as connection:
        restarted = tasks.instances_stopped(connection, [server.id for server in off])
    stopped = [server for server in off if server.id in restarted]
    actions = {server.id: recovery.nova.last_power_action(server.id) for server in stopped}
    ours = [server for server in stopped if (last := actions[server.id]) is not None and last.ours]
    return {server.id: replace(facts(server, policy), vm_state="active", stopped_by_us=True) for server in ours}


def _log(choice: Choice, host: str) -> None:
    log.get().info("instances chosen", host=host, chosen=len(choice.chosen), left_out=len(choice.left_out))
    for server, reason in choice.left_out:
        log.get().info("instance left out", instance_uuid=server.id, reason=reason)


def _progress(choice: Choice, policy: InstancePolicy, host: str) -> list[tuple[float, str]]:
    """Say what was found and chosen."""
    wanted = sum(ha_enabled(server, policy) for server in choice.chosen)
    lines = [(0.3, f"{len(choice.chosen) + len(choice.left_out)} instances are on host {host}")]
    lines += [(0.4, f"Left out instance {server.id}: {reason}") for server, reason in choice.left_out]
    lines.append((0.6, f"{wanted} HA enabled instances are to be evacuated"))
    if policy.evacuate_all:
        lines.append((0.7, f"{len(choice.chosen) - wanted} other instances are to be evacuated"))
        lines.append((0.8, f"{len(choice.chosen)} instances are to be evacuated in all"))
    ids = ",".join(server.id for server in choice.chosen)
    lines.append((1.0, f"Instances to evacuate: {ids}" if ids else f"Skipped host {host}: no instances to evacuate"))
    return lines
