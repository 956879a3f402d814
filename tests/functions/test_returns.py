"""Returns of hosts over HTTP, and their guards."""

import time
from typing import Any

import pytest

from tests.functions.conftest import Installation, closed, fault
from tests.functions.shell import Ended, run

RETURNS, GUARDS = "/v1/x-instance-ha/returns", "/v1/x-instance-ha/host-guards"


@pytest.fixture
def recovered(installation: Installation, host: dict[str, Any]) -> dict[str, Any]:
    """A host whose recovery has ended, and that has not been seen since."""
    uuid = closed(installation, installation.notification(host, generated_time="2001-01-04"))["notification_uuid"]
    installation.sql("UPDATE notifications SET attempt = 1 WHERE notification_uuid = :uuid", uuid=uuid)
    return host


def bring_back(installation: Installation, host: str, **about: Any) -> Any:
    """Ask for a return."""
    return installation.post(RETURNS, {"return": {"host": host} | about})


def over(installation: Installation, uuid: str) -> dict[str, Any]:
    """Wait until a return has ended."""
    for _ in range(200):
        row = dict(installation.get(f"{RETURNS}/{uuid}").json()["return"])
        if row["ended_at"] is not None:
            return row
        time.sleep(0.1)
    raise AssertionError(row)


def test_a_return_waits_and_says_for_what_until_it_is_stopped(
    installation: Installation, recovered: dict[str, Any]
) -> None:
    answer = bring_back(installation, recovered["name"], move_home=True)
    assert answer.status_code == 202, answer.text
    made = answer.json()["return"]
    assert (made["host_uuid"], made["status"], made["move_home"]) == (recovered["uuid"], "waiting", True)
    assert made["actor"] == f"admin ({installation.cloud.identity.users['admin'].id})"
    assert made["uuid"] in str(installation.get(f"{RETURNS}?host={recovered['name']}").json())
    assert fault(bring_back(installation, recovered["uuid"])) == (409, "conflictingRequest")
    assert installation.delete(f"{RETURNS}/{made['uuid']}").status_code == 204
    ended = over(installation, made["uuid"])
    assert (ended["status"], ended["is_back"], ended["stopped_by"]) == ("stopped", False, made["actor"])
    assert fault(installation.delete(f"{RETURNS}/{made['uuid']}")) == (409, "conflictingRequest")


def test_a_host_that_was_never_recovered_is_not_brought_back(installation: Installation, host: dict[str, Any]) -> None:
    assert fault(bring_back(installation, host["name"])) == (409, "conflictingRequest")


def test_the_policy_of_a_segment_may_say_never(
    installation: Installation, segment: dict[str, Any], recovered: dict[str, Any]
) -> None:
    policy = f"/v1/x-instance-ha/policies/{segment['uuid']}"
    assert installation.get(policy).json()["policy"]["returns"] == "manual"
    assert installation.put(policy, {"policy": {"returns": "never"}}).status_code == 200
    assert fault(bring_back(installation, recovered["name"])) == (409, "conflictingRequest")


@pytest.mark.parametrize("wrong", [{}, {"host": "nowhere"}, {"host": ""}, {"host": 1}, {"host": "a", "move_home": 2}])
def test_a_return_that_makes_no_sense_is_refused(installation: Installation, wrong: dict[str, Any]) -> None:
    assert fault(installation.post(RETURNS, {"return": wrong})) == (400, "badRequest")


def test_a_monitor_s_user_may_bring_no_host_back_and_ask_its_guard(
    installation: Installation, recovered: dict[str, Any]
) -> None:
    asked = {"return": {"host": recovered["name"]}}
    assert installation.post(RETURNS, asked, user="masakari").status_code == 403
    assert installation.get(f"{GUARDS}/{recovered['name']}", user="masakari").status_code == 200
    assert installation.get(f"{GUARDS}/{recovered['name']}", user="demo").status_code == 403


def test_a_return_that_is_not_there_is_neither_shown_nor_stopped(installation: Installation) -> None:
    assert installation.get(f"{RETURNS}/none").status_code == 404
    assert installation.delete(f"{RETURNS}/none").status_code == 404


def test_a_host_guard_forbids_to_start_while_the_recovery_is_open(
    installation: Installation, host: dict[str, Any], under_recovery: None
) -> None:
    guard = installation.get(f"{GUARDS}/{host['name']}").json()["host_guard"]
    assert guard["may_start"] is False
    assert guard["notification_uuid"] in guard["reason"]


def test_a_host_that_names_itself_in_capitals_is_guarded_too(
    installation: Installation, host: dict[str, Any], under_recovery: None
) -> None:
    guard = installation.get(f"{GUARDS}/{host['name'].upper()}").json()["host_guard"]
    assert guard["may_start"] is False
    assert guard["notification_uuid"] in guard["reason"]


def test_a_host_guard_lets_a_host_start_whose_start_is_reported_and_waits_for_it(
    installation: Installation, host: dict[str, Any], under_recovery: None
) -> None:
    of_host = "UPDATE notifications SET payload = payload || :event WHERE source_host_uuid = :host"
    installation.sql(of_host, event='{"event": "STARTED"}', host=host["uuid"])
    guard = installation.get(f"{GUARDS}/{host['name']}").json()["host_guard"]
    assert guard["may_start"] is True


def test_a_host_guard_lets_start_what_is_not_recovered_or_not_ours(
    installation: Installation, recovered: dict[str, Any]
) -> None:
    for name in (recovered["name"], "compute-of-no-segment"):
        guard = installation.get(f"{GUARDS}/{name}").json()["host_guard"]
        assert (guard["host"], guard["may_start"], guard["notification_uuid"]) == (name, True, None)


def command(installation: Installation, *words: str, **environ: str) -> Ended:
    """Run a command of a host or an operator: it knows the cloud, and nothing of Postgres."""
    known = {name: value for name, value in installation.runtime.environ.items() if name.startswith("OS_")}
    return run(known | {"INSTANCE_HA_API_URL": f"{installation.url}/v1"} | environ, *words)


def test_the_guard_of_a_host_says_by_its_exit_code_whether_nova_compute_may_start(
    installation: Installation, host: dict[str, Any], under_recovery: None
) -> None:
    ended = command(installation, "host-guard", host["name"])
    assert (ended.code, "must not start" in ended.out) == (1, True), ended
    ended = command(installation, "host-guard", "compute-of-no-segment")
    assert (ended.code, "may start" in ended.out) == (0, True), ended


def test_the_guard_of_a_host_that_reaches_nobody_does_not_know(installation: Installation) -> None:
    nowhere = {"INSTANCE_HA_API_URL": "http://127.0.0.1:9/v1"}
    ended = command(installation, "host-guard", "compute1", **nowhere)
    assert (ended.code, "not known" in ended.err) == (2, True), ended
    assert command(installation, "host-guard", "compute1", "--start-if-unknown", **nowhere).code == 0


def test_an_operator_brings_a_host_back_at_a_shell(installation: Installation, recovered: dict[str, Any]) -> None:
    as_operator = {"OS_CLOUD": "admin"}
    refused = command(installation, "return", recovered["name"])
    assert (refused.code, "HTTP 403" in refused.err) == (1, True), refused
    asked = command(installation, "return", recovered["name"], "--move-home", **as_operator)
    assert (asked.code, "waiting" in asked.out) == (0, True), asked
    uuid = asked.out.split()[1].rstrip(":")
    assert uuid in command(installation, "return", recovered["name"], "--show", **as_operator).out
    assert command(installation, "return", recovered["name"], "--stop", **as_operator).code == 0
    assert over(installation, uuid)["status"] == "stopped"
