"""The strategy: which combination of broken networks asks for the recovery of a host.

The file is the one that operators have for the original's Consul monitor (reference, section 8.2.2). It is checked,
since a row that never matches would leave hosts unprotected without a word.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from instance_ha.models.errors import Misconfigured
from instance_ha.models.health import HostState, Sight, Strategy, Vector

NETWORKS = ("manage", "tenant", "storage")
_HEALTH = frozenset({"up", "down"})
_ACTIONS = frozenset({"recovery"})


def default(networks: Sequence[str]) -> Strategy:
    """Recover when storage is down; where its network is not watched, when all that is watched is down."""
    every = _combinations(len(networks))
    if "storage" in networks:
        at = networks.index("storage")
        return Strategy(tuple(networks), frozenset(v for v in every if v[at] is Sight.DOWN))
    return Strategy(tuple(networks), frozenset({tuple([Sight.DOWN] * len(networks))}))


def _combinations(length: int) -> list[tuple[Sight, ...]]:
    found: list[tuple[Sight, ...]] = [()]
    for _ in range(length):
        found = [(*start, sight) for start in found for sight in (Sight.UP, Sight.DOWN)]
    return found


def read(document: Any, watched: Sequence[str]) -> Strategy:
    """Read a strategy file.

    Raises:
        Misconfigured: it makes no sense, or names a network that is not watched.

    """
    if not isinstance(document, Mapping) or set(document) != {"sequence", "matrix"}:
        raise Misconfigured("the strategy must have sequence and matrix, and nothing else")
    sequence = _sequence(document["sequence"], watched)
    if not isinstance(document["matrix"], list) or not document["matrix"]:
        raise Misconfigured("the strategy's matrix must be a list of rows")
    rows: dict[tuple[Sight, ...], bool] = {}
    for number, row in enumerate(document["matrix"], 1):
        health, recover = _row(f"row {number} of the strategy's matrix", row, len(sequence))
        if health in rows:
            raise Misconfigured(f"row {number} of the strategy's matrix has the health of an earlier one")
        rows[health] = recover
    return Strategy(sequence, frozenset(health for health, recover in rows.items() if recover))


def _sequence(words: Any, watched: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(words, list) or not words:
        raise Misconfigured("the strategy's sequence must be a list of networks")
    for word in words:
        if word not in NETWORKS:
            raise Misconfigured(f"the strategy's sequence has {word!r}: it may have {', '.join(NETWORKS)}")
        if word not in watched:
            raise Misconfigured(f"the strategy's sequence has {word}, but no Consul agent is set for it")
    if len(set(words)) != len(words):
        raise Misconfigured("the strategy's sequence names a network twice")
    return tuple(words)


def _row(where: str, row: Any, length: int) -> tuple[tuple[Sight, ...], bool]:
    if not isinstance(row, Mapping) or set(row) != {"health", "action"}:
        raise Misconfigured(f"{where} must have health and action, and nothing else")
    health, action = row["health"], row["action"]
    if not isinstance(health, list) or len(health) != length:
        raise Misconfigured(f"{where} must have a health for each of the {length} networks of the sequence")
    if wrong := [word for word in health if word not in _HEALTH]:
        raise Misconfigured(f"{where} has the health {wrong[0]!r}: it may have up and down")
    if not isinstance(action, list):
        raise Misconfigured(f"{where} must have a list as its action")
    if wrong := [word for word in action if word not in _ACTIONS]:
        raise Misconfigured(f"{where} has the action {wrong[0]!r}: it may have recovery, or none")
    return tuple(Sight(word) for word in health), bool(action)


def judge(strategy: Strategy, vector: Vector) -> HostState:
    """Say what one sample says of a host; a network that is not in it is unknown, and never another one's."""
    seen = tuple(vector.get(network, Sight.UNKNOWN) for network in strategy.networks)
    if Sight.UNKNOWN in seen:
        return HostState.UNSURE
    if Sight.DOWN not in seen:
        return HostState.UP
    return HostState.DOWN if seen in strategy.recover else HostState.SPARED
