from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from instance_ha.decide.strategy import NETWORKS, default, evaluate, read
from instance_ha.models.errors import Misconfigured
from instance_ha.models.health import HostState, Reading

UP, DOWN, UNKNOWN = Reading.UP, Reading.DOWN, Reading.UNKNOWN
SINGLE: dict[str, Any] = {
    "sequence": ["manage"],
    "matrix": [{"health": ["up"], "action": []}, {"health": ["down"], "action": ["recovery"]}],
}


def _seen(*readings: Reading) -> dict[str, Reading]:
    return dict(zip(NETWORKS, readings, strict=True))


@pytest.mark.parametrize("readings", list(product([UP, DOWN], repeat=3)), ids=str)
def test_by_default_a_host_is_recovered_when_its_storage_is_down_and_only_then(readings: tuple[Reading, ...]) -> None:
    down = evaluate(default(NETWORKS), _seen(*readings)) is HostState.DOWN
    assert down == (readings[2] is DOWN)


def test_a_host_with_all_networks_up_is_up_and_one_that_lacks_others_than_storage_is_degraded() -> None:
    assert evaluate(default(NETWORKS), _seen(UP, UP, UP)) is HostState.UP
    assert evaluate(default(NETWORKS), _seen(DOWN, DOWN, UP)) is HostState.DEGRADED


@pytest.mark.parametrize("networks", [("manage",), ("manage", "tenant")], ids=str)
def test_without_a_storage_cluster_a_host_is_down_when_all_that_is_watched_is(networks: tuple[str, ...]) -> None:
    assert evaluate(default(networks), dict.fromkeys(networks, DOWN)) is HostState.DOWN
    assert evaluate(default(networks), dict.fromkeys(networks, UP)) is HostState.UP
    if len(networks) > 1:
        assert evaluate(default(networks), {"manage": DOWN, "tenant": UP}) is HostState.DEGRADED


def test_a_host_that_a_cluster_does_not_know_is_not_monitored_and_nothing_shifts() -> None:
    assert evaluate(default(NETWORKS), {"manage": UP, "storage": DOWN}) is HostState.UNKNOWN
    assert evaluate(default(NETWORKS), {"tenant": UP, "storage": UP}) is HostState.UNKNOWN
    assert evaluate(default(NETWORKS), {}) is HostState.UNKNOWN


@given(st.dictionaries(st.sampled_from(NETWORKS), st.sampled_from(list(Reading))))
def test_nobody_is_down_of_whom_anything_is_unknown(seen: dict[str, Reading]) -> None:
    if evaluate(default(NETWORKS), seen) is HostState.DOWN:
        assert set(seen) == set(NETWORKS)
        assert UNKNOWN not in seen.values()


def test_the_originals_file_for_a_single_network_is_read() -> None:
    strategy = read(SINGLE, NETWORKS)
    assert evaluate(strategy, {"manage": DOWN}) is HostState.DOWN
    assert evaluate(strategy, {"manage": UP}) is HostState.UP


def test_the_sequence_says_which_position_is_which_network() -> None:
    rows = [{"health": ["down", "up"], "action": ["recovery"]}]
    strategy = read({"sequence": ["storage", "manage"], "matrix": rows}, NETWORKS)
    assert evaluate(strategy, {"manage": UP, "storage": DOWN}) is HostState.DOWN
    assert evaluate(strategy, {"manage": DOWN, "storage": UP}) is HostState.DEGRADED


def test_a_combination_without_a_row_asks_for_nothing() -> None:
    strategy = read({"sequence": ["manage", "tenant"], "matrix": [{"health": ["up", "up"], "action": []}]}, NETWORKS)
    assert evaluate(strategy, {"manage": DOWN, "tenant": DOWN}) is HostState.DEGRADED


def _row(health: Any, action: Any) -> dict[str, Any]:
    return {"sequence": ["manage"], "matrix": [{"health": health, "action": action}]}


@pytest.mark.parametrize(
    ("document", "words"),
    [
        (None, "sequence and matrix"),
        ({"sequence": ["manage"]}, "sequence and matrix"),
        (SINGLE | {"actions": []}, "nothing else"),
        (SINGLE | {"sequence": "manage"}, "a list of networks"),
        (SINGLE | {"sequence": []}, "a list of networks"),
        (SINGLE | {"sequence": ["management"]}, "'management'"),
        (SINGLE | {"sequence": ["manage", "manage"]}, "twice"),
        (SINGLE | {"sequence": ["manage", "tenant"]}, "row 1 .* each of the 2"),
        (SINGLE | {"matrix": []}, "list of rows"),
        (SINGLE | {"matrix": [*SINGLE["matrix"], SINGLE["matrix"][1]]}, "row 3 .* earlier"),
        (_row(["dwon"], []), "'dwon'"),
        (_row([True], []), "True"),
        (_row("down", []), "row 1"),
        (_row(["down"], "recovery"), "list as its action"),
        (_row(["down"], ["recover"]), "'recover'"),
        ({"sequence": ["manage"], "matrix": [{"health": ["up"]}]}, "health and action"),
    ],
)
def test_a_file_that_makes_no_sense_is_refused_with_the_place(document: Any, words: str) -> None:
    with pytest.raises(Misconfigured, match=words):
        read(document, NETWORKS)


def test_a_network_in_the_file_without_an_agent_is_refused() -> None:
    with pytest.raises(Misconfigured, match="manage, but no Consul agent"):
        read(SINGLE, ("storage",))


@given(st.recursive(st.none() | st.text() | st.integers(), lambda x: st.lists(x) | st.dictionaries(st.text(), x)))
def test_any_document_is_read_or_refused(document: Any) -> None:
    with pytest.raises(Misconfigured):
        read(document, NETWORKS)
