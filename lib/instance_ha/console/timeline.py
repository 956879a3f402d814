"""The timeline of a recovery: a bar an instance, in the order of evacuation, grouped by priority.

All bars of a phase are one path, so that a page of 500 instances stays small.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import groupby

from instance_ha.models.enums import VMoveStatus
from instance_ha.models.rows import VMove

_LEFT, _RIGHT = 160.0, 840.0  # where the bars begin, and end at the latest
_TOP, _HEAD, _BETWEEN = 24.0, 20.0, 10.0  # above all; above a group, with its name; between two groups
_SIZES = ((40, 14.0, 4.0), (100, 7.0, 3.0), (250, 4.0, 1.0))  # so many instances at most: height of a bar, and a gap
_SMALLEST = (2.0, 0.0)
_STEPS = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 1800, 3600, 7200, 21600, 86400)  # seconds between two marks
_MARKS = 8


class Phase(StrEnum):
    """What an instance goes through."""

    WAITING = "waiting"  # it is planned, and there is no slot for it
    ASKED = "asked"  # it is made ready, and Nova is being asked
    MOVING = "moving"  # Nova has been asked
    RESTORING = "restoring"  # it has moved, and gets its state back
    FAILED = "failed"  # a mark where it ended


@dataclass(frozen=True)
class Name:
    """A text beside a bar or above a group."""

    y: float
    text: str


@dataclass(frozen=True)
class Mark:
    """A time at the top."""

    x: float
    text: str


@dataclass(frozen=True)
class Timeline:
    """What is drawn: texts, and a path for each phase that there is."""

    height: float
    groups: tuple[Name, ...]
    names: tuple[Name, ...]  # of instances, where there is space
    marks: tuple[Mark, ...]
    paths: dict[Phase, str]
    counts: dict[Phase, int]  # instances that are in a phase now, or have failed
    restored: int


def draw(moves: Iterable[VMove], begun: datetime, now: datetime) -> Timeline | None:
    """Draw the vmoves of a recovery, one an instance; None: there is none."""
    ordered = sorted(moves, key=lambda move: (-move.facts.priority, move.position, move.id))
    if not ordered:
        return None
    ended = [move.end_time for move in ordered]
    until = now if None in ended else max(time for time in ended if time is not None)
    scale = _Scale(begun, max((until - begun).total_seconds(), 1.0))
    thick, gap = next(((high, gap) for most, high, gap in _SIZES if len(ordered) <= most), _SMALLEST)
    pieces: dict[Phase, list[str]] = {phase: [] for phase in Phase}
    groups, names, y = [], [], _TOP
    for priority, members in groupby(ordered, key=lambda move: move.facts.priority):
        group = list(members)
        groups.append(Name(y + _HEAD - 6, _heading(priority, group)))
        y += _HEAD
        for move in group:
            for phase, start, end in _phases(move, until):
                pieces[phase].append(scale.bar(start, end, y, thick))
            if move.status is VMoveStatus.FAILED:
                pieces[Phase.FAILED].append(scale.mark(move.end_time or until, y, thick))
            if gap > 3:
                names.append(Name(y + thick - 3, move.instance_name[:22]))
            y += thick + gap
        y += _BETWEEN
    paths = {phase: "".join(parts) for phase, parts in pieces.items() if parts}
    return Timeline(y, tuple(groups), tuple(names), tuple(scale.marks()), paths, _counts(ordered), _restored(ordered))


@dataclass(frozen=True)
class _Scale:
    begun: datetime
    seconds: float

    def x(self, at: datetime) -> float:
        share = (at - self.begun).total_seconds() / self.seconds
        return round(_LEFT + (_RIGHT - _LEFT) * min(max(share, 0.0), 1.0), 1)

    def bar(self, start: datetime, end: datetime, y: float, thick: float) -> str:
        left = self.x(start)
        wide = round(max(self.x(end) - left, 0.5), 1)
        return f"M{left:g} {y:g}h{wide:g}v{thick:g}h-{wide:g}z"

    def mark(self, at: datetime, y: float, thick: float) -> str:
        return f"M{self.x(at):g} {y:g}h6v{thick:g}h-6z"

    def marks(self) -> Iterator[Mark]:
        step = next((one for one in _STEPS if self.seconds / one <= _MARKS), _STEPS[-1])
        for count in range(int(self.seconds // step) + 1):
            share = count * step / self.seconds
            yield Mark(round(_LEFT + (_RIGHT - _LEFT) * share, 1), _after(count * step))


def _after(seconds: int) -> str:
    for unit, length in (("d", 86400), ("h", 3600), ("min", 60)):
        if seconds >= length and seconds % length == 0:
            return f"+{seconds // length} {unit}"
    return f"+{seconds} s"


def _phases(move: VMove, until: datetime) -> Iterator[tuple[Phase, datetime, datetime]]:
    """Say from when to when each phase lasted; one that nobody has written down is none."""
    begun = (
        (Phase.WAITING, move.created_at),
        (Phase.ASKED, move.start_time),
        (Phase.MOVING, move.asked_at),
        (Phase.RESTORING, move.moved_at),
    )
    known = [(phase, at) for phase, at in begun if at is not None]
    for (phase, start), (_, end) in zip(known, [*known[1:], (None, move.end_time or until)], strict=True):
        if end > start:
            yield phase, start, end


def phase_of(move: VMove) -> str:
    """Say in a word how far an instance is."""
    if move.end_time is not None or move.status is VMoveStatus.IGNORED:
        return "restored" if move.status is VMoveStatus.SUCCEEDED else str(move.status)
    if move.moved_at is not None:
        return str(Phase.RESTORING)
    if move.asked_at is not None:
        return str(Phase.MOVING)
    return str(Phase.WAITING if move.start_time is None else Phase.ASKED)


def _counts(moves: Sequence[VMove]) -> dict[Phase, int]:
    found = [phase_of(move) for move in moves]
    return {phase: found.count(phase) for phase in Phase}


def _restored(moves: Sequence[VMove]) -> int:
    return sum(move.status is VMoveStatus.SUCCEEDED for move in moves)


def _heading(priority: int, group: Sequence[VMove]) -> str:
    return f"Priority {priority}: {_restored(group)} of {len(group)} restored"
