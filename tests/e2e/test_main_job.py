"""A compute host dies and its instances run again elsewhere: through HTTP, by the clients that our users have."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import psutil
import pytest

from local.hosting import Isolated
from local.runtime import Runtime
from tests.e2e.rack import prepare


def test_every_instance_of_a_dead_host_is_active_elsewhere(runtime: Runtime) -> None:
    rack = prepare(runtime, 12)

    uuid = rack.fail()

    assert rack.wait(uuid) == "finished"
    servers, moves = rack.servers(), list(rack.ha.vmoves(uuid))
    assert rack.seen() == {("ACTIVE", False)}
    assert {s.id: s.host for s in servers} == {v.server_id: v.dest_host for v in moves}
    assert {"succeeded"} == {v.status for v in moves}
    assert [s.name for s in servers if s.locked_by] == []
    assert rack.evacuations() == [1] * 12
    (dead,) = (host for host in rack.ha.hosts(rack.segment) if host.name == rack.hosts[0])
    assert rack.ha.get_host(dead.uuid, rack.segment).on_maintenance


def test_the_openstack_client_shows_the_recovery_and_its_progress(runtime: Runtime) -> None:
    rack = prepare(runtime, 2)
    uuid = rack.fail()
    rack.wait(uuid)

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


@pytest.mark.parametrize("product", [Isolated], indirect=True, ids=["isolated"])
@pytest.mark.parametrize("victim", ["recover-host", "recover-instance"])
def test_a_recovery_ends_though_a_function_process_is_killed(runtime: Runtime, victim: str) -> None:
    """Real SIGKILL, real processes; what may have been asked of Nova is asked again when it cannot come late."""
    rack = prepare(runtime, 6)
    uuid = rack.fail()
    until = time.monotonic() + 30
    while not any(move.status == "ongoing" for move in rack.ha.vmoves(uuid)) and time.monotonic() < until:
        time.sleep(0.02)

    assert isinstance(runtime.backend, Isolated)
    process = psutil.Process(runtime.backend.pids()[victim])
    for part in [process, *process.children(recursive=True)]:
        part.kill()

    assert rack.wait(uuid, 180.0) == "finished"
    assert rack.seen() == {("ACTIVE", False)}
    assert rack.evacuations() == [1] * 6
