"""How a host is fenced: whether it may be, and what is next on its ladder.

Facts are what was written down, and what this invocation has seen since. What a method answers to a request proves
nothing: only the power counts, and only when it was off twice in a row, some time apart.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import Enum
from fnmatch import fnmatchcase

from instance_ha.models.fencing import FenceAttempt, FenceOutcome, FencePolicy, Power, Rung
from instance_ha.models.rows import Host, Notification

_ASK_AGAIN = timedelta(seconds=15)  # BMCs act up to 11 s after they have accepted
_ASK_SOON = timedelta(seconds=3)  # what was declined, or may never have been sent


NO_LADDER = "it has no ladder in fencing.yaml"


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
    """One step, on a rung; why, when the rung is given up."""

    do: Do
    rung: Rung | None = None
    reason: str = ""


@dataclass(frozen=True)
class Seen:
    """What this invocation has seen of the rung that is being tried; another invocation begins with nothing."""

    accepted: bool = False  # the last request
    refused: str | None = None  # the method cannot be used, and why
    trouble: str | None = None  # of the last question that got no answer
    is_on: bool = False
    off_since: datetime | None = None  # the first of the last answers in a row that said off
    off_at: datetime | None = None  # the last of them

    def read(self, power: Power, now: datetime) -> "Seen":
        """Take in the power."""
        if power is Power.OFF:
            return replace(self, is_on=False, off_since=self.off_since or now, off_at=now)
        return replace(self, is_on=power is Power.ON, off_since=None, off_at=None)


def forbidden(host: Host | None, policy: FencePolicy, notification: Notification, never: Sequence[str]) -> str | None:
    """Say why a recovery must not fence its host; None when it may.

    Args:
        host: as it is now; None: it is not registered any more.
        policy: of its segment.
        notification: whose recovery it is.
        never: names, or forms of names, of hosts that are never fenced.

    """
    if host is None:
        return "it is not registered any more"
    if policy is FencePolicy.NEVER:
        return "its segment's policy says never"
    if any(fnmatchcase(host.name, form) for form in never):
        return "never_fence names it"
    if host.on_maintenance and host.on_maintenance_for != notification.notification_uuid:
        return "it is on maintenance, and not by this recovery"
    return None


def next_step(
    ladder: Sequence[Rung], attempts: Sequence[FenceAttempt], seen: Seen, now: datetime, confirm: timedelta
) -> Step:
    """Say what is next; ``confirm`` is how long the power must have been off, from one answer to another."""
    tried = next((one for one in attempts if one.outcome is None), None)
    if tried is None:
        return _next_rung(ladder, attempts)
    rung = next((rung for rung in ladder if tried.is_of(rung)), None)
    if rung is None:
        return Step(Do.GIVE_UP, reason="it is not in the ladder any more")
    if seen.refused is not None:
        return Step(Do.GIVE_UP, rung, seen.refused)
    if seen.off_since is not None and seen.off_at is not None:
        return Step(_confirmation(seen.off_since, seen.off_at, now, confirm), rung)
    if now >= tried.begun_at + timedelta(seconds=rung.time_limit):
        return Step(Do.GIVE_UP, rung, f"the power was not seen off within {rung.time_limit:g} s{_why(seen)}")
    pause = _ASK_AGAIN if seen.accepted else _ASK_SOON
    return Step(Do.ASK if seen.is_on and now >= tried.asked_at + pause else Do.READ, rung)


def _next_rung(ladder: Sequence[Rung], attempts: Sequence[FenceAttempt]) -> Step:
    """Begin the first rung that was not tried, unless the host is off; none left: the ladder ends."""
    tried = {one.position for one in attempts}
    rung = next((rung for rung in ladder if rung.position not in tried), None)
    if rung is None or is_fenced(attempts):
        return Step(Do.END)
    return Step(Do.BEGIN, rung)


def _confirmation(since: datetime, last: datetime, now: datetime, confirm: timedelta) -> Do:
    if last - since >= confirm:
        return Do.BELIEVE
    return Do.READ if now - since >= confirm else Do.WAIT


def _why(seen: Seen) -> str:
    if seen.trouble is not None:
        return f": {seen.trouble}"
    return ": it stays on" if seen.is_on else ""


def is_fenced(attempts: Sequence[FenceAttempt]) -> bool:
    """Say whether the host was seen to be off."""
    return any(one.outcome is FenceOutcome.OFF for one in attempts)


def failures(attempts: Sequence[FenceAttempt]) -> str:
    """Say how each rung has failed."""
    return "; ".join(f"{one.method} at {one.address}: {one.reason}" for one in attempts if one.reason)
