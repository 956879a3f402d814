"""What an outage has cost: when its host was last seen to live, and when each instance was seen to live again.

Plain arithmetic with the times that were written down. A time that nobody has written down is None, and what would be
reckoned from it is not known: nothing here is guessed.
"""

from collections.abc import Iterable, Sequence
from datetime import datetime
from math import ceil

from instance_ha.decide.explanation import Rows
from instance_ha.decide.outcome import latest
from instance_ha.decide.restoration import SHUT_DOWN, intended, restoration_of
from instance_ha.models.enums import NotificationType, VMoveStatus
from instance_ha.models.evidence import Verdict
from instance_ha.models.incident import OVER, Ended, Failure, Incident, InstanceOutage, Moment, Spread, Totals
from instance_ha.models.rows import VMove

_RAN = frozenset({"active", "rescued", "resized"})  # vm_states of a guest that may run


def account(rows: Rows) -> Incident:
    """Reckon what a recovery has cost, by its rows."""
    row, moves = rows.notification, rows.moves
    last_sign, by = _last_sign_of_life(rows)
    instances = _instances(moves, last_sign)
    return Incident(
        row.notification_uuid,
        row.type,
        row.status,
        row.message,
        rows.host.name if rows.host else None,
        _moments(rows, moves, last_sign, by),
        _totals(instances, rows.left_out.count),
        _spreads(instances),
        instances,
        _failures(moves),
        rows.left_out.named,
    )


def _last_sign_of_life(rows: Rows) -> tuple[datetime | None, str]:
    """Find when the host was last seen to live before its instances were evacuated.

    That is no later than its death: what was not seen between the two is part of the outage.
    """
    if rows.notification.type is not NotificationType.COMPUTE_HOST:
        return None, "only the failure of a host is asked about its signs of life"
    until = rows.notification.proven_at or rows.notification.updated_at
    signs = [
        (one.seen_at, f"{one.kind} ({one.source})")
        for one in rows.evidence
        if one.verdict is Verdict.ALIVE and (until is None or one.seen_at <= until)
    ]
    if rows.service is not None and rows.service.reported_at is not None:
        signs.append((rows.service.reported_at, "the last report of its nova-compute, by Nova's clock"))
    return max(signs, default=(None, "nobody has seen one, or it was not written down"))


def _instances(moves: Sequence[VMove], last_sign: datetime | None) -> tuple[InstanceOutage, ...]:
    planned: dict[str, datetime] = {}
    for move in moves:
        planned.setdefault(move.instance_uuid, move.created_at)
    return tuple(_instance(move, planned[move.instance_uuid], last_sign) for move in latest(moves))


def _instance(move: VMove, planned_at: datetime, last_sign: datetime | None) -> InstanceOutage:
    ended, alive_at = _alive(move)
    outage = None
    if alive_at is not None and last_sign is not None:
        outage = max(0.0, (alive_at - last_sign).total_seconds())
    elif alive_at is not None:
        ended = Ended.NOT_KNOWN
    has_moved = move.status is VMoveStatus.SUCCEEDED
    return InstanceOutage(
        move.instance_uuid,
        move.instance_name,
        move.source_host,
        move.dest_host if has_moved else None,
        move.status,
        planned_at,
        move.asked_at,
        move.moved_at,
        move.end_time if has_moved else None,
        alive_at,
        ended,
        outage,
    )


def _alive(move: VMove) -> tuple[Ended, datetime | None]:
    """Say whether an instance lives again, and since when."""
    if intended(move.facts) == "error":  # whether it ran then, nobody can tell
        return Ended.NOT_KNOWN, None
    if intended(move.facts) not in _RAN or move.facts.power_state == SHUT_DOWN:
        return Ended.DID_NOT_RUN, None
    if move.status is VMoveStatus.IGNORED:  # it was deleted, or somebody else has moved it
        return Ended.NOT_KNOWN, None
    if move.status is not VMoveStatus.SUCCEEDED:
        return Ended.LASTS, None
    if move.agent_at is not None:
        return Ended.AGENT, move.agent_at
    actions = restoration_of(move.facts).actions
    if actions == ("start",):
        return (Ended.ACTIVE, move.end_time) if move.message is None else (Ended.NOT_KNOWN, None)
    if actions:  # what it was cannot be given back, and it was stopped
        return Ended.LASTS, None
    return (Ended.ACTIVE, move.moved_at) if move.moved_at is not None else (Ended.NOT_KNOWN, None)


def _moments(rows: Rows, moves: Sequence[VMove], last_sign: datetime | None, by: str) -> tuple[Moment, ...]:
    row = rows.notification
    asked = [move.asked_at for move in moves if move.asked_at is not None]
    moved = [move.moved_at for move in moves if move.moved_at is not None]
    back = [move.end_time for move in moves if move.end_time is not None and move.status is VMoveStatus.SUCCEEDED]
    of_host = row.type is NotificationType.COMPUTE_HOST
    times: list[tuple[str, datetime | None, str]] = [
        ("last sign of life", last_sign, by),
        ("detected", row.generated_time, "the monitor, by its own clock"),
        ("reported", row.created_at, "the notification"),
        ("proven dead", row.proven_at, "the evidence that the policy asks for" if of_host else "not asked"),
        ("planned", min((move.created_at for move in moves), default=None), "the first vmove"),
        ("first asked of Nova", min(asked, default=None), "the first vmove that was asked for"),
        ("first moved", min(moved, default=None), "the first record of Nova that says so"),
        ("last restored", max(back, default=None), "the last vmove that has succeeded"),
        ("ended", row.updated_at if rows.has_ended else None, f"the notification: {row.status}"),
    ]
    return tuple(Moment(name, at, _seconds(last_sign, at), said) for name, at, said in times)


def _totals(instances: Sequence[InstanceOutage], left_out: int) -> Totals:
    counts = {ended: sum(one.ended is ended for one in instances) for ended in Ended}
    return Totals(
        len(instances),
        sum(counts[ended] for ended in OVER),
        counts[Ended.LASTS],
        counts[Ended.DID_NOT_RUN],
        counts[Ended.NOT_KNOWN],
        left_out,
        sum(one.outage or 0.0 for one in instances),
    )


def _spreads(instances: Iterable[InstanceOutage]) -> tuple[Spread, ...]:
    names = ("outage", "planned to asked", "asked to moved", "moved to restored")
    parts: dict[str, list[float]] = {name: [] for name in names}
    for one in instances:
        measured = (
            one.outage,
            _seconds(one.planned_at, one.asked_at),
            _seconds(one.asked_at, one.moved_at),
            _seconds(one.moved_at, one.rested_at),
        )
        for values, seconds in zip(parts.values(), measured, strict=True):
            values += [] if seconds is None else [seconds]
    return tuple(_spread(part, sorted(values)) for part, values in parts.items() if values)


def _spread(part: str, values: Sequence[float]) -> Spread:
    middle, most, nearly_all = (percentile(values, share) for share in (0.5, 0.9, 0.99))
    return Spread(part, len(values), middle, most, nearly_all, values[-1])


def percentile(values: Sequence[float], share: float) -> float:
    """Return the smallest of sorted values that at least this share of them do not exceed."""
    return values[max(0, ceil(share * len(values)) - 1)]


def _failures(moves: Iterable[VMove]) -> tuple[Failure, ...]:
    return tuple(
        Failure(
            move.instance_uuid,
            move.instance_name,
            move.end_time or move.updated_at or move.created_at,
            move.failed_host or move.dest_host,
            move.message or "no reason was written down",
        )
        for move in moves
        if move.status is VMoveStatus.FAILED
    )


def _seconds(since: datetime | None, until: datetime | None) -> float | None:
    return None if since is None or until is None else (until - since).total_seconds()
