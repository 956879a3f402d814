"""The strategy: which combination of broken networks asks for the recovery of a host.

The file has the format of the Consul monitor of masakari-monitors. It is checked, since a row that never matches would
leave hosts unprotected without notice.
"""

from collections.abc import Mapping, Sequence
from itertools import product
from typing import Any

from instance_ha.models.errors import Misconfigured
from instance_ha.models.health import HostState, Reading, Strategy, Vector

NETWORKS = ("manage", "tenant", "storage")
_HEALTH = frozenset({"up", "down"})
_ACTIONS = frozenset({"recovery"})


def default(networks: Sequence[str]) -> Strategy:
    """Recover when storage is down; where its network is not monitored, when all monitored networks are down."""
    if "storage" not in networks:
        return Strategy(tuple(networks), frozenset({tuple([Reading.DOWN] * len(networks))}))
    at = networks.index("storage")
    combinations = product((Reading.UP, Reading.DOWN), repeat=len(networks))
    return Strategy(tuple(networks), frozenset(one for one in combinations if one[at] is Reading.DOWN))


def read(document: Any, monitored: Sequence[str]) -> Strategy:
    """Read a strategy file.

    Raises:
        Misconfigured: it makes no sense, or names a network that is not monitored.

    """
    if not isinstance(document, Mapping) or set(document) != {"sequence", "matrix"}:
        raise Misconfigured("the strategy must have sequence and matrix, and nothing else")
    sequence = _sequence(document["sequence"], monitored)
    if not isinstance(document["matrix"], list) or not document["matrix"]:
        raise Misconfigured("the strategy's matrix must be a list of rows")
    rows: dict[tuple[Reading, ...], bool] = {}
    for number, row in enumerate(document["matrix"], 1):
        health, recover = _row(f"row {number} of the strategy's matrix", row, len(sequence))
        if health in rows:
            raise Misconfigured(f"row {number} of the strategy's matrix has the health of an earlier one")
        rows[health] = recover
    return Strategy(sequence, frozenset(health for health, recover in rows.items() if recover))


def _sequence(words: Any, monitored: Sequence[str]) -> tuple[str, ...]:
    if not isinstance(words, list) or not words:
        raise Misconfigured("the strategy's sequence must be a list of networks")
    for word in words:
        if word not in NETWORKS:
            raise Misconfigured(f"the strategy's sequence has {word!r}: it may have {', '.join(NETWORKS)}")
        if word not in monitored:
            raise Misconfigured(f"the strategy's sequence has {word}, but no Consul agent is set for it")
    if len(set(words)) != len(words):
        raise Misconfigured("the strategy's sequence names a network twice")
    return tuple(words)


def _row(where: str, row: Any, length: int) -> tuple[tuple[Reading, ...], bool]:
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
    return tuple(Reading(word) for word in health), bool(action)


def evaluate(strategy: Strategy, vector: Vector) -> HostState:
    """Say what one sample says of a host; a network that is not in it is unknown, and never another one's."""
    readings = tuple(vector.get(network, Reading.UNKNOWN) for network in strategy.networks)
    if Reading.UNKNOWN in readings:
        return HostState.UNKNOWN
    if Reading.DOWN not in readings:
        return HostState.UP
    return HostState.DOWN if readings in strategy.recover else HostState.DEGRADED
