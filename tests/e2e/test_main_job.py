"""A compute host dies and its instances run again elsewhere: through HTTP, by the clients that our users have."""

import json
import os
import subprocess
import sys
import time
from collections import Counter
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.clients import connect
from local.hosting import Isolated
from local.runtime import Runtime

ROOT = Path(__file__).parents[2]
HOSTS = ("compute1", "compute2", "compute3")
FINAL = {"finished", "failed", "ignored"}


def prepare(runtime: Runtime, instances: int) -> Any:
    """Register hosts, boot instances on the first one; returns the client."""
    ha = connect(runtime.clouds_yaml, "admin").instance_ha
    for host in HOSTS:
        runtime.cloud.add_host(host)
    segment = ha.create_segment(name="one", recovery_method="auto", service_type="COMPUTE")
    for host in HOSTS:
        ha.create_host(segment.uuid, name=host, type="COMPUTE", control_attributes="SSH")
    runtime.cloud.boot(HOSTS[0], instances, metadata={"HA_Enabled": "True"})
    return ha


def report(ha: Any) -> str:
    """Post what a monitor would."""
    payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
    now = datetime.now(UTC).replace(tzinfo=None).isoformat()
    made = ha.create_notification(type="COMPUTE_HOST", hostname=HOSTS[0], generated_time=now, payload=payload)
    return str(made.notification_uuid)


def wait(ha: Any, uuid: str, limit: float = 90.0) -> str:
    """Wait until the notification is final."""
    until = time.monotonic() + limit
    while time.monotonic() < until:
        status = str(ha.get_notification(uuid).status)
        if status in FINAL:
            return status
        time.sleep(0.1)
    pytest.fail(f"not final after {limit} s")


def test_every_instance_of_a_dead_host_is_active_elsewhere(runtime: Runtime) -> None:
    ha = prepare(runtime, 12)
    runtime.cloud.kill_host(HOSTS[0])

    uuid = report(ha)

    assert wait(ha, uuid) == "finished"
    servers = runtime.cloud.servers()
    assert {("ACTIVE", False)} == {(s.status, s.host == HOSTS[0]) for s in servers}
    assert {s.id: s.host for s in servers} == {v.server_id: v.dest_host for v in ha.vmoves(uuid)}
    assert {"succeeded"} == {v.status for v in ha.vmoves(uuid)}
    assert [s.name for s in servers if s.locked_by] == []
    assert list(Counter(r.server_id for r in runtime.cloud.evacuation_requests).values()) == [1] * 12
    assert ha.get_host(next(h for h in ha.hosts(next(ha.segments()).uuid) if h.name == HOSTS[0]).uuid,
                       next(ha.segments()).uuid).on_maintenance  # fmt: skip


def test_the_openstack_client_shows_the_recovery_and_its_progress(runtime: Runtime) -> None:
    ha = prepare(runtime, 2)
    runtime.cloud.kill_host(HOSTS[0])
    uuid = report(ha)
    wait(ha, uuid)

    shown = osc(runtime.clouds_yaml, "notification", "show", uuid)
    moves = osc(runtime.clouds_yaml, "notification", "vmove", "list", uuid)

    assert shown["status"] == "finished"
    details = shown["recovery_workflow_details"]
    tasks = [(task["name"], task["state"]) for task in details]
    assert tasks == [
        ("DisableComputeServiceTask", "SUCCESS"),
        ("PrepareHAEnabledInstancesTask", "SUCCESS"),
        ("EvacuateInstancesTask", "SUCCESS"),
    ]
    assert [move["status"] for move in moves] == ["succeeded", "succeeded"]


def osc(clouds: Path, *words: str) -> Any:
    """Run the openstack client, as an administrator of the cloud of this file."""
    command = [str(Path(sys.executable).with_name("openstack")), *words, "-f", "json"]
    environ = os.environ | {"OS_CLIENT_CONFIG_FILE": str(clouds), "OS_CLOUD": "admin"}
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize("runtime", [Isolated], indirect=True, ids=["isolated"])
@pytest.mark.parametrize("victim", ["recover-host", "recover-instance"])
def test_a_recovery_ends_though_a_function_process_is_killed(runtime: Runtime, victim: str) -> None:
    """Real SIGKILL, real processes; the sweep runs each minute, so this takes up to two."""
    ha = prepare(runtime, 6)
    runtime.cloud.kill_host(HOSTS[0])
    uuid = report(ha)
    until = time.monotonic() + 30
    while not any(move.status == "ongoing" for move in ha.vmoves(uuid)) and time.monotonic() < until:
        time.sleep(0.02)

    assert isinstance(runtime.backend, Isolated)
    process = psutil.Process(runtime.backend.pids()[victim])
    for part in [process, *process.children(recursive=True)]:
        part.kill()

    assert wait(ha, uuid, 180.0) == "finished"
    assert {("ACTIVE", False)} == {(s.status, s.host == HOSTS[0]) for s in runtime.cloud.servers()}
    assert {1} == set(Counter(r.server_id for r in runtime.cloud.evacuation_requests).values())


def test_the_demo_recovers_everything_and_says_so() -> None:
    done = subprocess.run([sys.executable, "-m", "local.demo"], cwd=ROOT, capture_output=True, text=True, timeout=180)

    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout.strip().splitlines()[-1].startswith("demo: 10/10 instances recovered in ")
    assert done.stderr == ""
