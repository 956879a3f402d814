"""Plans over HTTP: what would be done if a host failed now, and nothing of it is done."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.functions.conftest import Installation, fault
from tests.functions.shell import run

PLANS = "/v1/x-instance-ha/plans"


def plan(installation: Installation, host: str, **how: Any) -> dict[str, Any]:
    """Ask for the plan of one host."""
    answer = installation.post(PLANS, {"plan": {"host": host}}, **how)
    assert answer.status_code == 200, answer.text
    (shown,) = answer.json()["plans"]
    return dict(shown)


@pytest.fixture
def away(installation: Installation, host: dict[str, Any]) -> Iterator[None]:
    """The cell of all hosts does not answer."""
    installation.cloud.set_cell("cell1", answers=False)
    yield
    installation.cloud.set_cell("cell1", answers=True)


def test_a_plan_names_who_would_move_first_and_whose_disk_would_be_lost(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    (plain,) = installation.cloud.boot(host["name"])
    (wanted,) = installation.cloud.boot(host["name"], metadata={"HA_Enabled": "True"}, on_volume=True)
    (gone,) = installation.cloud.boot(host["name"], task_state="deleting")
    shown = plan(installation, host["name"])
    assert [(one["id"], one["ha_enabled"], one["disk_lost"]) for one in shown["instances"]] == [
        (wanted.id, True, False),
        (plain.id, False, True),
    ]
    assert shown["left_out"] == [{"id": gone.id, "name": gone.name, "reason": "its owner is deleting it"}]
    assert (shown["outlook"], shown["methods"], shown["segment_uuid"]) == ("evacuates", ["auto"], segment["uuid"])


def test_a_plan_changes_nothing(installation: Installation, host: dict[str, Any]) -> None:
    installation.cloud.boot(host["name"])
    before = installation.cloud.requests.copy()
    plan(installation, host["name"])
    asked = installation.cloud.requests - before
    assert {method for method, route in asked if "/compute/" in route} == {"GET"}
    assert installation.get(f"/v1/segments/{host['failover_segment_id']}/hosts/{host['uuid']}").json()["host"] == host
    assert installation.get(f"/v1/notifications?source_host_uuid={host['uuid']}").json()["notifications"] == []


def test_hosts_are_named_by_name_or_uuid_and_each_is_planned_once(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    other = installation.host(segment)
    named = [other["uuid"], host["name"], other["name"]]
    answer = installation.post(PLANS, {"plan": {"hosts": named}})
    assert [one["host"] for one in answer.json()["plans"]] == [other["name"], host["name"]]


@pytest.mark.usefixtures("away")
def test_what_nova_does_not_tell_is_not_known_and_no_empty_plan(
    installation: Installation, host: dict[str, Any]
) -> None:
    shown = plan(installation, host["name"])
    assert (shown["outlook"], shown["instances"], shown["left_out"]) == ("not_known", None, None)
    assert shown["message"]


def test_what_the_segment_s_policy_says_of_lost_disks_and_of_proof_is_in_the_plan(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    installation.cloud.boot(host["name"], ["local-1"])
    path = f"/v1/x-instance-ha/policies/{segment['uuid']}"
    changed = {"local_disk": "hold", "fence": "required", "dead_when": [["confirmed"]]}
    assert installation.put(path, {"policy": changed}).status_code == 200
    shown = plan(installation, host["name"])
    text = "\n".join(step["text"] for step in shown["before"])
    assert shown["outlook"] == "held"
    assert "nothing is evacuated before it is off" in text
    assert "must be proven dead: an operator confirms that it is dead (openstack ha evidence confirm)" in text
    assert "the disks of 1 instance are lost with their host: local-1" in text


def test_in_mode_observe_nothing_would_be_done_and_the_plan_says_what_otherwise(
    installation: Installation, segment: dict[str, Any], host: dict[str, Any]
) -> None:
    installation.cloud.boot(host["name"], ["seen"])
    path = f"/v1/x-instance-ha/policies/{segment['uuid']}"
    assert installation.put(path, {"policy": {"mode": "observe"}}).status_code == 200
    shown = plan(installation, host["name"])
    assert (shown["outlook"], [one["name"] for one in shown["instances"]]) == ("observed", ["seen"])


def test_of_a_segment_that_is_disabled_nothing_would_be_evacuated(installation: Installation) -> None:
    host = installation.host(installation.segment(enabled=False))
    shown = plan(installation, host["name"])
    assert (shown["outlook"], shown["instances"]) == ("nothing", None)
    assert "is disabled" in shown["message"]


def test_of_a_host_that_an_operator_has_put_on_maintenance_nothing_would_be_evacuated(
    installation: Installation, segment: dict[str, Any]
) -> None:
    shown = plan(installation, installation.host(segment, on_maintenance=True)["name"])
    assert shown["outlook"] == "nothing"
    assert "is on maintenance" in shown["message"]


@pytest.mark.parametrize(
    "wrong", [{}, {"host": "nowhere"}, {"host": "a", "hosts": ["b"]}, {"hosts": []}, {"hosts": ["h"] * 21}, {"host": 1}]
)
def test_a_plan_of_nothing_that_is_there_is_refused(installation: Installation, wrong: dict[str, Any]) -> None:
    assert fault(installation.post(PLANS, {"plan": wrong})) == (400, "badRequest")


def test_who_may_not_ask_for_plans_hears_so(installation: Installation, host: dict[str, Any]) -> None:
    assert installation.post(PLANS, {"plan": {"host": host["name"]}}, user="demo").status_code == 403


def test_the_command_prints_a_plan_and_says_by_its_exit_code_that_one_is_not_known(
    installation: Installation, host: dict[str, Any]
) -> None:
    installation.cloud.boot(host["name"], ["vm-of-the-command"], metadata={"HA_Enabled": "True", "HA_Priority": "7"})
    code, out, _ = command(installation, host["name"])
    assert (code, out.splitlines()[0]) == (0, f"{host['name']}: would be evacuated")
    assert "1. vm-of-the-command (" in out
    assert "active, HA enabled, priority 7, its disk would be lost unless its storage is shared" in out
    installation.cloud.set_cell("cell1", answers=False)
    try:
        code, out, _ = command(installation, host["name"])
    finally:
        installation.cloud.set_cell("cell1", answers=True)
    assert (code, len(out.splitlines()), out.startswith(f"{host['name']}: not known: ")) == (3, 1, True)
    code, out, err = command(installation, "nowhere")
    assert (code, out, err) == (1, "", "not registered in any segment: host nowhere\n")


def command(installation: Installation, host: str) -> tuple[int, str, str]:
    """Run the command with the settings of the functions."""
    ended = run(installation.runtime.environ, "plan", host)
    return ended.code, ended.out, ended.err
