"""The way back: what must be so before a host returns, and which of its instances may go home."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.decide.service import Reports, ServiceBefore
from instance_ha.models.cloud import ComputeService, Migration, Server
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.gates import Pause
from instance_ha.models.returns import ReturnPolicy, ReturnStatus
from instance_ha.models.rows import Host, Notification, VMove
from instance_ha.models.text import names_in_words

_MOVABLE = frozenset({"active", "paused"})  # vm_states that Nova live-migrates
_LEFT = frozenset({"accepted", "pre-migrating", "done"})  # records whose guests nova-compute removes when it starts
_SOON, _LATER, _PATIENT = timedelta(seconds=10), timedelta(seconds=60), timedelta(hours=1)


@dataclass(frozen=True)
class Facts:
    """What is known of a host that is to return."""

    host: Host
    open_recovery: Notification | None
    pauses: Sequence[Pause]
    service: ComputeService | None
    reports: Reports | None
    evacuations: Sequence[Migration]  # Nova's records of the evacuations of its recoveries
    is_asked_for: bool  # by an operator
    reasons: Collection[str]  # by which a disabled service is known as ours


def unmet(facts: Facts) -> list[str]:
    """Name what must be so, and is not, before a host may serve again; all of it at once."""
    return list(filter(None, (_recovery(facts), _maintenance(facts), _pause(facts), _compute(facts), _clean_up(facts))))


def given_up(
    host: Host, failed: Notification | None, stopped_by: str | None, policy: ReturnPolicy
) -> tuple[ReturnStatus, str] | None:
    """Say how a return ends by what has come since it began, while its host is not back; None: it goes on."""
    if failed is not None:
        reason = f"host {host.name} has failed again: notification {failed.notification_uuid} is {failed.status}"
        return ReturnStatus.FAILED, reason
    if stopped_by is not None:
        return ReturnStatus.STOPPED, f"an operator has stopped it before host {host.name} was back"
    if host.on_maintenance and host.on_maintenance_for is None:
        return ReturnStatus.FAILED, f"an operator has put host {host.name} on maintenance"
    if policy is ReturnPolicy.NEVER:
        return ReturnStatus.FAILED, f"the policy of the segment of host {host.name} says that no host is brought back"
    return None


def _recovery(facts: Facts) -> str | None:
    row = facts.open_recovery
    if row is not None:
        return f"its recovery is open: notification {row.notification_uuid} is {row.status}"
    return None


def _maintenance(facts: Facts) -> str | None:
    if facts.host.on_maintenance and facts.host.on_maintenance_for is None:
        return "an operator has put it on maintenance"
    service = facts.service
    if service is None or facts.is_asked_for or not service.disabled:
        return None
    if service.disabled_reason in facts.reasons:
        return None
    return f"somebody else has disabled its compute service: {service.disabled_reason or 'without a reason'}"


def _pause(facts: Facts) -> str | None:
    return next(
        (f"a pause is in force until {one.until:%Y-%m-%d %H:%M} UTC: {one.reason}" for one in facts.pauses), None
    )


def _compute(facts: Facts) -> str | None:
    """Ask for two reports, too: Nova calls a host up for a minute after its death, or since it is not forced down."""
    if facts.service is None:
        return "Nova knows no compute service on it"
    if facts.reports is None or not facts.reports.is_alive:
        return "its nova-compute has not reported to Nova twice yet"
    return None if facts.service.up or facts.service.forced_down else "Nova calls its nova-compute down"


def _clean_up(facts: Facts) -> str | None:
    left = sum(one.status in _LEFT for one in facts.evacuations)
    if not left:
        return None
    return f"its nova-compute has not removed the guests of {left} evacuated instances, as it does when it starts"


def is_to_be_enabled(
    service: ComputeService, before: ServiceBefore | None, reasons: Collection[str], *, is_asked_for: bool
) -> bool:
    """Say whether a compute service is enabled by a return: what somebody had disabled before its host died is not."""
    if not service.disabled:
        return False
    was_disabled = before is not None and before.disabled
    return service.disabled_reason in reasons or (is_asked_for and not was_disabled)


def check_again_at(created_at: datetime, now: datetime) -> datetime:
    """Say when to check again whether a host may return: less often when it has been waited for for long."""
    return now + (_SOON if now - created_at < _PATIENT else _LATER)


def reason_to_stay(move: VMove, server: Server | None) -> str | None:
    """Say why an instance does not go home, if so; its owner has the last word."""
    if server is None:
        return "the instance was deleted"
    if server.host == move.target_host:
        return f"it is on {server.host} already"
    if server.host != move.source_host:
        return f"it is on {server.host}, where no recovery has put it"
    if server.locked:
        return "it is locked"
    if server.vm_state not in _MOVABLE:
        return f"it is {server.vm_state}, and Nova live-migrates only what is active or paused"
    return f"it is busy: {server.task_state}" if server.task_state is not None else None


@dataclass(frozen=True)
class AskAgain:
    """Nova has never heard the request."""


@dataclass(frozen=True)
class UnderWay:
    """Nova is at work, or may be."""


@dataclass(frozen=True)
class Over:
    """The live migration has ended."""

    status: VMoveStatus
    message: str | None = None


Finding = AskAgain | UnderWay | Over


def check(
    move: VMove, server: Server | None, record: Migration | None, now: datetime, late: float, give_up: float
) -> Finding:
    """Say how a live migration stands that was written down to be asked for.

    ``record`` is Nova's newest one of the instance. Nova may carry a request out ``late`` seconds after nobody has
    heard an answer; after ``give_up`` seconds it is not followed any more.
    """
    assert move.asked_at is not None
    age = (now - move.asked_at).total_seconds()
    if record is not None and record.id <= move.last_migration_id:
        record = None
    if server is None:
        return Over(VMoveStatus.IGNORED, "the instance was deleted")
    if server.task_state is None and server.host == move.target_host:
        return Over(VMoveStatus.SUCCEEDED)
    if record is not None and record.failed:
        reason = f"Nova could not live-migrate it: {server.fault or 'migration ' + record.status}"
        left = f"; Nova has left it in error on {server.host}" if server.vm_state == "error" else ""
        return Over(VMoveStatus.FAILED, reason + left)
    if server.task_state is None and server.host != move.source_host:
        return Over(VMoveStatus.IGNORED, f"it is on {server.host}, where no recovery has put it")
    if age > give_up:
        what = f"migration {record.id} is {record.status}" if record is not None else "Nova has no record of it"
        return Over(VMoveStatus.FAILED, f"Nova did not finish the live migration in time: {what}")
    if record is None and server.task_state is None and age > late:
        return AskAgain()
    return UnderWay()


def text(moves: Iterable[VMove]) -> str:
    """Say how the instances have fared that were to go home; nothing when there were none."""
    by_status: dict[VMoveStatus, list[VMove]] = {status: [] for status in VMoveStatus}
    for move in moves:
        by_status[move.status].append(move)
    total = sum(map(len, by_status.values()))
    if not total:
        return ""
    parts = [f"{len(by_status[VMoveStatus.SUCCEEDED])} of {total} instances went home"]
    for status, word in ((VMoveStatus.FAILED, "failed"), (VMoveStatus.IGNORED, "stay")):
        if found := by_status[status]:
            named = [f"{move.instance_name} ({move.message})" for move in found]
            parts.append(f"{len(found)} {word}: {names_in_words(named)}")
    return ", ".join(parts)
