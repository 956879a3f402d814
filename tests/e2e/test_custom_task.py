"""The worked example of docs/custom-tasks.md: an alert through SNS before and after a recovery, on moto's server."""

import json
import os
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest
from moto.server import ThreadedMotoServer

from local.files import repository
from local.runtime import Options, Runtime, without_cloud
from tests.functions.conftest import _CLOUD, _SETTINGS, Installation, closed

EXAMPLE = repository() / "examples" / "sns-alert"
FLOWS = """[taskflow_driver_recovery_flows]
host_auto_failure_recovery_tasks = pre:['sns_alert_begin','disable_compute_service_task'],
  main:['prepare_HA_enabled_instances_task'],post:['evacuate_instances_task','sns_alert_end']
"""
AWS = {
    "AWS_ACCESS_KEY_ID": "test",
    "AWS_SECRET_ACCESS_KEY": "test",
    "AWS_DEFAULT_REGION": "us-east-1",
    "AWS_EC2_METADATA_DISABLED": "true",
}


def install(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make the example importable with its entry points, as pip does."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = folder / "sns_alert-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sns-alert\nVersion: 1.0\n")
    points = project["entry-points"]["instance_ha.tasks"]
    lines = "\n".join(f"{name} = {where}" for name, where in points.items())
    (info / "entry_points.txt").write_text(f"[instance_ha.tasks]\n{lines}\n")
    for place in (str(EXAMPLE), str(folder)):
        monkeypatch.syspath_prepend(place)


@pytest.fixture
def messages(monkeypatch: pytest.MonkeyPatch) -> Iterator[Any]:
    """What a subscriber of the topic has got so far."""
    for name, value in AWS.items():
        monkeypatch.setenv(name, value)
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
    server.start()
    host, port = server.get_host_and_port()
    url = f"http://{host}:{port}"
    sns, sqs = (boto3.client(name, endpoint_url=url) for name in ("sns", "sqs"))
    topic = sns.create_topic(Name="alerts")["TopicArn"]
    queue = sqs.create_queue(QueueName="alerts")["QueueUrl"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint="arn:aws:sqs:us-east-1:123456789012:alerts")
    monkeypatch.setenv("SNS_ALERT_TOPIC", topic)
    monkeypatch.setenv("SNS_ALERT_ENDPOINT", url)

    def read() -> list[dict[str, Any]]:
        got = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])
        return [json.loads(message["Body"]) for message in got]

    yield read
    server.stop()


def test_a_topic_is_told_when_a_recovery_begins_and_when_it_has_ended(
    tmp_path: Path, state_dir: Path, messages: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    install(tmp_path, monkeypatch)
    (tmp_path / "flows.conf").write_text(FLOWS)
    settings = _SETTINGS | {"recovery_flows_file": str(tmp_path / "flows.conf"), "invocation_time": "20"}
    settings |= {"lease_time": "15"}
    options = Options(state_dir, 0, durable=False, sim=_CLOUD, settings=settings, environ=without_cloud(os.environ))
    with Runtime(options) as on:
        cloud = Installation(on, None, None)  # type: ignore[arg-type]  # nobody reads its log, nobody follows
        segment = cloud.segment()
        dead, _ = cloud.host(segment), cloud.host(segment)
        on.cloud.boot(dead["name"], 1)
        on.cloud.kill_host(dead["name"])
        payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        ended = closed(cloud, cloud.notification(dead, payload=payload), 60)
        cloud.database.close()
    got = sorted(messages(), key=lambda message: str(message["Timestamp"]))
    assert [message["Subject"] for message in got] == [
        f"Recovery of {dead['name']} begins",
        f"Recovery of {dead['name']} has ended",
    ]
    assert {json.loads(message["Message"])["notification_uuid"] for message in got} == {ended["notification_uuid"]}
    assert ended["status"] == "finished"
    names = [task["name"] for task in ended["recovery_workflow_details"]]
    assert (names[0], names[-1]) == ("sns_alert_begin", "sns_alert_end")
