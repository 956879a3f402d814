"""Customised flows: what a file may say, and what stops a function at its start."""

from pathlib import Path

import pytest
from instance_ha.models.enums import Flow
from instance_ha.models.errors import Misconfigured
from instance_ha.recovery import flows
from instance_ha.settings import Settings, load

SECTION = "[taskflow_driver_recovery_flows]\n"
INSTANCE = "instance_failure_recovery_tasks"
GOOD = "pre:['stop_instance_task'],main:['start_instance_task'],post:['confirm_instance_active_task']"


def settings(file: Path) -> Settings:
    """Return settings that name a file of flows."""
    return load({"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_RECOVERY_FLOWS_FILE": str(file)})


def write(folder: Path, value: str, option: str = INSTANCE, section: str = SECTION) -> Settings:
    """Write a file with one option."""
    file = folder / "flows.conf"
    file.write_text(f"{section}{option} = {value}\n")
    return settings(file)


@pytest.mark.parametrize(
    "value",
    [
        "pre:['works','stop_instance_task'],main:['start_instance_task'],post:['no_op']",
        "pre : [ 'works', \"stop_instance_task\" ] , main:['start_instance_task'],\n  post:['no_op']",
        "{'pre': ['works', 'stop_instance_task'], 'main': ['start_instance_task'], 'post': ['no_op']}",
    ],
)
def test_pre_main_and_post_run_in_this_order_by_the_names_that_the_api_shows(tmp_path: Path, value: str) -> None:
    names = flows.shown_names(write(tmp_path, value), Flow.INSTANCE)
    assert names == ("works", "StopInstanceTask", "StartInstanceTask", "Noop")


def test_a_flow_that_the_file_does_not_change_stays_as_it_was(tmp_path: Path) -> None:
    assert flows.shown_names(write(tmp_path, GOOD), Flow.PROCESS) == (
        "DisableComputeNodeTask",
        "ConfirmComputeNodeDisabledTask",
    )


def test_a_url_may_be_a_task(tmp_path: Path) -> None:
    value = "pre:['https://pager.example.org/tell'],main:['stop_instance_task'],post:[]"
    assert flows.shown_names(write(tmp_path, value), Flow.INSTANCE)[0] == "https://pager.example.org/tell"


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("pre:['stop_instance_task'],main:['start_instance_task']", "pre, main and post"),
        (f"{GOOD},last:[]", "pre, main and post"),
        ("pre:[],main:[],post:[]", "no task"),
        ("pre:['stop_instance_task'],pre:[],main:[],post:[]", "twice"),
        ("stop_instance_task", "form"),
        ("pre:[stop_instance_task],main:[],post:[]", "form"),
        ("pre:[1],main:[],post:[]", "names in quotes"),
        ("pre:['stop_instance_task',main:[],post:[]", "form"),
        ("{'pre': 'x', 'main': [], 'post': []}", "names in quotes"),
        ("pre:['no_such_task'],main:[],post:[]", "unknown task no_such_task"),
        ("pre:['evacuate_instances_task'],main:[],post:[]", "not a task for this flow"),
        ("pre:['no_task'],main:[],post:[]", "custom_task"),
        ("pre:['broken'],main:[],post:[]", "cannot be loaded"),
        ("pre:['slow'],main:[],post:[]", "time limit"),
        ("pre:['https://me:secret@pager.example.org'],main:[],post:[]", "password"),
    ],
)
def test_a_flow_that_makes_no_sense_is_refused_at_the_start(tmp_path: Path, value: str, message: str) -> None:
    with pytest.raises(Misconfigured, match=message) as raised:
        flows.check(write(tmp_path, value), {})
    assert INSTANCE in str(raised.value)
    assert "secret" not in str(raised.value)


def test_an_unknown_option_is_refused_and_the_known_ones_are_named(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="host_auto_failure_recovery_tasks"):
        flows.check(write(tmp_path, GOOD, option="host_failure_tasks"), {})


@pytest.mark.parametrize("section", ["", "[DEFAULT]\n", "[flows]\n", f"[other]\n{SECTION}"])
def test_a_file_of_another_shape_is_refused(tmp_path: Path, section: str) -> None:
    with pytest.raises(Misconfigured, match=r"flows\.conf"):
        flows.check(write(tmp_path, GOOD, section=section), {})


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Misconfigured, match="cannot be read"):
        flows.check(settings(tmp_path / "none.conf"), {})
