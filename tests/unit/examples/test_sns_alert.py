"""The example of a customised task, tested as its author would: with the simulator (docs/custom-tasks.md)."""

from pathlib import Path

import pytest
from instance_ha_simulator.testing import recover

from tests.e2e.test_custom_task import FLOWS, install
from tests.followers import Aws


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The example, as pip installs it."""
    install(tmp_path, monkeypatch)


def test_a_topic_gets_an_alert_at_the_begin_and_at_the_end(
    installed: None, database_url: str, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    topic = aws.client("sns").create_topic(Name="alerts")["TopicArn"]
    queue = aws.queue("alerts")
    aws.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:eu-north-1:123456789012:alerts")
    monkeypatch.setenv("SNS_ALERT_TOPIC", topic)
    monkeypatch.setenv("SNS_ALERT_ENDPOINT", aws.url)

    recovery = recover(database_url, FLOWS)

    assert (recovery.status, recovery.message) == ("finished", "2 of 2 instances evacuated")
    names = list(recovery.progress)
    assert (names[0], names[-1]) == ("sns_alert_begin", "sns_alert_end")
    assert {message["Body"]["Subject"] for message in aws.messages(queue)} == {
        "Recovery of compute1 begins",
        "Recovery of compute1 has ended",
    }


def test_a_topic_that_is_away_does_not_stop_the_recovery(
    installed: None, database_url: str, aws: Aws, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SNS_ALERT_TOPIC", "arn:aws:sns:eu-north-1:123456789012:nowhere")
    monkeypatch.setenv("SNS_ALERT_ENDPOINT", aws.url)

    recovery = recover(database_url, FLOWS)

    assert recovery.status == "finished"
    assert "Failed, which does not matter" in recovery.progress["sns_alert_begin"][-1]
