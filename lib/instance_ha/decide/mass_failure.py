"""The mass-failure guard: when too many hosts are down at once, the monitor's own view is the likelier cause."""

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """How many hosts may be down at once: a share of those that are monitored, and a number (None: any)."""

    segment_share: float = 0.5
    segment_number: int | None = None
    total_share: float = 0.5
    total_number: int | None = None


@dataclass(frozen=True)
class Suppression:
    """Where nothing may be reported, and why."""

    everywhere: bool = False
    segments: frozenset[str] = frozenset()
    reasons: tuple[str, ...] = ()

    def covers(self, segment: str) -> bool:
        """Whether nothing may be reported about a host of the segment."""
        return self.everywhere or segment in self.segments


def evaluate(monitored: Iterable[tuple[str, bool]], limits: Limits) -> Suppression:
    """Count the hosts that are down, in each segment and in all; a host is its segment, and whether it is down."""
    hosts: Counter[str] = Counter()
    down: Counter[str] = Counter()
    for segment, is_down in monitored:
        hosts[segment] += 1
        down[segment] += is_down
    reasons: list[str] = []
    suppressed: set[str] = set()
    for segment in sorted(hosts):
        if _too_many(down[segment], hosts[segment], limits.segment_share, limits.segment_number):
            suppressed.add(segment)
            reasons.append(f"{down[segment]} of {hosts[segment]} hosts of segment {segment} are down")
    everywhere = _too_many(down.total(), hosts.total(), limits.total_share, limits.total_number)
    if everywhere:
        reasons.append(f"{down.total()} of {hosts.total()} hosts are down")
    return Suppression(everywhere, frozenset(suppressed), tuple(reasons))


def _too_many(down: int, hosts: int, share: float, number: int | None) -> bool:
    if down <= 1:  # a single host that is down is a failed host, however few there are
        return False
    return down > share * hosts or (number is not None and down > number)
