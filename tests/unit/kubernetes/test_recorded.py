"""The Kubernetes driver against what a real kube-apiserver has answered it: tests/recordings/kubernetes."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import yaml
from instance_ha.kubernetes.source import KubernetesSource
from instance_ha.models.errors import SourceUnavailable
from instance_ha.models.health import Reading, Snapshot
from instance_ha.settings import load
from instance_ha_simulator.monitors import kubeconfig_for

from tests.recordings.kubernetes.record import ANSWERS
from tests.recordings.replay import Replay

UP, DOWN, UNKNOWN = Reading.UP, Reading.DOWN, Reading.UNKNOWN
COMPUTE = {"INSTANCE_HA_KUBERNETES_NODE_LABELS": "role=compute"}
TWO_A_PAGE = {"INSTANCE_HA_KUBERNETES_PAGE_SIZE": "2"}


class Recorded:
    """Polls recordings."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "kubeconfig"

    def poll(self, case: str, settings: dict[str, str] | None = None, token: str = "reader") -> Snapshot:
        """Poll one, which has to be asked exactly as when it was recorded."""
        with self._served(case, token):
            given = {"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_KUBERNETES_CONFIG_FILE": str(self._file)}
            return KubernetesSource(load(given | (settings or {})), {}).poll(frozenset({"compute1"}))

    @contextmanager
    def _served(self, case: str, token: str) -> Iterator[None]:
        replay = Replay(ANSWERS / f"{case}.json")
        self._file.write_text(yaml.safe_dump(kubeconfig_for(replay.url, token)))
        try:
            yield
        finally:
            replay.stop()
        assert not replay.unexpected, replay.unexpected
        assert not replay.waiting, replay.waiting

    def refused(self, case: str, words: str, **asked: Any) -> str:
        """Poll one that gives no answer."""
        with pytest.raises(SourceUnavailable, match=words) as raised:
            self.poll(case, **asked)
        return str(raised.value)


@pytest.fixture
def recorded(tmp_path: Path) -> Recorded:
    return Recorded(tmp_path)


def seen(snapshot: Snapshot) -> dict[str, Reading]:
    return {name: observation.vector["node"] for name, observation in snapshot.hosts.items()}


def test_ready_true_is_up_and_false_and_unknown_are_down(recorded: Recorded) -> None:
    found = seen(recorded.poll("conditions"))
    assert (found["compute1"], found["compute2"], found["compute3"]) == (UP, DOWN, DOWN)


def test_a_kubelet_that_says_it_is_not_ready_may_be_left_alone(recorded: Recorded) -> None:
    found = seen(recorded.poll("conditions", {"INSTANCE_HA_KUBERNETES_NOT_READY_IS_DOWN": "false"}))
    assert (found["compute2"], found["compute3"]) == (UNKNOWN, DOWN)


def test_a_cordoned_node_that_is_silent_is_somebodys_work(recorded: Recorded) -> None:
    observation = recorded.poll("conditions").hosts["compute4"]
    assert (observation.vector["node"], observation.administratively_down) == (UNKNOWN, True)


def test_a_node_that_has_only_just_joined_is_not_down(recorded: Recorded) -> None:
    assert seen(recorded.poll("conditions"))["compute5"] is UNKNOWN


def test_all_pages_are_read_by_their_continue_tokens(recorded: Recorded) -> None:
    assert seen(recorded.poll("pages", TWO_A_PAGE)) == {f"compute{number}": UP for number in range(1, 6)}


def test_a_list_whose_continue_token_expired_is_begun_again_and_tells_what_is_true_now(recorded: Recorded) -> None:
    assert seen(recorded.poll("expired", TWO_A_PAGE)) == {"compute1": UP, "compute2": UP, "compute3": DOWN}


def test_only_nodes_with_the_labels_are_hosts(recorded: Recorded) -> None:
    assert seen(recorded.poll("labels", COMPUTE)) == {"compute1": UP, "compute2": UP}


def test_a_node_that_has_lost_its_label_is_not_deleted(recorded: Recorded) -> None:
    assert seen(recorded.poll("label-lost", COMPUTE)) == {"compute2": UP}


def test_a_deleted_node_is_down(recorded: Recorded) -> None:
    assert seen(recorded.poll("deleted", COMPUTE)) == {"compute1": DOWN, "compute2": UP}


def test_a_list_without_nodes_is_no_answer(recorded: Recorded) -> None:
    recorded.refused("no-such-label", "no node", settings={"INSTANCE_HA_KUBERNETES_NODE_LABELS": "role=none"})


def test_a_wrong_token_is_no_answer_and_is_not_reported(recorded: Recorded) -> None:
    assert "wrong" not in recorded.refused("wrong-token", "401 Unauthorized", token="wrong")


def test_a_token_without_the_right_to_list_is_no_answer(recorded: Recorded) -> None:
    recorded.refused("token-without-rights", "403 Forbidden", token="nobody")


def test_a_selector_that_is_none_is_no_answer(recorded: Recorded) -> None:
    settings = {"INSTANCE_HA_KUBERNETES_NODE_LABELS": "role in ("}
    recorded.refused("selector-that-is-none", "400 Bad Request", settings=settings)


def test_every_recording_is_of_a_real_kube_apiserver_and_is_replayed() -> None:
    names = {file.stem for file in ANSWERS.glob("*.json")}
    text = Path(__file__).read_text()
    assert names == {name for name in names if f'"{name}"' in text}
    assert all('"recorded_from": "kube-apiserver v' in file.read_text() for file in ANSWERS.glob("*.json"))
