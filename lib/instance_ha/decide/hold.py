"""A recovery that must not go on: why, what would release it, and when to look again."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.decide.evidence import CONFIRM, Missing, Proven, Refuted, decide, how_to_get, refuted
from instance_ha.decide.witnesses import failed_at
from instance_ha.models.evidence import Evidence, EvidenceKind, KindSet, Verdict
from instance_ha.models.gates import Gate
from instance_ha.models.rows import Notification
from instance_ha.models.text import counted, names_in_words, values_in_words

CHECK_AGAIN = timedelta(seconds=60)  # at the latest; what is posted meanwhile is taken into account at once
_LIST_AGAIN = timedelta(seconds=5)
_OWN = frozenset({EvidenceKind.POWER_OFF, EvidenceKind.CONFIRMED})  # said of one failure, and of no later one

_GOES_ON, _GIVEN_UP = "; it goes on when ", ", and is given up at "  # between the parts of a message


@dataclass(frozen=True)
class Hold:
    """What keeps a recovery, and what releases it."""

    reason: str
    released_by: str
    check_at: datetime
    gates: tuple[Gate, ...] = ()  # that an operator may open; none: something else keeps it

    def message(self, until: datetime) -> str:
        """Say so in a notification's message; ``until`` is when the recovery expires."""
        return f"held: {self.reason}{_GOES_ON}{self.released_by}{_GIVEN_UP}{until:%Y-%m-%d %H:%M} UTC"


def in_parts(message: str | None) -> tuple[str, str, str]:
    """Take the message of a hold apart: why, what releases it, until when it is held; what is not there is empty."""
    reason, _, rest = (message or "").removeprefix("held: ").partition(_GOES_ON)
    released_by, _, until = rest.rpartition(_GIVEN_UP)
    return (reason, released_by, until) if released_by else (reason, rest, "")


def about(evidence: Sequence[Evidence], notification: Notification) -> list[Evidence]:
    """Keep what says something of the failure that was reported.

    What was confirmed for an earlier failure of the host proves nothing of this one, and a sign of life from before
    the failure refutes nothing.
    """
    return [
        one
        for one in evidence
        if (one.verdict is not Verdict.ALIVE or one.seen_at >= failed_at(notification))
        and (one.kind not in _OWN or one.notification_uuid == notification.notification_uuid)
    ]


def hold_unless_dead(
    host: str, evidence: Sequence[Evidence], dead_when: Sequence[KindSet], brings: KindSet, now: datetime
) -> Hold | None:
    """Say what keeps a host's recovery; None when it may go on.

    It may when the host is proven dead, or when the recovery itself brings all that is missing (``brings``).
    """
    decision = decide(evidence, dead_when, now)
    if isinstance(decision, Proven):
        return None
    if isinstance(decision, Refuted):
        return _by_life(host, decision, now)
    if any(needed <= brings for needed in decision.what):
        return None
    missing = Missing(tuple(needed - brings for needed in decision.what))
    return Hold(f"{host} is not proven dead", how_to_get(missing), now + CHECK_AGAIN)


def hold_while_alive(host: str, evidence: Sequence[Evidence], now: datetime) -> Hold | None:
    """Say what keeps a recovery that has begun to evacuate: signs of life that have come since; None: there are none.

    That a proof has expired since keeps it not: the host was dead.
    """
    found = refuted(evidence, now)
    return None if found is None else _by_life(host, found, now)


def _by_life(host: str, found: Refuted, now: datetime) -> Hold:
    seen = ", ".join(sorted({f"{one.kind} ({one.source}: {values_in_words(one.detail)})" for one in found.by}))
    expire = max(one.valid_until for one in found.by)
    return Hold(
        f"{host} shows signs of life by {seen}",
        f"these have ended, its power is seen to be off, or {CONFIRM}",
        min(expire, now + CHECK_AGAIN),
    )


def incomplete_list(reason: str, now: datetime) -> Hold:
    """Hold a recovery whose instances Nova does not list completely, as while a cell does not answer."""
    return Hold(reason, "both numbers agree", now + _LIST_AGAIN)


def not_fenced(host: str, reason: str, now: datetime, again_at: datetime | None = None) -> Hold:
    """Hold a recovery whose host could not be fenced, where the segment's policy requires it.

    ``again_at`` is when that is tried again; None: it is not.
    """
    works = f"a way to fence it works (the next try is at {again_at:%H:%M:%S} UTC), " if again_at else ""
    return Hold(
        f"{host} was not fenced, which the policy of its segment requires: {reason}",
        f"{works}{CONFIRM}, or the policy of its segment requires no fence any more (openstack ha policy set)",
        min(again_at or now + CHECK_AGAIN, now + CHECK_AGAIN),
    )


def lost_disks(names: Sequence[str], now: datetime) -> Hold:
    """Hold a recovery that would build instances anew, empty, where the segment's policy asks for that."""
    return Hold(
        f"the disks of {counted(len(names), 'instance')} are lost with their host: {names_in_words(names)}",
        "the policy of its segment says evacuate or leave for local_disk (openstack ha policy set)",
        now + CHECK_AGAIN,
    )
