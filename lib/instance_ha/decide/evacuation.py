"""One evacuation: how to prepare it, what Nova's answers mean, and how to end it."""

from collections.abc import Container, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import Enum, auto

from instance_ha.decide.restoration import restoration_of
from instance_ha.models.cloud import CLOCKS_APART, Migration, Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import InstanceFacts, VMove
from instance_ha.models.text import LOCK_REASON, NO_VALID_HOST

LIVE_MIGRATING = "migrating"  # task_state
_EVACUABLE = frozenset({"active", "stopped", "error"})  # what Nova accepts
# task_states from the acceptance of an evacuation on, before there is a record of it
_EVACUATING = frozenset({"rebuilding", "rebuild_block_device_mapping", "rebuild_spawning"})


def lock_reason(notification_uuid: str) -> str:
    """Return the reason that marks a lock as ours."""
    return f"{LOCK_REASON}{notification_uuid}"


@dataclass(frozen=True)
class Preparation:
    """What must happen before Nova accepts the evacuation."""

    reset_to_error: bool


def prepare(facts: InstanceFacts) -> Preparation:
    """Nova evacuates only active, stopped and failed instances on which no task is under way."""
    return Preparation(reset_to_error=facts.vm_state not in _EVACUABLE or facts.task_state is not None)


@dataclass(frozen=True)
class Ask:
    """Nova has not heard the request, or nothing will come of it: send it again.

    ``last_migration_id`` is the newest record that has come to nothing, None when there is none.
    """

    last_migration_id: int | None = None


@dataclass(frozen=True)
class Wait:
    """Nova is at work.

    An instance that is ``settling`` has moved already and will be at rest in a moment. ``unrecorded``: Nova shows
    nothing of the request, and may carry it out yet. ``reason`` is told to people.
    """

    settling: bool = False
    unrecorded: bool = False
    reason: str | None = None


@dataclass(frozen=True)
class Moved:
    """The instance is on another host and at rest."""

    dest_host: str


@dataclass(frozen=True)
class End:
    """The evacuation is over."""

    status: VMoveStatus
    message: str
    dest_host: str | None = None  # where it is, or where Nova was taking it when we gave it up
    failed_host: str | None = None  # the destination on which Nova failed


@dataclass(frozen=True)
class Perhaps:
    """It seems over, as it does for a moment too right before it has moved: it is if it seems so for ``SURE_AFTER``."""

    end: End


Finding = Ask | Wait | Moved | End

SURE_AFTER = timedelta(seconds=5)  # Nova brings an instance up, and a moment later says that its host has changed
# A record that has no destination yet waits for Nova's conductor; after so long it has lost the message.
UNCLAIMED_AFTER = 600.0


class DestState(Enum):
    """What is known of the host to which an evacuation is under way."""

    UP = auto()  # Nova calls it up, or has not chosen it yet
    DOWN = auto()  # Nova calls it down: that its nova-compute has stopped does not mean that the instance does not run
    DEAD = auto()  # its own recovery has proven it dead since, by the policy of its segment


def dest_state(record: Migration, down: Container[str], proven: Mapping[str, datetime]) -> DestState:
    """Say what is known of a record's destination, by which hosts are ``down`` and when which were ``proven`` dead.

    A proof that is older than the record tells nothing, as far as the clocks go: Nova has chosen the host after it.
    """
    if record.dest_host is None or record.dest_host not in down:
        return DestState.UP
    proven_at = proven.get(record.dest_host)
    if proven_at is None or record.created_at is None or proven_at < record.created_at - CLOCKS_APART:
        return DestState.DOWN
    return DestState.DEAD


@dataclass(frozen=True)
class Age:
    """How long ago an evacuation was asked for."""

    may_ask_again: bool
    give_up: bool
    unclaimed: bool = False


def age(move: VMove, now: datetime, late_limit: float, give_up_after: float) -> Age:
    """Say what the age of a request allows.

    Nova may carry it out for ``late_limit`` seconds although nothing was answered. It does not refuse a second
    evacuation, and two at once wreck the instance.
    """
    since = 0.0 if move.asked_at is None else (now - move.asked_at).total_seconds()
    return Age(since >= late_limit, since > give_up_after, since > UNCLAIMED_AFTER)


def is_unrecorded(move: VMove, newest: Migration | None, now: datetime, late_limit: float) -> bool:
    """Say whether Nova may still carry out the request of a vmove that has ended, since it has no record of it yet.

    ``newest`` is Nova's newest record of an evacuation of the instance.
    """
    if move.asked_at is None or age(move, now, late_limit, late_limit).may_ask_again:
        return False
    return newest is None or newest.id <= move.last_migration_id


def is_accepted(server: Server) -> bool:
    """Say whether Nova has accepted an evacuation of an instance on its old host, though there is no record yet."""
    return server.task_state in _EVACUATING


def check(
    move: VMove, server: Server | None, migration: Migration | None, age: Age, dest: DestState = DestState.UP
) -> Finding | Perhaps:
    """Say how an evacuation stands.

    ``server`` is None when it does not exist any more; ``migration`` is Nova's record of this evacuation,
    None when there is none; ``dest`` is its destination. An instance has moved when its host changed, never by a name
    alike.
    """
    if server is None:
        return End(VMoveStatus.IGNORED, "the instance was deleted")
    if server.host is not None and server.host != move.source_host:
        return _check_elsewhere(move, server, migration, age, is_dest_up=dest is DestState.UP)
    if migration is None:
        late = End(VMoveStatus.FAILED, "Nova did not finish the evacuation in time")
        return late if age.give_up else _check_unrecorded(server, age)
    if migration.failed:
        reason = f"Nova could not evacuate it: {server.fault or 'migration ' + migration.status}"
        failed_host = None if NO_VALID_HOST in reason else migration.dest_host
        return End(VMoveStatus.FAILED, reason, failed_host=failed_host)
    if migration.unclear and (dest is not DestState.UP or server.task_state is None):
        end = End(VMoveStatus.FAILED, f"host {move.source_host} came back before the instance had moved")
        return Perhaps(end) if dest is DestState.UP else end
    return _check_recorded(move, migration, age, dest)


def _check_recorded(move: VMove, migration: Migration, age: Age, dest: DestState) -> Finding:
    """Say how an evacuation stands that Nova has a record of; nothing is asked again while it may run on a host."""
    reason = _may_run(migration) if dest is DestState.DOWN else None
    if age.give_up:
        return End(VMoveStatus.FAILED, reason or "Nova did not finish the evacuation in time", migration.dest_host)
    if dest is DestState.DEAD and move.target_host is not None:  # another reserved host is taken for it
        return End(VMoveStatus.FAILED, f"its destination {migration.dest_host} went down", migration.dest_host)
    comes_to_nothing = age.unclaimed if migration.dest_host is None else dest is DestState.DEAD
    return Ask(migration.id) if comes_to_nothing and not migration.final else Wait(reason=reason)


def _may_run(record: Migration) -> str:
    host = record.dest_host
    return f"Nova calls its destination {host} down, and it may run there: report {host} if it has failed, too"


def _check_unrecorded(server: Server, age: Age) -> Finding:
    if not age.may_ask_again:
        return Wait(unrecorded=True)
    return Wait() if is_accepted(server) and not age.unclaimed else Ask()


def _check_elsewhere(
    move: VMove, server: Server, migration: Migration | None, age: Age, *, is_dest_up: bool
) -> Finding:
    assert server.host is not None
    if move.asked_at is None and server.vm_state == "error":
        return End(VMoveStatus.FAILED, f"it is on {server.host} in error: {server.fault or 'state error'}", server.host)
    if move.asked_at is None:
        return End(VMoveStatus.IGNORED, f"the instance runs on {server.host} already")
    if server.task_state is None and server.vm_state in restoration_of(move.facts).settled | {"active", "stopped"}:
        return Moved(server.host)
    # It has left its old host, and a record without a destination that does not get one soon never will.
    is_over = migration is None or migration.final or (migration.dest_host is None and age.may_ask_again)
    if server.vm_state == "error" and is_over:
        reason = f"it moved to {server.host} and failed there: {server.fault or 'state error'}"
        return End(VMoveStatus.FAILED, reason, server.host)
    if not is_dest_up:
        reason = f"it moved to {server.host}, which went down before its state was restored"
        return End(VMoveStatus.FAILED, reason, server.host)
    if age.give_up:
        return End(VMoveStatus.FAILED, f"it is on {server.host} but Nova did not finish with it in time", server.host)
    return Wait(settling=True)


def is_at_work(record: Migration, dest: DestState, now: datetime) -> bool:
    """Say whether Nova may still carry out what a record tells of, or may have done so unseen.

    What was to happen on a host that is dead will not happen any more, though its record never ends; neither will what
    has not been given a destination for long. A host that is only down may run the instance.
    """
    if record.final:
        return False
    if record.dest_host is not None:
        return dest is not DestState.DEAD
    return record.created_at is None or now - record.created_at <= timedelta(seconds=UNCLAIMED_AFTER) + CLOCKS_APART


def reason_failed_since(move: VMove, server: Server) -> str | None:
    """Say why an instance whose vmove has succeeded is not well now, if so."""
    if server.host == move.source_host:
        return f"Nova's record says that it has moved, but it is on {move.source_host}"
    if server.vm_state == "error" and move.facts.vm_state != "error":
        return f"it moved to {server.host} and failed there afterwards: {server.fault or 'state error'}"
    return None
