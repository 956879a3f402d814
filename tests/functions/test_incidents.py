"""Accounts of outages over HTTP, and at a shell."""

import json
from typing import Any

from tests.functions.conftest import Installation, closed
from tests.functions.shell import run

INCIDENTS = "/v1/x-instance-ha/incidents"


def test_an_incident_is_accounted_for_in_values_and_on_a_page(installation: Installation, host: dict[str, Any]) -> None:
    uuid = closed(installation, installation.notification(host))["notification_uuid"]
    answer = installation.get(f"{INCIDENTS}/{uuid}")
    assert answer.status_code == 200, answer.text
    shown = answer.json()["incident"]
    assert (shown["notification_uuid"], shown["host"], shown["instances"]) == (uuid, host["name"], [])
    moments = {one["name"]: one["at"] for one in shown["moments"]}
    assert (moments["reported"] is None, moments["last sign of life"]) == (False, None)
    assert shown["markdown"].startswith(f"# Incident: {host['name']}, COMPUTE_HOST\n")
    assert "| last sign of life | not known |" in shown["markdown"]


def test_what_was_never_reported_has_no_account(installation: Installation) -> None:
    assert installation.get(f"{INCIDENTS}/none").status_code == 404


def test_who_may_not_read_recoveries_gets_no_account(installation: Installation, host: dict[str, Any]) -> None:
    uuid = installation.notification(host)["notification_uuid"]
    assert installation.get(f"{INCIDENTS}/{uuid}", user="demo").status_code == 403


def test_the_command_prints_a_page_or_the_values_of_the_api(installation: Installation, host: dict[str, Any]) -> None:
    uuid = closed(installation, installation.notification(host))["notification_uuid"]
    api = installation.get(f"{INCIDENTS}/{uuid}").json()["incident"]

    def shown(*options: str) -> str:
        ended = run(installation.runtime.environ, "incident", uuid, *options)
        assert ended.code == 0, ended.err
        return ended.out

    assert shown() == api["markdown"]
    values = json.loads(shown("-o", "json"))
    assert values.keys() == api.keys() - {"markdown"}
    assert (values["totals"], values["failures"]) == (api["totals"], api["failures"])
