"""Explanations over HTTP, and at a shell."""

import subprocess
import sys
from typing import Any

from tests.functions.conftest import Installation, closed

EXPLANATIONS = "/v1/x-instance-ha/explanations"


def test_a_recovery_is_explained_by_five_questions(installation: Installation, host: dict[str, Any]) -> None:
    uuid = closed(installation, installation.notification(host))["notification_uuid"]
    answer = installation.get(f"{EXPLANATIONS}/{uuid}")
    assert answer.status_code == 200, answer.text
    shown = answer.json()["explanation"]
    assert (shown["host"], shown["status"], shown["waits_for"]) == (host["name"], "finished", None)
    assert [one["question"] for one in shown["questions"]] == [
        "May we act at all?",
        "Is the host dead?",
        "What would we do?",
        "Did it work?",
        "What did it cost?",
    ]
    (reported,) = shown["questions"][0]["because"]
    assert (reported["table"], "event STARTED" in reported["text"]) == ("notifications", True)


def test_what_was_never_reported_is_not_explained(installation: Installation) -> None:
    assert installation.get(f"{EXPLANATIONS}/none").status_code == 404


def test_who_may_not_read_recoveries_gets_no_explanation(installation: Installation, host: dict[str, Any]) -> None:
    uuid = installation.notification(host)["notification_uuid"]
    assert installation.get(f"{EXPLANATIONS}/{uuid}", user="demo").status_code == 403


def test_the_command_prints_the_five_questions(installation: Installation, host: dict[str, Any]) -> None:
    uuid = closed(installation, installation.notification(host))["notification_uuid"]
    run = [sys.executable, "-m", "instance_ha.command", "explain", uuid]
    environ = dict(installation.runtime.environ)
    ended = subprocess.run(run, env=environ, capture_output=True, text=True, timeout=60, check=True)
    lines = ended.stdout.splitlines()
    assert lines[0] == f"{host['name']}: COMPUTE_HOST, finished"
    assert [line[:2] for line in lines if line[0].isdigit()] == ["1.", "2.", "3.", "4.", "5."]
