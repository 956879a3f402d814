"""Where evacuations go when one of the destinations fails: Nova's scheduler prefers the emptiest host all the same."""

from collections.abc import Iterable, Mapping, Sequence

from instance_ha.models.cloud import ComputeService
from instance_ha.models.rows import VMove
from instance_ha.models.uuids import VMoveUuid

_ENOUGH = 2  # failures on a destination, none of them followed by a success


def failing(counts: Mapping[str, tuple[int, int]]) -> frozenset[str]:
    """Name the destinations that fail; ``counts`` are the failures and the successes of each."""
    return frozenset(host for host, (failed, moved) in counts.items() if failed >= _ENOUGH and not moved)


def others(services: Iterable[ComputeService], source_host: str, avoid: frozenset[str]) -> list[str]:
    """Name the hosts that may take an instance instead, by name."""
    return sorted(s.host for s in services if s.up and not s.disabled and s.host not in {source_host, *avoid})


def spread(moves: Sequence[VMove], hosts: Sequence[str]) -> dict[VMoveUuid, str]:
    """Choose a host for each vmove, by its uuid; each attempt at an instance chooses another one."""
    return {move.uuid: hosts[(move.position + move.attempt) % len(hosts)] for move in moves} if hosts else {}


def reason_to_pass_over(found: ComputeService | None) -> str | None:
    """Say why a reserved host cannot be used, if so; that it is disabled is as it should be."""
    if found is None:
        return "Nova knows no compute service on it"
    return None if found.up else "its compute service is down"
