"""docs/tour.md: its commands are run as they stand there."""

import os
import re
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any
from wsgiref.types import StartResponse, WSGIEnvironment

import pytest
from instance_ha_simulator.cloud.server import LoopbackServer
from werkzeug.wrappers import Request, Response

from local.files import repository
from local.hosting import InProcess
from local.runtime import Options, Runtime, without_cloud
from tests.clients.openstack_shell import OpenStackShell
from tests.e2e.conftest import CLOUD

BLOCKS = re.findall(r"^```bash\n(.*?)^```", (repository() / "docs/tour.md").read_text(), re.S | re.M)
# Each command must work. What the page waits for is there sooner, since this cloud notices a dead host in two seconds;
# and most of an openstack's time is its start, so that one process runs all of them.
BEFORE = """
set -euo pipefail
sleep() { command sleep 0.2; }
openstack() {
    local words=() word
    for word; do words+=(--data-urlencode "word=$word"); done
    curl -fsS "$OPENSTACK" "${words[@]}"
}
"""


def run(environ: dict[str, str], folder: Path) -> subprocess.CompletedProcess[str]:
    """Run the blocks of the page in one shell."""
    shell, errors = OpenStackShell(environ), []

    def openstack(asked: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        done = shell.run(*Request(asked).form.getlist("word"))
        errors.append(done.stderr)
        return Response(done.stdout, 500 if done.returncode else 200)(asked, start_response)

    server = LoopbackServer(openstack, threads=1)
    server.start()
    line = ["bash", "-c", BEFORE + "".join(BLOCKS)]
    try:
        done = subprocess.run(
            line, cwd=folder, env=environ | {"OPENSTACK": server.url}, capture_output=True, text=True, timeout=300
        )
    finally:
        server.stop()
        shell.close()
    if done.returncode:
        pytest.fail("\n".join([done.stdout, done.stderr, *errors]))
    return done


def test_the_tour_leads_from_a_plan_to_an_incident_report(state_dir: Any) -> None:
    environ = without_cloud(os.environ)
    with Runtime(Options(state_dir, 0, InProcess, durable=False, sim=CLOUD, environ=environ)) as runtime:
        for number in range(1, 5):
            runtime.cloud.add_host(f"compute{number}")
        shown = run(
            environ | {"OS_CLIENT_CONFIG_FILE": str(runtime.clouds_yaml), "OS_CLOUD": "admin"}, state_dir
        ).stdout
        homes = {server.host for server in runtime.cloud.servers()}
    assert "of 4 hosts of its segment have failed at once" in shown
    assert "# Incident: compute2, COMPUTE_HOST" in shown
    assert homes == {"compute1"}
