"""What a recovery of a host would do, in words: what comes before the first evacuation, and where instances go."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from instance_ha.decide.evidence import Missing, how_to_get
from instance_ha.decide.hold import Hold
from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import NotificationStatus, NotificationType, RecoveryMethod
from instance_ha.models.evidence import Evidence, EvidenceKind, KindSet, Verdict
from instance_ha.models.fencing import FencePolicy, Rung
from instance_ha.models.rows import Host, Notification
from instance_ha.models.text import counted, names_in_words
from instance_ha.models.uuids import NotificationUuid


class Outlook(StrEnum):
    """What would become of a recovery that begins now."""

    EVACUATES = "evacuates"  # as soon as what comes before the first evacuation is done
    HELD = "held"  # it waits until somebody acts
    OBSERVED = "observed"  # nothing is done, and the notification says what would have been
    NOTHING = "nothing"  # no instance is evacuated
    NOT_KNOWN = "not_known"  # Nova does not tell, or not all: this is no empty plan


@dataclass(frozen=True)
class Before:
    """One thing that comes before the first evacuation."""

    task: str
    text: str
    holds: bool = False  # the recovery waits there until somebody acts


@dataclass(frozen=True)
class PlannedInstance:
    """An instance that would be evacuated."""

    id: str
    name: str
    vm_state: str
    ha_enabled: bool
    priority: int
    disk_lost: bool  # it would be built anew, empty, unless its storage is shared
    under_way: bool  # its evacuation has been asked for: it is followed, and not asked for again


@dataclass(frozen=True)
class LeftInstance:
    """An instance that would stay, and why."""

    id: str
    name: str
    reason: str


@dataclass(frozen=True)
class ReservedHost:
    """A reserved host, in the order in which they are taken, and why it would be passed over, if so."""

    name: str
    reason: str | None = None


@dataclass(frozen=True, kw_only=True)
class Plan:
    """What a recovery of one host would do now."""

    host: Host
    notification: Notification | None  # whose recovery it is; None: nobody has reported the host
    outlook: Outlook
    message: str | None = None  # why nothing would be evacuated, or is not known
    before: tuple[Before, ...] = ()
    methods: tuple[RecoveryMethod, ...] = ()  # a later one takes what the one before left over
    reserved_hosts: tuple[ReservedHost, ...] = ()
    instances: tuple[PlannedInstance, ...] | None = None  # the first ones first; None: it was not found out
    left_out: tuple[LeftInstance, ...] | None = None


GATES = "the gates"  # what holds before any task


def in_a_line(plan: Plan) -> str:
    """Say the gist of a plan."""
    if not plan.instances:
        return plan.message or "no instance would be evacuated"
    names = [one.name for one in plan.instances]
    held = "".join(f", {step.text}" for step in plan.before if step.holds)
    return f"{counted(len(names), 'instance')} of {plan.host.name} would be evacuated ({names_in_words(names)}){held}"


def as_if_reported(host: Host, now: datetime) -> Notification:
    """Make up the notification that a monitor would send if the host failed now; it is newer than all that are."""
    return Notification(
        id=2**62,
        created_at=now,
        notification_uuid=NotificationUuid(""),
        generated_time=now,
        source_host_uuid=host.uuid,
        type=NotificationType.COMPUTE_HOST,
        payload={"event": "STOPPED", "host_status": "NORMAL"},
        status=NotificationStatus.NEW,
    )


def fencing(host: Host, policy: FencePolicy, reason_not_to: str | None, ladder: Sequence[Rung] | None) -> Before | None:
    """Say how the host would be fenced; None when its segment's policy does not ask for it.

    Args:
        host: that has failed.
        policy: of its segment.
        reason_not_to: why it is not fenced, if so.
        ladder: the ways to cut its power; None: that is not known here.

    """
    if policy is FencePolicy.NEVER:
        return None
    if reason_not_to is not None:
        return Before("FenceHostTask", f"{host.name} is not fenced: {reason_not_to}")
    ways = ", then ".join(rung.name for rung in ladder) if ladder else "the ways that fencing.yaml names"
    is_required = policy is FencePolicy.REQUIRED
    wait = "nothing is evacuated before it is off" if is_required else "if that fails, the recovery goes on without it"
    return Before("FenceHostTask", f"the power of {host.name} is cut by {ways}: {wait}")


def as_if_fenced(notification: Notification, now: datetime) -> Evidence:
    """Make up the evidence that a fence brings."""
    return Evidence(
        host_uuid=notification.source_host_uuid,
        kind=EvidenceKind.POWER_OFF,
        verdict=Verdict.DEAD,
        source="a fence",
        seen_at=now,
        valid_until=datetime.max.replace(tzinfo=now.tzinfo),
        notification_uuid=notification.notification_uuid,
    )


def service(found: ComputeService, *, forced_down: bool) -> Before:
    """Say what becomes of the host's compute service."""
    if forced_down:
        text = "the compute service is disabled, and Nova is told that it is down (force_down)"
    else:
        text = "the compute service is disabled, and Nova must call it down"
    return Before("DisableComputeServiceTask", f"{text}; now Nova calls it {_shown(found)}")


def _shown(found: ComputeService) -> str:
    if found.forced_down:
        return "forced down"
    return "up" if found.up else "down"


def held(task: str, hold: Hold) -> Before:
    """Say that the recovery would wait."""
    return Before(task, f"held: {hold.reason}; it goes on when {hold.released_by}", holds=True)


def evidence(host: Host, dead_when: Sequence[KindSet]) -> Before:
    """Say what must prove the host dead."""
    return Before(
        "DisableComputeServiceTask", f"{host.name} must be proven dead: {how_to_get(Missing(tuple(dead_when)))}"
    )
