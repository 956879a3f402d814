"""The example of a customised task, tested as its author would: with the simulator (docs/custom-tasks.md)."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.test_custom_task import FLOWS, installed
from tests.followers import Aws

_TEST = """
import json, sys
from instance_ha_simulator.testing import recover
recovery = recover(*sys.argv[1:])
print(json.dumps([recovery.status, recovery.message, dict(recovery.progress)]))
"""


@dataclass(frozen=True)
class Recovery:
    """What a test of the author sees."""

    status: str
    message: str
    progress: dict[str, list[str]]


def recover(database_url: str, environ: dict[str, str]) -> Recovery:
    """Recover a host in a process where the example is installed."""
    command = [sys.executable, "-c", _TEST, database_url, FLOWS]
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return Recovery(*json.loads(done.stdout.splitlines()[-1]))


def test_a_topic_gets_an_alert_at_the_begin_and_at_the_end(tmp_path: Path, database_url: str, aws: Aws) -> None:
    topic, queue = aws.topic_with_queue("alerts")

    recovery = recover(database_url, installed(tmp_path, topic, aws))

    assert (recovery.status, recovery.message) == ("finished", "2 of 2 instances evacuated")
    names = list(recovery.progress)
    assert (names[0], names[-1]) == ("sns_alert_begin", "sns_alert_end")
    assert {message["Body"]["Subject"] for message in aws.messages(queue)} == {
        "Recovery of compute1 begins",
        "Recovery of compute1 has ended",
    }


def test_a_topic_that_is_away_does_not_stop_the_recovery(tmp_path: Path, database_url: str, aws: Aws) -> None:
    nowhere = "arn:aws:sns:eu-north-1:123456789012:nowhere"

    recovery = recover(database_url, installed(tmp_path, nowhere, aws))

    assert recovery.status == "finished"
    assert "Failed; the recovery goes on" in recovery.progress["sns_alert_begin"][-1]
