"""Which instances of a failed host are evacuated, and in which order."""

import re
from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from instance_ha.decide.restoration import SHUT_DOWN
from instance_ha.models.cloud import Migration, Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import InstanceFacts, VMove
from instance_ha.models.text import LOCK_REASON, TRUE

_DELETING = frozenset({"deleting", "soft-deleting"})  # task_states
_NUMBER = re.compile(r"[+-]?[0-9]{1,9}")


@dataclass(frozen=True)
class InstancePolicy:
    """What the operator has set."""

    metadata_key: str = "HA_Enabled"
    priority_key: str = "HA_Priority"
    opt_out_key: str | None = None
    evacuate_all: bool = True
    ignore_error_state: bool = False
    leave_local_disks: bool = False  # the segment's policy: an evacuation would build them anew, empty


@dataclass(frozen=True)
class Choice:
    """The instances to evacuate, first ones first, and what was left out for which reason."""

    chosen: tuple[Server, ...]
    left_out: tuple[tuple[Server, str], ...]


def ha_enabled(server: Server, policy: InstancePolicy) -> bool:
    """Whether the instance's owner asked for high availability."""
    return server.metadata.get(policy.metadata_key, "").strip().lower() in TRUE


def priority(server: Server, policy: InstancePolicy) -> int:
    """Read the priority that its owner gave an instance; what is no number counts as 0."""
    text = server.metadata.get(policy.priority_key, "").strip()
    return int(text) if _NUMBER.fullmatch(text) else 0


def choose(servers: Iterable[Server], policy: InstancePolicy, tried: Container[str] = ()) -> Choice:
    """Choose and order: by priority, then HA_Enabled ones first, else in the order Nova lists them.

    ``tried`` are instances that we have tried to evacuate before: their error state is our doing.
    """
    chosen: list[Server] = []
    left_out: list[tuple[Server, str]] = []
    for server in servers:
        reason = reason_to_leave(server, policy, tried)
        if reason is None:
            chosen.append(server)
        else:
            left_out.append((server, reason))
    chosen.sort(key=lambda server: (-priority(server, policy), not ha_enabled(server, policy)))
    return Choice(tuple(chosen), tuple(left_out))


def reason_to_leave(server: Server, policy: InstancePolicy, tried: Container[str] = ()) -> str | None:
    """Say why an instance is left where it is, if so.

    A deletion waits for the dead host, and is carried out when it comes back, wherever the instance is then.
    """
    if server.task_state in _DELETING:
        return "its owner is deleting it"
    if server.vm_state == "building":
        return "it was still being built"
    if policy.opt_out_key and server.metadata.get(policy.opt_out_key, "").strip().lower() in TRUE:
        return f"opted out by metadata {policy.opt_out_key}"
    if policy.ignore_error_state and server.vm_state == "error" and server.id not in tried:
        return "in error state"
    if policy.leave_local_disks and not server.on_volume:
        return "its disk is lost with the host, and the segment's policy leaves such instances"
    if not policy.evacuate_all and not ha_enabled(server, policy):
        return f"no metadata {policy.metadata_key}"
    return None


def disks_lost(chosen: Iterable[Server]) -> tuple[Server, ...]:
    """Name the instances that an evacuation would build anew, empty, unless their storage is shared.

    Whether it is Nova does not say: an operator whose instances are on shared storage leaves the policy as it is.
    """
    return tuple(server for server in chosen if not server.on_volume)


def locked_by_others(server: Server) -> bool:
    """A lock of ours is none that must stay: it is of a recovery that has ended without its unlock."""
    return server.locked and not (server.locked_reason or "").startswith(LOCK_REASON)


def facts(server: Server, policy: InstancePolicy, before: InstanceFacts | None = None) -> InstanceFacts:
    """Keep what must be known of an instance to give it its state back.

    ``before`` is what it was at our first try: an evacuation that fails leaves an instance in error.
    """
    if before is not None:
        left_in_error = server.vm_state == "error" and before.vm_state != "error"
        return replace(before, locked=locked_by_others(server), left_in_error=left_in_error)
    return InstanceFacts(
        vm_state=server.vm_state,
        task_state=server.task_state,
        power_state=server.power_state,
        locked=locked_by_others(server),
        ha_enabled=ha_enabled(server, policy),
        priority=priority(server, policy),
    )


def first_facts(
    servers: Iterable[Server], tries: Mapping[str, VMove], notification_uuid: str
) -> dict[str, InstanceFacts]:
    """Return what instances were when their host had failed, as far as our own tries have changed it since then.

    ``tries`` are the latest tries at instances that still are on the host. One for another notification counts while
    the instance is in error: whatever else it is now its owner has made of it.
    """
    return {
        server.id: tries[server.id].facts
        for server in servers
        if server.id in tries
        and (server.vm_state == "error" or tries[server.id].notification_uuid == notification_uuid)
    }


def left_in_error_by_others(
    servers: Iterable[Server], newest: Mapping[str, Migration], since: datetime, policy: InstancePolicy
) -> dict[str, InstanceFacts]:
    """Return what instances were that somebody else's evacuation has failed on ``since`` then.

    ``newest`` are the newest records of evacuations from the host. Nova keeps the power state that the instance had.
    """
    failed = {
        server_id
        for server_id, record in newest.items()
        if record.failed and record.created_at is not None and record.created_at >= since
    }
    return {
        server.id: replace(facts(server, policy), vm_state="stopped" if server.power_state == SHUT_DOWN else "active")
        for server in servers
        if server.vm_state == "error" and server.id in failed
    }


def unsettled_elsewhere(tries: Iterable[VMove], servers: Iterable[Server]) -> list[VMove]:
    """Name what has left the host although we have failed on it, or have not seen its evacuation end.

    ``tries`` are the latest tries at instances, whichever notification they were for, ``servers`` those on the host.
    """
    here = {server.id for server in servers}
    return [
        move
        for move in tries
        if move.instance_uuid not in here and (move.status is VMoveStatus.FAILED or move.asked_at is not None)
    ]


def facts_again(move: VMove) -> InstanceFacts:
    """Keep what was known of an instance for another round."""
    return replace(move.facts, left_in_error=move.facts.left_in_error or move.status is VMoveStatus.FAILED)


def facts_away(move: VMove) -> InstanceFacts:
    """Keep what was known of an instance that has left the host: it is checked before anything is asked for it."""
    return replace(move.facts, left_in_error=True)
