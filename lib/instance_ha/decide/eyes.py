"""Whether our own eyes are broken: when too many hosts look down at once, it is rather we who do not see."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

_ALONE = 1  # a single host that looks down is a failed host, however few there are


@dataclass(frozen=True)
class Limits:
    """How many hosts may look down at once: a share of those that are judged, and a number (None: any)."""

    segment_share: float = 0.5
    segment_number: int | None = None
    total_share: float = 0.5
    total_number: int | None = None


@dataclass(frozen=True)
class Look:
    """A judged host, as far as it matters here."""

    segment: str
    down: bool


@dataclass(frozen=True)
class Doubt:
    """Where nothing may be reported, and why."""

    everywhere: bool = False
    segments: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()

    def about(self, segment: str) -> bool:
        """Whether nothing may be reported about a host of the segment."""
        return self.everywhere or segment in self.segments


def doubt(looks: Iterable[Look], limits: Limits) -> Doubt:
    """Count the hosts that look down, in each segment and in all."""
    judged: Counter[str] = Counter()
    down: Counter[str] = Counter()
    for look in looks:
        judged[look.segment] += 1
        down[look.segment] += look.down
    reasons: list[str] = []
    blind: set[str] = set()
    for segment in sorted(judged):
        if _too_many(down[segment], judged[segment], limits.segment_share, limits.segment_number):
            blind.add(segment)
            reasons.append(f"{down[segment]} of {judged[segment]} hosts of segment {segment} look down")
    everywhere = _too_many(down.total(), judged.total(), limits.total_share, limits.total_number)
    if everywhere:
        reasons.append(f"{down.total()} of {judged.total()} hosts look down")
    return Doubt(everywhere, frozenset(blind), tuple(reasons))


def _too_many(down: int, judged: int, share: float, number: int | None) -> bool:
    return down > _ALONE and (down > share * judged or (number is not None and down > number))
