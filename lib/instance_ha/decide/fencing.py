"""How a host is fenced: whether it may be, and what is next on its ladder.

Facts are what was written down, and what this invocation has seen since. What a method answers to a request proves
nothing: only the power counts, and only when it was off twice in a row, some time apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from fnmatch import fnmatchcase

from instance_ha.models.cloud import ComputeService
from instance_ha.models.enums import TaskState
from instance_ha.models.evidence import SegmentPolicy
from instance_ha.models.fencing import FenceAttempt, FenceOutcome, FencePolicy, Power, Rung
from instance_ha.models.rows import Host

_ASK_AGAIN = timedelta(seconds=15)  # BMCs act up to 11 s after they have accepted
_ASK_SOON = timedelta(seconds=3)  # what was declined, or may never have been sent
_PAUSE, _LONGEST_PAUSE = timedelta(minutes=1), timedelta(minutes=15)  # between two rounds; each is twice the one before


NO_LADDER = "fencing.yaml has no entry for it"
SHARED = "fencing.yaml fences it at the same machine as {}"  # another host


class Do(Enum):
    """What is to be done next."""

    BEGIN = "begin"  # write the rung down, then ask for off
    ASK = "ask"  # write down that off is asked for once more, then ask
    READ = "read"  # ask for the power
    WAIT = "wait"  # before the power is asked for again
    BELIEVE = "believe"  # the host is off
    GIVE_UP = "give up"  # this rung
    END = "end"  # the ladder: it has been climbed, with or without success


@dataclass(frozen=True)
class Step:
    """One step, on a rung in a round; why, when the rung is given up."""

    do: Do
    rung: Rung | None = None
    reason: str = ""
    round: int = 1


@dataclass(frozen=True)
class Seen:
    """What this invocation has seen of the rung that is being tried; another invocation begins with nothing."""

    accepted: bool = False  # the last request
    refused: str | None = None  # the method cannot be used, and why
    trouble: str | None = None  # of the last question that got no answer
    is_read: bool = False  # the power was told at least once
    is_on: bool = False
    off_since: datetime | None = None  # the first of the last answers in a row that said off
    off_at: datetime | None = None  # the last of them

    def read(self, power: Power, now: datetime) -> "Seen":
        """Take in the power."""
        if power is Power.OFF:
            return replace(self, is_read=True, is_on=False, off_since=self.off_since or now, off_at=now)
        return replace(self, is_read=True, is_on=power is Power.ON, off_since=None, off_at=None)


def forbidden(host: Host | None, policy: FencePolicy, never: Sequence[str]) -> str | None:
    """Say why a recovery must not fence its host; None when it may.

    Args:
        host: as it is now; None: it is not registered any more.
        policy: of its segment.
        never: names, or forms of names, of hosts that are never fenced.

    """
    if host is None:
        return "it is not registered any more"
    if policy is FencePolicy.NEVER:
        return "its segment's policy says never"
    if any(fnmatchcase(host.name, form) for form in never):
        return "never_fence names it"
    if host.on_maintenance and host.on_maintenance_for is None:  # else by an earlier report, or by this recovery
        return "an operator has put it on maintenance"
    return None


def is_asked_for_late(
    policy: SegmentPolicy, held_since: datetime, fences: Sequence[TaskState], attempts: Sequence[FenceAttempt]
) -> bool:
    """Say whether a fence must be put into a flow that is held, since its segment's policy has changed.

    Args:
        policy: as it is now.
        held_since: when the hold began.
        fences: states of the tasks that fence which the attempt has already.
        attempts: what these have tried.

    """
    if policy.fence is FencePolicy.NEVER or is_fenced(attempts):
        return False
    is_due = any(state in {TaskState.PENDING, TaskState.RUNNING} for state in fences)
    is_new = policy.updated_at is not None and policy.updated_at > held_since
    return not is_due and (not fences or is_new)


def next_step(
    ladder: Sequence[Rung], attempts: Sequence[FenceAttempt], seen: Seen, now: datetime, confirm: timedelta
) -> Step:
    """Say what is next; ``confirm`` is how long the power must have been off, from one answer to another."""
    tried = next((one for one in attempts if one.outcome is None), None)
    if tried is None:
        return _next_rung(ladder, attempts, now)
    rung = next((rung for rung in ladder if tried.is_of(rung)), None)
    if rung is None:
        return Step(Do.GIVE_UP, reason="it is not in the ladder any more")
    if seen.refused is not None:
        return Step(Do.GIVE_UP, rung, seen.refused)
    is_over = now >= tried.begun_at + timedelta(seconds=rung.time_limit)
    has_asked = seen.is_read or seen.trouble is not None
    if is_over and not has_asked:  # another invocation has left it, and the host may be off
        return Step(Do.READ, rung)
    if seen.off_since is not None and seen.off_at is not None and not (is_over and seen.trouble is not None):
        return Step(_confirmation(seen.off_since, seen.off_at, now, confirm), rung)
    if is_over:
        return Step(Do.GIVE_UP, rung, f"the power was not off within {rung.time_limit:g} s{_why(seen)}")
    pause = _ASK_AGAIN if seen.accepted else _ASK_SOON
    return Step(Do.ASK if seen.is_on and now >= tried.asked_at + pause else Do.READ, rung)


def _next_rung(ladder: Sequence[Rung], attempts: Sequence[FenceAttempt], now: datetime) -> Step:
    """Begin the first rung that was not tried in this round, or the next round when it is due; else the ladder ends."""
    number = _round(attempts)
    tried = {one.position for one in attempts if one.round == number}
    rung = next((rung for rung in ladder if rung.position not in tried), None)
    if not ladder or is_fenced(attempts):
        return Step(Do.END)
    if rung is not None:
        return Step(Do.BEGIN, rung, round=number)
    due_at = again_at(attempts)
    if due_at is None or now < due_at:
        return Step(Do.END)
    return Step(Do.BEGIN, ladder[0], round=number + 1)


def _round(attempts: Sequence[FenceAttempt]) -> int:
    return max((one.round for one in attempts), default=1)


def again_at(attempts: Sequence[FenceAttempt]) -> datetime | None:
    """Say when a ladder that was climbed in vain is climbed again: after pauses that grow; None: nothing was tried."""
    ended = [one.ended_at for one in attempts if one.ended_at is not None]
    return max(ended) + min(_PAUSE * 2 ** min(_round(attempts) - 1, 8), _LONGEST_PAUSE) if ended else None


def reason_not_to_begin_late(service: ComputeService | None, *, confirmed: bool) -> str | None:
    """Say why a ladder is not climbed that is begun so late that Nova would call a dead host down; None when it is."""
    if service is not None and service.up and not confirmed:
        return "Nova calls its compute service up, so long after it was reported"
    return None


def reason_not_to_climb_again(
    policy: FencePolicy, service: ComputeService | None, *, confirmed: bool, enabled: bool
) -> str | None:
    """Say why a ladder that was climbed in vain is not climbed again; None when it is.

    The first time nobody knows more than the report. Minutes later a host that was only cut off may be back: its
    nova-compute reports, its BMC answers again, and its instances run.

    Args:
        policy: of its segment.
        service: the host's, as Nova shows it now.
        confirmed: a person has answered for it that the host is dead.
        enabled: its segment is.

    """
    if not enabled:
        return "its segment is disabled"
    if policy is not FencePolicy.REQUIRED:
        return f"its segment's policy says {policy}"
    if confirmed:
        return "an operator has confirmed that it is dead"
    if service is not None and service.up:
        return "it is not tried again while Nova calls its compute service up"
    return None


def _confirmation(since: datetime, last: datetime, now: datetime, confirm: timedelta) -> Do:
    if last - since >= confirm:
        return Do.BELIEVE
    return Do.READ if now - since >= confirm else Do.WAIT


def _why(seen: Seen) -> str:
    if seen.trouble is not None:
        return f": {seen.trouble}"
    return ": it is still on" if seen.is_on else ""


def is_fenced(attempts: Sequence[FenceAttempt]) -> bool:
    """Say whether the host was seen to be off."""
    return any(one.outcome is FenceOutcome.OFF for one in attempts)


def failures(attempts: Sequence[FenceAttempt]) -> str:
    """Say how each rung has failed in the last round."""
    number = _round(attempts)
    last = (one for one in attempts if one.round == number and one.reason)
    return "; ".join(f"{one.method} at {one.address}: {one.reason}" for one in last)
