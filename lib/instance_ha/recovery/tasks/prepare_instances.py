"""PrepareHAEnabledInstancesTask: which instances, in which order; one pending vmove each."""

from collections.abc import Iterable
from datetime import datetime
from heapq import nsmallest

from sqlalchemy import Connection

from instance_ha import emit, log
from instance_ha.decide.failures import superseded_by
from instance_ha.decide.hold import incomplete_list, lost_disks
from instance_ha.decide.instances import Choice, InstancePolicy, facts_away, ha_enabled
from instance_ha.decide.outcome import LeftOut, latest
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import Server
from instance_ha.models.enums import TaskState, VMoveStatus
from instance_ha.models.errors import ListIncomplete
from instance_ha.models.rows import TaskRow
from instance_ha.planning.instances import plan_instances
from instance_ha.recovery.end import final_check_at
from instance_ha.recovery.hold import go_on
from instance_ha.recovery.recovery import Done, Held, Outcome, Recovery, Skip
from instance_ha.recovery.storm import storm
from instance_ha.store import notifications, rounds, tasks


def prepare_instances(recovery: Recovery, task: TaskRow) -> Outcome:
    """Plan the evacuation; the plan and the task's success are one transaction."""
    name = recovery.host.name
    if not task.details:
        recovery.progress(task, 0.0, "Preparing instances for evacuation")
    uuid = recovery.notification.notification_uuid
    try:
        plan = plan_instances(recovery.source, recovery.host, recovery.notification)
    except ListIncomplete as error:
        return Held(incomplete_list(str(error), recovery.world.clock.now()))
    if plan.is_held:
        return Held(lost_disks([server.name for server in plan.disks_lost], recovery.world.clock.now()))
    if (held := storm(recovery)) is not None:
        return Held(held)
    go_on(recovery.claim)
    choice, left_out, now = plan.choice, _left_out(plan.choice), recovery.world.clock.now()
    _log(choice, name)
    with recovery.claim.transaction() as connection:
        planned = [(server.id, server.name, plan.facts[server.id]) for server in choice.chosen]
        planned += [(move.instance_uuid, move.instance_name, facts_away(move)) for move in plan.away]
        has_work = bool(planned) or any(move.status is VMoveStatus.SUCCEEDED for move in latest(plan.moves))
        rounds.plan(connection, recovery.notification, name, planned, plan.last_record, now)
        rounds.follow(connection, uuid, plan.followed, now)
        rounds.await_late(connection, uuid, plan.unrecorded)
        _supersede(recovery, connection, plan.servers, now)
        tasks.remember(connection, task, left_out)
        tasks.add_progress(
            connection, task, now, _progress(choice, plan.policy, name), TaskState.SUCCESS if has_work else None
        )
    recovery.world.breakpoint(Breakpoint.INSTANCES_PLANNED)
    nothing = f"there is no instance to evacuate on host {name}"
    return Done() if has_work else Skip(", ".join(filter(None, (nothing, left_out.text))))


def _left_out(choice: Choice) -> LeftOut:
    """Name the first three by name: Nova lists what was created in one second in the order of random ids."""
    first = nsmallest(3, choice.left_out, key=lambda left: (left[0].name, left[0].id))
    named = (f"{server.name} ({server.id}): {reason}" for server, reason in first)
    return LeftOut(len(choice.left_out), tuple(named))


def _supersede(recovery: Recovery, connection: Connection, servers: Iterable[Server], now: datetime) -> None:
    """End the recoveries of the instances on the host, whatever host they were reported on."""
    message, instances = superseded_by(recovery.notification), [server.id for server in servers]
    check_at = final_check_at(recovery.world, now)
    for uuid in notifications.supersede_instances(connection, instances, message, now, check_at):
        tasks.abandon(connection, uuid, now, message)
        emit.recovery_ended(recovery.world, connection, uuid)


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
