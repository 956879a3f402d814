"""Whether a host was proven to be dead when we evacuated it, evaluated anew: by what was posted, and by its real power.

The rules are those of docs/evidence.md and docs/fencing.md, written a second time, without our code.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from typing import Any

from instance_ha_simulator.checks import our_requests
from instance_ha_simulator.explorer.play import Exploration

_GIVEN = frozenset({"service_down", "reported"})  # Nova refuses what is not down, and nothing begins without a report
_DECISIVE = frozenset({"power_off", "confirmed"})
_READ_BEFORE = timedelta(
    seconds=2
)  # a policy is read so long before its host is fenced, and as long as it stands still


@dataclass(frozen=True)
class Failure:
    """A report of a host that was accepted."""

    host: str
    since: datetime
    until: datetime | None  # when its recovery ended


def failures(played: Exploration) -> list[Failure]:
    """Return the accepted reports of hosts."""
    reported = [(uuid, host) for uuid, host in played.callers.reports.items() if isinstance(host, str)]
    return [Failure(host, played.callers.accepted[uuid], played.closed.get(uuid)) for uuid, host in reported]


def evacuations_are_proven(played: Exploration) -> Iterator[str]:
    """None is accepted of a host that at no moment since its report was proven to be dead by its segment's rules."""
    if _has_lost_what_was_posted(played):
        return
    rules = Rules(played)
    for request in our_requests(played):
        if not any(
            rules.may_evacuate(failure, request.time) for failure in rules.open_at(request.source, request.time)
        ):
            yield f"{played.names[request.server_id]} evacuated: {request.source} was not proven dead"


def fences_are_allowed(played: Exploration) -> Iterator[str]:
    """No host is fenced in two ways at once, without a report, or where its segment or a setting does not allow it."""
    fences, rules = played.simulation.fences, Rules(played)
    never = [form for form in played.simulation.settings.never_fence.split(",") if form]
    for host in fences.parallel:
        yield f"{host} was fenced in two ways at once"
    for elapsed, host, _ in fences.requests:
        at = rules.time(elapsed)
        if any(fnmatchcase(host, form) for form in never):
            yield f"{host} was fenced, which never_fence names"
        open_ones = rules.open_at(host, at)
        if not open_ones:
            yield f"{host} was fenced, and its failure was not being handled"
    if not _has_lost_what_was_posted(played):
        for host, at in rules.rungs():
            read = at - _READ_BEFORE - _stood_still(played, at)
            if not any(policy["fence"] != "never" for policy in rules.policies(read, at)):
                yield f"{host} was fenced although its segment does not say so"


def _stood_still(played: Exploration, until: datetime) -> timedelta:
    """Say for how long invocations have stood still in the last half minute or so."""
    recent = until - timedelta(seconds=30)
    all_of_them = ((since, timedelta(seconds=seconds)) for since, seconds in played.simulation.scheduler.stood_still)
    return sum((lasts for since, lasts in all_of_them if since <= until and since + lasts >= recent), timedelta())


def _has_lost_what_was_posted(played: Exploration) -> bool:
    """Whether what was posted may be gone with the primary."""
    return played.has_failed_over and bool(played.callers.posted or len(played.callers.policies) > 1)


class Rules:
    """The rules of proof, for the failures and the policies of a run."""

    def __init__(self, played: Exploration) -> None:
        self._played = played
        self._failures = failures(played)
        fences = played.simulation.fences
        self._cuts = [(self.time(at), host) for at, host in fences.cuts]
        self._asked = [(self.time(at), host) for at, host, _ in fences.requests]

    def time(self, elapsed: float) -> datetime:
        """Return the moment so many seconds after the beginning."""
        scheduler = self._played.simulation.scheduler
        return scheduler.now() + timedelta(seconds=elapsed - scheduler.elapsed)

    def rungs(self) -> list[tuple[str, datetime]]:
        """Return when each rung of which host was begun: asked for the first time in its attempt."""
        begun: dict[tuple[str, str, datetime | None], datetime] = {}
        for elapsed, host, rung in self._played.simulation.fences.requests:
            at = self.time(elapsed)
            attempt = max((since for since, name in self._played.started if name == host and since <= at), default=None)
            begun.setdefault((host, rung, attempt), at)
        return [(host, at) for (host, _, _), at in begun.items()]

    def open_at(self, host: str, at: datetime) -> list[Failure]:
        """Return the failures of a host that were being handled at a moment."""
        of_it = [failure for failure in self._failures if failure.host == host and failure.since <= at]
        return [failure for failure in of_it if failure.until is None or failure.until >= at]

    def is_dead(self, host: str, since: datetime, at: datetime) -> bool:
        """Whether a host was dead at a moment by the rules, for a failure since another one; it may have lived."""
        of_it = (failure for failure in self._failures if failure.host == host and since <= failure.since <= at)
        return any(self.may_evacuate(failure, at) for failure in of_it)

    def policies(self, since: datetime, until: datetime) -> list[dict[str, Any]]:
        """Return the policies that were in force between two moments."""
        before = [policy for at, policy in self._played.callers.policies if at <= since] or [
            self._played.callers.policies[0][1]
        ]
        return [before[-1], *(policy for at, policy in self._played.callers.policies if since < at <= until)]

    def may_evacuate(self, failure: Failure, asked: datetime) -> bool:
        """Whether the rules allowed it at any moment from the report until the request."""
        changes = [failure.since, *(at for at, _ in self._played.callers.policies)]
        changes += [at for post in self._played.callers.posted for at in (post.at, post.until)]
        changes += [at for at, host in (*self._cuts, *self._asked) if host == failure.host]
        return any(self._may(failure, at) for at in changes if failure.since <= at <= asked)

    def _may(self, failure: Failure, at: datetime) -> bool:
        policy = self.policies(failure.since, at)[-1]
        dead = self._dead(failure, at)
        if self._lives(failure, at) and not dead & _DECISIVE:
            return False
        if policy["fence"] == "required" and not dead & _DECISIVE:
            return False
        return any(set(kinds) <= dead for kinds in policy["dead_when"])

    def _dead(self, failure: Failure, at: datetime) -> set[str]:
        about = [
            post for post in self._played.callers.posted if post.host == failure.host and post.at <= at < post.until
        ]
        said = {post.source: post.verdict for post in about if post.kind == "external"}  # the last one of each counts
        dead = set(_GIVEN)
        dead |= {"external"} if "dead" in said.values() else set()
        dead |= {"confirmed"} if any(p.kind == "confirmed" and p.at >= failure.since for p in about) else set()
        is_cut = any(host == failure.host and cut <= at for cut, host in self._cuts)
        was_asked = any(host == failure.host and failure.since <= asked <= at for asked, host in self._asked)
        return dead | ({"power_off"} if is_cut and was_asked else set())

    def _lives(self, failure: Failure, at: datetime) -> bool:
        return any(
            post.verdict == "alive" and post.host == failure.host and failure.since <= post.at <= at < post.until
            for post in self._played.callers.posted
        )
