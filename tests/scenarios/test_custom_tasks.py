"""The worked example of docs/custom-tasks.md, with a server that answers as Amazon SNS."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer
from sqlalchemy import text

from tests.conftest import Postgres
from tests.simulator.scenario import Play, Scenario, third_party_tasks

HERE = Path(__file__).parent


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """A topic, named by ALERT_TOPIC, and a queue that gets what is published to it."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    environ = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_DEFAULT_REGION": "us-east-1"}
    for name, value in (environ | {"AWS_ACCESS_KEY_ID": "test", "AWS_SECRET_ACCESS_KEY": "test"}).items():
        monkeypatch.setenv(name, value)
    topic = boto3.client("sns").create_topic(Name="recoveries")["TopicArn"]
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="inbox")["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=queue, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    boto3.client("sns").subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn)
    monkeypatch.setenv("ALERT_TOPIC", topic)

    def read() -> list[str]:
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"])["Message"] for message in received]

    yield read
    server.stop()


def _play(tmp_path: Path, postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Play:
    flows = tmp_path / "flows.conf"
    flows.write_text(
        "[taskflow_driver_recovery_flows]\n"
        "host_auto_failure_recovery_tasks = pre:['alert_before','disable_compute_service_task'],"
        "main:['prepare_HA_enabled_instances_task','evacuate_instances_task'],post:['alert_after']\n"
    )
    scenario = Scenario.read(HERE / "host-dies")
    scenario.world["settings"] = {"recovery_flows_file": flows, "recovery_attempts": 1}
    played = Play(scenario, database_url, postgres)
    played.run(monkeypatch)
    return played


def test_an_alert_is_sent_before_and_after_a_recovery(
    inbox: Any, tmp_path: Path, postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = _play(tmp_path, postgres, database_url, monkeypatch)

    (uuid,) = played.notifications
    assert played.show(uuid) == {"status": "finished", "message": "4 of 4 instances evacuated"}
    before, after = "recovery of COMPUTE_HOST on compute1 begins", "recovery of COMPUTE_HOST on compute1 has ended"
    assert sorted(inbox()) == sorted([before, after])
    with played.simulation.world.database.begin() as connection:
        rows = connection.execute(text("SELECT name, state FROM recovery_tasks ORDER BY position")).all()
    assert [row.name for row in rows][:1] + [row.name for row in rows][-1:] == ["AlertBefore", "AlertAfter"]
    assert {row.state for row in rows} == {"SUCCESS"}


def test_an_alert_that_cannot_be_sent_fails_the_recovery_with_botos_words(
    inbox: Any, tmp_path: Path, postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ALERT_TOPIC", "arn:aws:sns:us-east-1:123456789012:no-such-topic")
    played = _play(tmp_path, postgres, database_url, monkeypatch)

    (uuid,) = played.notifications
    shown = played.show(uuid)
    assert shown["status"] == "failed"
    assert "AlertBefore" in shown["message"]
    assert "does not exist" in shown["message"]
    assert inbox() == []


def test_a_task_that_may_not_be_repeated_is_not_run_again_after_a_crash(
    postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    scenario = Scenario.read(HERE / "custom-task-fails")
    scenario.world["settings"]["recovery_attempts"] = 1
    scenario.faults["kill"] = [{"step": "task-begun"}]
    played = Play(scenario, database_url, postgres)
    played.run(monkeypatch)

    (uuid,) = played.notifications
    reason = "task FailingTask: it was begun, and how it ended is not known"
    assert played.show(uuid) == {"status": "failed", "message": reason}
    assert third_party_tasks().runs["FailingTask", uuid] == 0


def test_the_owner_of_a_url_is_asked_with_the_same_id_until_he_is_done(
    postgres: Postgres, database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    played = Play(Scenario.read(HERE / "custom-tasks-run-in-order"), database_url, postgres)
    played.run(monkeypatch)

    first, second = played.notifications
    url = "http://approvals.test/recovery"
    assert [(url, f"{first}/1/1")] * 4 + [(url, f"{second}/1/1")] == played.simulation.urls.asked
