"""The flows of an installation: ours, or an operator's file with tasks of other packages."""

from pathlib import Path

import pytest
from instance_ha.decide.flows import Flow
from instance_ha.models.errors import Misconfigured
from instance_ha.recovery import flows
from instance_ha.settings import load

THIRD_PARTY = Path(__file__).parents[2] / "third_party"


@pytest.fixture(autouse=True)
def installed(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have a package with tasks installed."""
    monkeypatch.syspath_prepend(THIRD_PARTY)


def _load(tmp_path: Path, pre: str, **settings: str) -> flows.Flows:
    file = tmp_path / "flows.conf"
    option = "instance_failure_recovery_tasks"
    file.write_text(f"[taskflow_driver_recovery_flows]\n{option} = pre:[{pre}],main:['stop_instance_task'],post:[]\n")
    environ = {"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_RECOVERY_FLOWS_FILE": str(file)}
    return flows.load(load(environ | settings))


def test_without_a_file_every_flow_is_the_originals() -> None:
    found = flows.load(load({"DATABASE_URL": "postgresql://db/ha"}))
    host = ("DisableComputeServiceTask", "PrepareHAEnabledInstancesTask", "EvacuateInstancesTask")
    assert found.names == {
        Flow.HOST_AUTO: host,
        Flow.HOST_RESERVED: host,
        Flow.INSTANCE: ("StopInstanceTask", "StartInstanceTask", "ConfirmInstanceActiveTask"),
        Flow.PROCESS: ("DisableComputeNodeTask", "ConfirmComputeNodeDisabledTask"),
    }


def test_a_task_of_another_package_is_shown_by_its_own_name_and_other_flows_stay(tmp_path: Path) -> None:
    found = _load(tmp_path, "'steady'")
    assert found.names[Flow.INSTANCE] == ("SteadyTask", "StopInstanceTask")
    assert found.names[Flow.PROCESS] == ("DisableComputeNodeTask", "ConfirmComputeNodeDisabledTask")


def test_a_url_is_shown_without_the_secrets_in_it(tmp_path: Path) -> None:
    found = _load(tmp_path, "'https://user:secret@alerts.test:8443/a?key=secret'")
    assert found.names[Flow.INSTANCE][0] == "alerts.test:8443/a"


@pytest.mark.parametrize(
    ("pre", "word"),
    [
        ("'unlimited'", "time_limit"),
        ("'nameless'", "run"),
        ("'missing'", "NotThere"),
        ("'no_such_task'", "no_such_task"),
        ("'http:///path'", "http:///path"),
        ("'https://a.test/x?1','https://a.test/x?2'", "two tasks are shown as a.test/x"),
    ],
)
def test_a_task_that_would_not_work_stops_the_start(tmp_path: Path, pre: str, word: str) -> None:
    with pytest.raises(Misconfigured, match=word.replace("?", ".")):
        _load(tmp_path, pre)


def test_a_task_that_no_flow_names_is_not_loaded(tmp_path: Path) -> None:
    assert "UnlimitedTask" not in _load(tmp_path, "'steady'").tasks


def test_a_file_that_is_not_there_stops_the_start() -> None:
    environ = {"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_RECOVERY_FLOWS_FILE": "/no/such/file"}
    with pytest.raises(Misconfigured, match="recovery_flows_file"):
        flows.load(load(environ))
