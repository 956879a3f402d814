"""``instance-ha COMMAND -o json``: what programs read at a shell is what the API would tell them."""

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.functions.conftest import Installation, closed
from tests.functions.shell import run

NOUNS = "/v1/x-instance-ha"
Shell = Callable[..., Any]


@pytest.fixture
def shell(installation: Installation) -> Shell:
    """Runs a command with the settings of the functions; returns its exit code, and the JSON that it has printed."""
    environ = installation.runtime.environ
    of_hosts = {name: value for name, value in environ.items() if name.startswith("OS_")}
    of_hosts["INSTANCE_HA_API_URL"] = f"{installation.url}/v1"

    def shown(*words: str) -> tuple[int, Any]:
        ended = run(of_hosts if words[0] == "host-guard" else environ, *words, "-o", "json")
        assert ended.out, ended.err
        return ended.code, json.loads(ended.out)

    return shown


def test_a_plan_is_that_of_the_api(installation: Installation, shell: Shell, host: dict[str, Any]) -> None:
    installation.cloud.boot(host["name"], 1)
    plans = installation.post(f"{NOUNS}/plans", {"plan": {"host": host["name"]}}).json()["plans"]
    assert shell("plan", host["name"]) == (0, plans)


def test_an_explanation_has_the_answers_of_the_api(
    installation: Installation, shell: Shell, host: dict[str, Any]
) -> None:
    uuid = closed(installation, installation.notification(host))["notification_uuid"]
    wanted = installation.get(f"{NOUNS}/explanations/{uuid}").json()["explanation"]
    code, shown = shell("explain", uuid)
    assert (code, shown.keys(), shown["host"]) == (0, wanted.keys(), host["name"])
    assert [one["text"] for one in shown["questions"]] == [one["text"] for one in wanted["questions"]]


def test_an_incident_has_the_moments_of_the_api(installation: Installation, shell: Shell, host: dict[str, Any]) -> None:
    uuid = closed(installation, installation.notification(host))["notification_uuid"]
    wanted = installation.get(f"{NOUNS}/incidents/{uuid}").json()["incident"]
    code, shown = shell("incident", uuid)
    assert (code, [one["name"] for one in shown["moments"]]) == (0, [one["name"] for one in wanted["moments"]])


def test_the_status_has_rows_of_each_kind(shell: Shell, segment: dict[str, Any], under_recovery: None) -> None:
    code, shown = shell("status")
    assert code == 0
    assert shown.keys() == {"segments", "hosts", "recoveries", "pauses", "failed", "ended_well", "events"}
    assert segment["name"] in {row["name"] for row in shown["segments"]}
    assert shown["recoveries"] != []


def test_readiness_is_that_of_each_segment_and_its_exit_code_is_that_of_the_worst(
    shell: Shell, host: dict[str, Any]
) -> None:
    code, shown = shell("readiness")
    assert code == (0 if all(segment["survives"] for segment in shown) else 3)
    hosts = {row["name"]: row["fit"] for segment in shown for row in segment["hosts"]}
    assert hosts[host["name"]] == "fits"


def test_a_host_guard_is_that_of_the_api(installation: Installation, shell: Shell, host: dict[str, Any]) -> None:
    guard = installation.get(f"{NOUNS}/host-guards/{host['name']}").json()["host_guard"]
    assert shell("host-guard", host["name"]) == (0, guard)


def test_the_parts_of_a_configuration_are_listed_with_what_they_answer(shell: Shell) -> None:
    _, shown = shell("check-config")
    assert {"part": "database", "answers": True, "words": "schema 0001"} in shown["parts"]
    assert all("FAILS" not in problem for problem in shown["problems"])


def test_what_the_database_holds_is_counted(shell: Shell) -> None:
    assert shell("db", "version") == (0, {"revision": "0001", "newest": "0001"})
    code, shown = shell("db", "purge", "--dry-run")
    assert (code, shown["dry_run"], "notifications" in shown["tables"]) == (0, True, True)
    assert shell("events", "resend", "--sink", "web") == (0, {"events": 0})
