"""The simulated API server answers in the shape of the recorded real one."""

import json
from typing import Any

import pytest
from instance_ha_simulator.cloud import kubernetes

from tests.recordings.kubernetes.record import ANSWERS

_OURS_ONLY = {"annotations"}  # of a node: the kubelet writes one, the recorded cluster has none
_REAL_ONLY = {"managedFields"}


def recorded(case: str, number: int = 0) -> tuple[int, dict[str, Any]]:
    exchange = json.loads((ANSWERS / f"{case}.json").read_text())["exchanges"][number]
    return exchange["status"], exchange["body"]


def answered(nodes: kubernetes.Nodes, **query: str) -> tuple[int, dict[str, Any]]:
    answer = kubernetes.create_app(nodes).test_client().get("/api/v1/nodes", query_string=query)
    return answer.status_code, answer.get_json()


def three() -> kubernetes.Nodes:
    return kubernetes.Nodes({f"compute{number}": kubernetes.Node() for number in range(1, 4)})


def shape(body: Any) -> Any:
    """What keys there are, at every depth; of a list, those of its first item."""
    if isinstance(body, dict):
        return {key: shape(value) for key, value in body.items() if key not in _OURS_ONLY | _REAL_ONLY}
    return [shape(body[0])] if isinstance(body, list) and body else type(body)


@pytest.mark.parametrize(
    ("number", "node"),
    [(0, kubernetes.Node()), (1, kubernetes.Node(ready="False")), (2, kubernetes.Node(ready="Unknown"))],
)
def test_a_simulated_node_has_the_keys_of_a_real_one(number: int, node: kubernetes.Node) -> None:
    real = recorded("conditions")[1]["items"][number]
    assert shape(answered(kubernetes.Nodes({"compute1": node}))[1]["items"][0]) == shape(real)


def test_a_simulated_cordon_has_the_keys_of_a_real_one() -> None:
    ours = answered(kubernetes.Nodes({"compute4": kubernetes.Node(cordoned=True)}))[1]["items"][0]
    assert shape(ours["spec"]) == shape(recorded("conditions")[1]["items"][3]["spec"])


def test_simulated_pages_have_the_keys_of_real_ones() -> None:
    status, page = recorded("expired")
    ours = answered(three(), limit="2")
    assert (ours[0], shape(ours[1]["metadata"])) == (status, shape(page["metadata"]))
    last = answered(three(), limit="2", **{"continue": ours[1]["metadata"]["continue"]})[1]
    assert shape(last["metadata"]) == shape(recorded("expired", 3)[1]["metadata"])


def test_an_expired_list_is_refused_as_by_the_real_one() -> None:
    nodes = three()
    token = answered(nodes, limit="2")[1]["metadata"]["continue"]
    nodes.answers = "expired"
    status, body = answered(nodes, limit="2", **{"continue": token})
    real_status, real = recorded("expired", 1)
    assert (status, shape(body), body["reason"]) == (real_status, shape(real), real["reason"])


def test_a_wrong_token_is_refused_as_by_the_real_one() -> None:
    assert answered(kubernetes.Nodes(token="good")) == recorded("wrong-token")
