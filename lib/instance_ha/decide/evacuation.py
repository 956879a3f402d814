"""One evacuation: how to prepare it, what Nova's answers mean, and how to end it."""

from collections.abc import Container, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.models.cloud import CLOCKS_APART, ComputeService, Migration, Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import InstanceFacts, VMove
from instance_ha.models.text import LOCK_REASON, NO_VALID_HOST

LIVE_MIGRATING = "migrating"  # task_state
SHUT_DOWN = 4  # power_state of a domain that does not run
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
class Restoration:
    """What gives an evacuated instance the state back that it had, and what of it cannot be given back."""

    actions: tuple[str, ...] = ()
    settled: frozenset[str] = frozenset({"active"})  # vm_states that are right before the actions
    message: str | None = None


_LEADS_TO = {  # what its owner had asked for when the host died, by the task_state
    "powering-off": "stopped",
    "powering-on": "active",
    "pausing": "paused",
    "unpausing": "active",
    "suspending": "suspended",
    "resuming": "active",
    **dict.fromkeys(("rebooting_hard", "reboot_pending_hard", "reboot_started_hard"), "active"),  # whatever it was
}


def intended(facts: InstanceFacts) -> str:
    """Return the vm_state that an instance's owner wanted when its host died."""
    return _LEADS_TO.get(facts.task_state or "", facts.vm_state)


def restore(facts: InstanceFacts) -> Restoration:
    """Choose the actions after an evacuation; Nova itself leaves an instance active, or stopped as it was.

    What its owner had asked for, and Nova had accepted, counts for more than what it was.
    """
    state = intended(facts)
    if state == "stopped" and facts.task_state is None and not facts.left_in_error:
        return Restoration(settled=frozenset({"stopped"}))
    if state == "active":
        return Restoration(("start",), settled=frozenset({"stopped"})) if facts.stopped_by_us else Restoration()
    if state == "stopped" or (state == "resized" and facts.power_state == SHUT_DOWN):
        return Restoration(("stop",))
    if state == "resized":
        return Restoration(message="was resized and not confirmed; runs now without the choice to go back")
    if state == "paused":
        return Restoration(("pause",))
    if state == "suspended":
        return Restoration(("suspend",), message="was suspended; its memory died with the host, so it booted first")
    if state == "error":
        return Restoration(("stop", "reset_error"))
    return Restoration(("stop",), message=f"was {state}, which cannot be given back; it is stopped")


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
    nothing of the request, and may carry it out yet.
    """

    settling: bool = False
    unrecorded: bool = False


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

CHECK_UNRECORDED_AFTER = 60.0
CHECK_UNCLEAR_AFTER = 10.0
SURE_AFTER = timedelta(seconds=5)  # Nova brings an instance up, and a moment later says that its host has changed
# A record that has no destination yet waits for Nova's conductor; after so long it has lost the message.
UNCLAIMED_AFTER = 600.0


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
    move: VMove, server: Server | None, migration: Migration | None, age: Age, *, dest_down: bool = False
) -> Finding | Perhaps:
    """Say how an evacuation stands.

    ``server`` is None when it does not exist any more; ``migration`` is Nova's record of this evacuation,
    None when there is none; ``dest_down`` is whether Nova says that its destination is down. An instance has moved
    when its host changed, never by a name alike.
    """
    if server is None:
        return End(VMoveStatus.IGNORED, "the instance was deleted")
    if server.host is not None and server.host != move.source_host:
        return _check_elsewhere(move, server, migration, age, dest_down=dest_down)
    if migration is not None and migration.failed:
        reason = f"Nova could not evacuate it: {server.fault or 'migration ' + migration.status}"
        failed_host = None if NO_VALID_HOST in reason else migration.dest_host
        return End(VMoveStatus.FAILED, reason, failed_host=failed_host)
    if migration is not None and migration.unclear and (dest_down or server.task_state is None):
        end = End(VMoveStatus.FAILED, f"host {move.source_host} came back before the instance had moved")
        return end if dest_down else Perhaps(end)
    if age.give_up:
        dest_host = migration.dest_host if migration is not None else None
        return End(VMoveStatus.FAILED, "Nova did not finish the evacuation in time", dest_host)
    if migration is None:
        return _check_unrecorded(server, age)
    if dest_down and move.target_host is not None:  # another reserved host is taken for it
        return End(VMoveStatus.FAILED, f"its destination {migration.dest_host} went down", migration.dest_host)
    comes_to_nothing = age.unclaimed if migration.dest_host is None else dest_down
    return Ask(migration.id) if comes_to_nothing and not migration.final else Wait()


def _check_unrecorded(server: Server, age: Age) -> Finding:
    if not age.may_ask_again:
        return Wait(unrecorded=True)
    return Wait() if is_accepted(server) and not age.unclaimed else Ask()


def _check_elsewhere(move: VMove, server: Server, migration: Migration | None, age: Age, *, dest_down: bool) -> Finding:
    assert server.host is not None
    if move.asked_at is None and server.vm_state == "error":
        return End(VMoveStatus.FAILED, f"it is on {server.host} in error: {server.fault or 'state error'}", server.host)
    if move.asked_at is None:
        return End(VMoveStatus.IGNORED, f"the instance runs on {server.host} already")
    if server.task_state is None and server.vm_state in restore(move.facts).settled | {"active", "stopped"}:
        return Moved(server.host)
    # It has left its old host, and a record without a destination that does not get one soon never will.
    is_over = migration is None or migration.final or (migration.dest_host is None and age.may_ask_again)
    if server.vm_state == "error" and is_over:
        reason = f"it moved to {server.host} and failed there: {server.fault or 'state error'}"
        return End(VMoveStatus.FAILED, reason, server.host)
    if dest_down:
        reason = f"it moved to {server.host}, which went down before its state was restored"
        return End(VMoveStatus.FAILED, reason, server.host)
    if age.give_up:
        return End(VMoveStatus.FAILED, f"it is on {server.host} but Nova did not finish with it in time", server.host)
    return Wait(settling=True)


def is_at_work(record: Migration, dest: ComputeService | None, now: datetime) -> bool:
    """Say whether Nova may still carry out what a record tells of, by the compute service of its target.

    What was to happen on a host that is down will not happen any more, though its record never ends; neither will what
    has not been given a destination for long.
    """
    if record.final:
        return False
    if record.dest_host is not None:
        return dest is not None and dest.up
    return record.created_at is None or now - record.created_at <= timedelta(seconds=UNCLAIMED_AFTER) + CLOCKS_APART


def reason_failed_since(move: VMove, server: Server) -> str | None:
    """Say why an instance whose vmove has succeeded is not well now, if so."""
    if server.host == move.source_host:
        return f"Nova's record says that it has moved, but it is on {move.source_host}"
    if server.vm_state == "error" and move.facts.vm_state != "error":
        return f"it moved to {server.host} and failed there afterwards: {server.fault or 'state error'}"
    return None


@dataclass(frozen=True)
class Watch:
    """What Nova's records say of evacuations under way."""

    done: tuple[tuple[VMove, str | None], ...]  # and where Nova says that it has moved, None when it failed
    unseen: tuple[VMove, ...]  # not checked for too long


def watch(
    moves: Iterable[VMove],
    migrations: Mapping[str, Migration],
    now: datetime,
    slow: float,
    down: Container[str] = (),
) -> Watch:
    """Sort watched evacuations by Nova's newest record of each instance in ``migrations``.

    An evacuation is unseen when it was not checked for ``slow`` seconds: the record of a deleted instance,
    say, never becomes final. One to a host that is ``down`` is checked sooner, since it comes to nothing.
    """
    done: list[tuple[VMove, str | None]] = []
    unseen: list[VMove] = []
    for move in moves:
        migration = migrations.get(move.instance_uuid)
        if migration is not None and migration.id <= move.last_migration_id:  # of an earlier request
            migration = None
        patience = CHECK_UNRECORDED_AFTER if migration is None else slow
        if migration is not None and (migration.unclear or migration.dest_host in down):
            patience = min(slow, CHECK_UNCLEAR_AFTER)
        if migration is not None and migration.final and not migration.unclear:
            done.append((move, migration.dest_host if migration.moved else None))
        elif now - (move.updated_at or move.created_at) > timedelta(seconds=patience):
            unseen.append(move)
    return Watch(tuple(done), tuple(unseen))
