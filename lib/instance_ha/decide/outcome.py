"""How a recovery ended, by its vmoves; and when to try again."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.models.enums import NotificationStatus, VMoveStatus
from instance_ha.models.rows import VMove


@dataclass(frozen=True)
class LeftOut:
    """The instances of a failed host that are not to be evacuated, as the recovery remembers them."""

    count: int = 0
    named: tuple[str, ...] = ()  # the first ones, each with its reason

    @property
    def text(self) -> str:
        """Say so in a notification's message; nothing when there are none."""
        return f"{self.count} left out: {'; '.join(self.named)}" if self.count else ""


@dataclass(frozen=True)
class Tally:
    """Counts of vmoves, one an instance, and the first reasons of those that failed."""

    succeeded: int
    ignored: int
    failed: int
    untried: int
    reasons: tuple[str, ...]
    left_out: LeftOut = LeftOut()
    under_way: tuple[str, ...] = ()  # what is not followed any more, when the recovery ends before them

    @property
    def text(self) -> str:
        """One sentence for the notification's message."""
        total = self.succeeded + self.failed + self.untried + len(self.under_way)
        parts = [f"{self.succeeded} of {total} instances evacuated"]
        if self.ignored:
            parts.append(f"{self.ignored} ignored")
        if self.untried:
            parts.append(f"{self.untried} not tried")
        if self.under_way:
            parts.append(f"{len(self.under_way)} under way still: {', '.join(self.under_way[:3])}")
        if self.failed:
            parts.append(f"{self.failed} failed: {'; '.join(self.reasons)}")
        if self.left_out.count:
            parts.append(self.left_out.text)
        return ", ".join(parts)


def _is_untried(move: VMove) -> bool:
    never_begun = move.status is VMoveStatus.IGNORED and move.start_time is None
    return never_begun or move.status is VMoveStatus.PENDING


def latest(moves: Iterable[VMove]) -> list[VMove]:
    """Keep each instance's newest vmove; only that one tells how the instance fared."""
    newest: dict[str, VMove] = {}
    for move in moves:
        known = newest.get(move.instance_uuid)
        if known is None or (known.attempt, known.round) <= (move.attempt, move.round):
            newest[move.instance_uuid] = move
    return list(newest.values())


def of_recovery(moves: Iterable[VMove], attempt: int) -> list[VMove]:
    """Keep what tells how a whole recovery fares: the newest vmove of each instance, whichever attempt made it.

    What failed or was not tried in an earlier attempt and is not planned any more was left out since.
    """
    return [
        move
        for move in latest(moves)
        if move.attempt == attempt or not (move.status is VMoveStatus.FAILED or _is_untried(move))
    ]


def left_over(moves: Iterable[VMove]) -> list[VMove]:
    """Name what another host may still take: what failed, and what was not tried any more.

    What failed on its way to a host, or on it, is that host's: another one cannot take it from there.
    """
    return [move for move in latest(moves) if _is_untried(move) or _failed_at_home(move)]


def _failed_at_home(move: VMove) -> bool:
    return move.status is VMoveStatus.FAILED and move.dest_host is None


def hopeless(ended: Sequence[VMove], limit: int, *, elsewhere: bool, what: str = "evacuations") -> str | None:
    """Say why it is of no use to try the next instance, if the last ``limit`` ones have all failed.

    ``ended`` are the last vmoves of a round that have ended, the newest first; a limit of 0 never gives up.
    That they have all failed on the same destination tells nothing when there is somewhere ``elsewhere`` to go.
    """
    last = ended[:limit]
    if not limit or len(last) < limit or any(move.status is not VMoveStatus.FAILED for move in last):
        return None
    if elsewhere and last[0].failed_host is not None and len({move.failed_host for move in last}) == 1:
        return None
    return f"not tried, since the {limit} {what} before it failed, the last one because: {last[0].message}"


def tally(moves: Iterable[VMove], left_out: LeftOut = LeftOut()) -> Tally:
    """Count vmoves, one an instance."""
    counts = dict.fromkeys(VMoveStatus, 0)
    reasons: list[str] = []
    under_way: list[str] = []
    untried = 0
    for move in moves:
        if _is_untried(move):
            untried += 1
            continue
        counts[move.status] += 1
        if move.status is VMoveStatus.FAILED and len(reasons) < 3:
            reasons.append(f"{move.instance_name} ({move.instance_uuid}): {move.message}")
        if move.status is VMoveStatus.ONGOING:
            why = f": {move.message}" if move.message else ""
            under_way.append(f"{move.instance_name} ({move.instance_uuid}){why}")
    return Tally(
        counts[VMoveStatus.SUCCEEDED],
        counts[VMoveStatus.IGNORED],
        counts[VMoveStatus.FAILED],
        untried,
        tuple(reasons),
        left_out,
        tuple(under_way),
    )


@dataclass(frozen=True)
class Retry:
    """What a failed attempt leads to."""

    status: NotificationStatus
    due_at: datetime | None


_LONGEST_PAUSE = 900.0  # seconds between two attempts, unless the setting is longer


def after_failure(attempt: int, attempts: int | None, now: datetime, pause: float, expires_at: datetime) -> Retry:
    """Try again after ``pause`` seconds, twice as long after each further attempt; never after ``expires_at``.

    ``attempts`` is how many there are at most; None: as many as there is time for.
    """
    due_at = now + timedelta(seconds=min(pause * 2.0 ** min(attempt - 1, 16), max(pause, _LONGEST_PAUSE)))
    if due_at >= expires_at or (attempts is not None and attempt >= attempts):
        return Retry(NotificationStatus.FAILED, None)
    return Retry(NotificationStatus.ERROR, due_at)


def back_off(tries: int, now: datetime) -> datetime:
    """When to check again after the ``tries``-th passing trouble in a row: 1, 2, 4 … at most 60 s later."""
    return now + timedelta(seconds=min(60.0, 2.0 ** min(tries - 1, 6)))
