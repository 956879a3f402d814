"""Whether a host is proven to be dead, by all that is known of it and by what its segment's policy asks for."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime

from instance_ha.models.evidence import Evidence, EvidenceKind, KindSet, Verdict

# Evidence of death that no sign of life outvotes: the host cannot write any more, or a person answers for it.
_DECISIVE = frozenset({EvidenceKind.POWER_OFF, EvidenceKind.CONFIRMED})
# A sign of life straight from the machine. The readings of a network lag behind by seconds.
_DIRECT = frozenset({EvidenceKind.LIBVIRT, EvidenceKind.POWER_OFF})


@dataclass(frozen=True)
class Proven:
    """The host is dead: one set of the policy is complete."""

    by: tuple[Evidence, ...]


@dataclass(frozen=True)
class Refuted:
    """The host shows signs of life, so that its instances may still write to their disks."""

    by: tuple[Evidence, ...]


@dataclass(frozen=True)
class Missing:
    """There is not enough evidence: what each set of the policy still lacks, in the policy's order."""

    what: tuple[KindSet, ...]


EvidenceDecision = Proven | Refuted | Missing


def decide(evidence: Iterable[Evidence], dead_when: Sequence[KindSet], now: datetime) -> EvidenceDecision:
    """Say whether a host is dead.

    One set of kinds, each with fresh evidence of death, suffices; but a fresh sign of life refutes it, unless there is
    ``power_off`` or ``confirmed``, too. Of one kind and source the newest evidence counts for death. A sign of life
    counts for as long as it is fresh, whatever its source says later: the way to the host may have broken since.
    """
    fresh = [one for one in evidence if one.is_fresh(now)]
    alive = tuple(one for one in fresh if one.verdict is Verdict.ALIVE)
    dead = tuple(one for one in _newest(fresh) if one.verdict is Verdict.DEAD and not _is_contradicted(one, alive))
    if alive and not any(one.kind in _DECISIVE for one in dead):
        return Refuted(alive)
    kinds = {one.kind for one in dead}
    for needed in dead_when:
        if needed <= kinds:
            return Proven(tuple(one for one in dead if one.kind in needed | _DECISIVE))
    return Missing(tuple(needed - kinds for needed in dead_when))


def refuted(evidence: Iterable[Evidence], now: datetime) -> Refuted | None:
    """Return the signs of life that a host shows; None: it shows none that count."""
    decision = decide(evidence, (), now)
    return decision if isinstance(decision, Refuted) else None


def _newest(evidence: Iterable[Evidence]) -> list[Evidence]:
    """Keep the newest evidence of each kind and source."""
    newest: dict[tuple[EvidenceKind, str], Evidence] = {}
    for one in evidence:
        known = newest.get((one.kind, one.source))
        if known is None or (known.seen_at, known.id) <= (one.seen_at, one.id):
            newest[one.kind, one.source] = one
    return list(newest.values())


def _is_contradicted(dead: Evidence, alive: Iterable[Evidence]) -> bool:
    """Say whether the machine showed life after its power was seen to be off: it was another one, or is on again."""
    if dead.kind is not EvidenceKind.POWER_OFF:
        return False
    return any(one.kind in _DIRECT and one.seen_at > dead.seen_at for one in alive)


CONFIRM = "an operator confirms that it is dead (openstack ha evidence confirm)"
_HOW_TO_GET: dict[EvidenceKind, str] = {
    EvidenceKind.SERVICE_DOWN: "Nova calls its compute service down",
    EvidenceKind.REPORTED: "a monitor reports it",
    EvidenceKind.NETWORKS: "monitor-poll sees it down",
    EvidenceKind.NODE: "Kubernetes calls its node not ready",
    EvidenceKind.LIBVIRT: "monitor-guests does not reach its hypervisor",
    EvidenceKind.POWER_OFF: "its power is seen to be off",
    EvidenceKind.CONFIRMED: CONFIRM,
    EvidenceKind.EXTERNAL: "a system of the operator's own says that it is dead",
}


def how_to_get(missing: Missing) -> str:
    """Say what would prove the host dead, in words: one set or another."""
    sets = [" and ".join(_HOW_TO_GET[kind] for kind in sorted(needed)) for needed in missing.what]
    return ", or ".join(sets)
