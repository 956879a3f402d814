"""Which instances of a failed host are evacuated, in which order, and what is known of each."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from instance_ha.decide.evacuation import is_unrecorded
from instance_ha.decide.instances import (
    Choice,
    InstancePolicy,
    choose,
    disks_lost,
    facts,
    first_facts,
    left_in_error_by_others,
    unsettled_elsewhere,
)
from instance_ha.decide.outcome import latest
from instance_ha.models.cloud import CLOCKS_APART, Migration, Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.evidence import LocalDisk
from instance_ha.models.ports import Nova
from instance_ha.models.rows import Host, InstanceFacts, Notification, VMove
from instance_ha.planning.moved import read_moved
from instance_ha.planning.source import Source
from instance_ha.planning.under_way import PAGE, newest_of_each, under_way
from instance_ha.settings import Settings
from instance_ha.store import policies, tasks, vmoves


@dataclass(frozen=True)
class InstancePlan:
    """What a recovery does with the instances of a host."""

    choice: Choice
    facts: Mapping[str, InstanceFacts]  # of each that is chosen: what it was when the host failed
    policy: InstancePolicy
    servers: tuple[Server, ...]  # all that are on the host
    disks_lost: tuple[Server, ...]  # those that are chosen, and would be built anew, empty
    is_held: bool  # until somebody has decided what becomes of them
    moves: tuple[VMove, ...]  # of the notification until now
    away: tuple[VMove, ...]  # what has left the host in an earlier try, and is not well
    followed: Mapping[str, int]  # Nova's records of evacuations that are under way, by instance
    unrecorded: tuple[VMove, ...]  # what Nova may still carry out, though it has no record of it
    last_record: int  # the newest of Nova's records


def instance_policy(settings: Settings, local_disk: LocalDisk = LocalDisk.EVACUATE) -> InstancePolicy:
    """Return what is set for the instances of failed hosts."""
    return InstancePolicy(
        metadata_key=settings.ha_enabled_instance_metadata_key,
        priority_key=settings.ha_priority_metadata_key,
        opt_out_key=settings.ha_opt_out_metadata_key,
        evacuate_all=settings.evacuate_all_instances,
        ignore_error_state=settings.ignore_instances_in_error_state,
        leave_local_disks=local_disk is LocalDisk.LEAVE,
    )


def plan_instances(source: Source, host: Host, notification: Notification) -> InstancePlan:
    """Read what is on a host, and decide what becomes of it; nothing is changed.

    Raises:
        ListIncomplete: Nova's list of the host's servers contradicts what Nova says elsewhere.
        CloudUnavailable: Nova does not tell, or not all of it.
        CloudRefused: Nova does not let us ask.

    """
    servers = [*servers_of(source.nova, host.name).values()]
    newest = newest_of_each(source.nova.evacuations_from(host.name, 0, PAGE))
    followed = {one: record.id for one, record in under_way(source, newest).items()}
    uuid = notification.notification_uuid
    with source.read() as connection:
        begun = vmoves.begun_since_the_last_success(connection, notification)
        tries = vmoves.latest_tries(connection, host.name, [*(server.id for server in servers), *begun])
        moves = vmoves.of_notification(connection, uuid)
        local_disk = policies.of_segment(connection, host.failover_segment_id).local_disk
    policy = instance_policy(source.settings, local_disk)
    since = notification.created_at - CLOCKS_APART
    tried = left_in_error_by_others(servers, newest, since, policy) | first_facts(servers, tries, uuid)
    tried |= _stopped_by_us(source, policy, servers)
    choice = choose(servers, policy, tried)
    unrecorded = _unrecorded(source, tries.values(), newest)
    on_their_way = {*followed, *(move.instance_uuid for move in unrecorded)}
    tried_ever = {move.instance_uuid: move for move in [*_handed_on(moves), *tries.values()]}
    lost = disks_lost(choice.chosen)
    return InstancePlan(
        choice=choice,
        facts={server.id: facts(server, policy, tried.get(server.id)) for server in choice.chosen},
        policy=policy,
        servers=tuple(servers),
        disks_lost=lost,
        is_held=local_disk is LocalDisk.HOLD and bool(lost),
        moves=tuple(moves),
        away=_failed_since(source.nova, unsettled_elsewhere(tried_ever.values(), servers), on_their_way),
        followed=followed,
        unrecorded=tuple(unrecorded),
        last_record=max((record.id for record in newest.values()), default=0),
    )


def servers_of(nova: Nova, host: str) -> dict[str, Server]:
    """Read the servers on a host, by their ids; a page boundary may show one twice.

    Raises CloudUnavailable and CloudRefused, and ListIncomplete, as Nova's list does.
    """
    return {server.id: server for page in nova.servers_on(host) for server in page}


def _stopped_by_us(source: Source, policy: InstancePolicy, servers: list[Server]) -> dict[str, InstanceFacts]:
    """Find what a restart of ours has stopped that the host's failure cut off; its owner has not stopped it since."""
    off = [server for server in servers if server.vm_state == "stopped"]
    if not off:
        return {}
    with source.read() as connection:
        restarted = tasks.instances_stopped(connection, [server.id for server in off])
    stopped = [server for server in off if server.id in restarted]
    actions = {server.id: source.nova.last_power_action(server.id) for server in stopped}
    ours = [server for server in stopped if (last := actions[server.id]) is not None and last.ours]
    return {server.id: replace(facts(server, policy), vm_state="active", stopped_by_us=True) for server in ours}


def _unrecorded(source: Source, tries: Iterable[VMove], newest: Mapping[str, Migration]) -> list[VMove]:
    now, late_limit = source.clock.now(), source.settings.nova_late_request_limit
    return [move for move in tries if is_unrecorded(move, newest.get(move.instance_uuid), now, late_limit)]


def _handed_on(moves: list[VMove]) -> list[VMove]:
    """Keep what has moved and failed there: the recovery of its new host works on it, but here it is not forgotten."""
    begun = latest(move for move in moves if move.start_time is not None)
    return [move for move in begun if move.status is VMoveStatus.FAILED and move.dest_host is not None]


def _failed_since(nova: Nova, away: list[VMove], on_their_way: set[str]) -> tuple[VMove, ...]:
    """Keep what is in error, or still on its way: what runs elsewhere, or is gone, needs nothing of us."""
    moves = {str(move.instance_uuid): move for move in away}
    in_error = {server.id for server in read_moved(nova, moves) if server.vm_state == "error" and server.host}
    return tuple(move for server_id, move in moves.items() if server_id in in_error or server_id in on_their_way)
