"""The worked example of docs/custom-tasks.md: an alert through SNS before and after a recovery, on moto's server."""

import os
import tomllib
from pathlib import Path

from local.files import repository
from local.hosting import Isolated
from local.runtime import Options, Runtime, without_cloud
from tests.followers import KEYS, Aws
from tests.functions.conftest import _CLOUD, _SETTINGS, Installation, closed

EXAMPLE = repository() / "examples" / "sns-alert"
FLOWS = """[taskflow_driver_recovery_flows]
host_auto_failure_recovery_tasks = pre:['sns_alert_begin','disable_compute_service_task'],
  main:['prepare_HA_enabled_instances_task'],post:['evacuate_instances_task','sns_alert_end']
"""


def installed(folder: Path, topic: str, aws: Aws) -> dict[str, str]:
    """Return an environment in which the example can be imported with its entry points, as pip installs it."""
    project = tomllib.loads((EXAMPLE / "pyproject.toml").read_text())["project"]
    info = folder / "sns_alert-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: sns-alert\nVersion: 1.0\n")
    points = project["entry-points"]["instance_ha.tasks"]
    lines = "\n".join(f"{name} = {where}" for name, where in points.items())
    (info / "entry_points.txt").write_text(f"[instance_ha.tasks]\n{lines}\n")
    path = os.pathsep.join([str(EXAMPLE), str(folder)])
    of_example = {"SNS_ALERT_TOPIC": topic, "SNS_ALERT_ENDPOINT": aws.url, "PYTHONPATH": path}
    return without_cloud(os.environ) | KEYS | of_example


def test_a_topic_is_told_when_a_recovery_begins_and_when_it_has_ended(
    tmp_path: Path, state_dir: Path, aws: Aws
) -> None:
    topic, queue = aws.topic_with_queue("alerts-of-functions")
    (tmp_path / "flows.conf").write_text(FLOWS)
    settings = _SETTINGS | {"recovery_flows_file": str(tmp_path / "flows.conf"), "invocation_time": "20"}
    settings |= {"lease_time": "15"}
    environ = installed(tmp_path, topic, aws)
    options = Options(state_dir, 0, Isolated, durable=False, sim=_CLOUD, settings=settings, environ=environ)
    with Runtime(options) as on:
        cloud = Installation(on, None, None)  # type: ignore[arg-type]  # nobody reads its log, nobody follows
        segment = cloud.segment()
        dead, _ = cloud.host(segment), cloud.host(segment)
        on.cloud.boot(dead["name"], 1)
        on.cloud.kill_host(dead["name"])
        payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        ended = closed(cloud, cloud.notification(dead, payload=payload), 60)
        cloud.database.close()
    got = sorted((message["Body"] for message in aws.messages(queue)), key=lambda body: str(body["Timestamp"]))
    assert [body["Subject"] for body in got] == [
        f"Recovery of {dead['name']} begins",
        f"Recovery of {dead['name']} has ended",
    ]
    assert {ended["notification_uuid"] in body["Message"] for body in got} == {True}
    assert ended["status"] == "finished"
    names = [task["name"] for task in ended["recovery_workflow_details"]]
    assert (names[0], names[-1]) == ("sns_alert_begin", "sns_alert_end")
