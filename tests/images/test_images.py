"""Functions in their images: as little allowed as possible, and they still work."""

import json
import os
import time
from ast import literal_eval
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

import pytest
import requests
from instance_ha.durations import seconds
from instance_ha.models.triggers import RECOVER_INSTANCE, Trigger
from instance_ha.store import migrate
from instance_ha.triggers.codec import encode
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir

from local.files import repository
from tests.functions.conftest import Installation, closed, unique
from tests.images import tools
from tests.images.conftest import Container, Into, Run

BODY = {"recovery_method": "auto", "service_type": "COMPUTE"}
NAMES = ["api-segments", "recover-instance"]


def signed(secrets: Path) -> tuple[dict[str, str], bytes]:
    """Return an event about nothing."""
    key = (secrets / "trigger-key").read_bytes().strip()
    return encode(Trigger(RECOVER_INSTANCE, str(uuid4())), datetime.now(UTC), key)


def told(container: Container) -> str:
    """Return all that a container shows: its description, its image's, its log."""
    image = tools.podman("inspect", "--format", "{{.Image}}", container.name)
    parts = [tools.podman("inspect", container.name), tools.podman("image", "inspect", image)]
    return "\n".join([*parts, tools.podman("history", "--no-trunc", image), tools.logs(container.name)])


def test_a_request_to_the_api_is_answered(run: Run, installation: Installation, into: Into) -> None:
    container = run("api-segments")
    container.becomes("/_/ready", 200)
    calls = into("api-segments", container)

    made = installation.post("/v1/segments", {"segment": {"name": unique("segment")} | BODY})
    shown = installation.get(f"/v1/segments/{made.json()['segment']['uuid']}")

    assert (made.status_code, shown.status_code) == (201, 200)
    assert shown.json() == made.json()
    assert installation.get("/v1/segments", user=None).status_code == 401
    assert len(calls) == 3


def test_an_event_is_worked_off(run: Run, installation: Installation, into: Into) -> None:
    host = installation.host(installation.segment())
    container = run("recover-instance")
    container.becomes("/_/ready", 200)
    calls = into("recover-instance", container)
    installation.cloud.boot(host["name"], 1, metadata={"HA_Enabled": "True"})
    server = next(s for s in installation.cloud.servers() if s.host == host["name"])
    payload = {"instance_uuid": server.id, "event": "LIFECYCLE", "vir_domain_event": "STOPPED_FAILED"}

    ended = closed(installation, installation.notification(host, type="VM", payload=payload))

    assert ended["status"] == "finished"
    assert installation.cloud.server(server.id).status == "ACTIVE"
    assert set(calls) == {"POST /"}


def test_an_event_that_is_not_signed_is_refused(run: Run, secrets: Path) -> None:
    container = run("recover-instance")
    container.becomes("/_/health", 200)
    headers, body = signed(secrets)

    right = requests.post(container.url, body, headers=headers, timeout=10)
    del headers["ce-signature"]
    wrong = requests.post(container.url, body, headers=headers, timeout=10)

    assert (right.status_code, wrong.status_code) == (204, 403)


def test_a_function_lives_without_its_database_and_is_ready_when_it_is_there(run: Run, secrets: Path) -> None:
    with temporary_state_dir() as folder, EmbeddedPostgres(folder, durable=False) as postgres:
        migrate.upgrade(postgres.dsn)
        postgres.stop()
        (secrets / "database-url").unlink()
        (secrets / "database-url").write_text(postgres.dsn)
        container = run("api-segments")

        container.becomes("/_/health", 200)
        assert container.state("/_/ready") == 503
        postgres.start()

        container.becomes("/_/ready", 200)


def test_an_instance_that_is_told_to_end_finishes_its_request_and_takes_no_other(
    run: Run, installation: Installation
) -> None:
    container = run("api-segments")
    container.becomes("/_/ready", 200)
    installation.cloud.faults.add(Rule(method="GET", path="/v3/auth/tokens", latency=3.0, times=1))
    headers = {"X-Auth-Token": installation.token(fresh=True)}
    with ThreadPoolExecutor() as pool:
        asked = pool.submit(container.get, "/v1/segments", headers=headers)
        time.sleep(1.0)

        tools.podman("kill", "--signal", "TERM", container.name)
        time.sleep(0.3)

        assert (container.state("/_/ready"), container.state("/_/health")) == (503, 200)
        assert container.get("/v1/segments", headers=headers).status_code == 503
        assert asked.result().status_code == 200
    installation.cloud.faults.clear()
    assert tools.podman("wait", container.name) == "0"


@pytest.mark.parametrize("name", NAMES)
def test_a_function_needs_no_rights_and_writes_nothing(run: Run, name: str) -> None:
    container = run(name)
    container.becomes("/_/ready", 200)
    path = tools.podman("exec", "-w", "/tmp", container.name, "python3", "-c", "import sys; print(sys.path)")
    script = (
        "grep -E '^(Uid|CapBnd|CapEff|NoNewPrivs)' /proc/1/status; find /tmp /dev/shm -type f; touch /opt/x || true"
    )

    user = tools.podman("inspect", "--format", "{{.Config.User}}", container.name)
    seen = tools.podman("exec", container.name, "sh", "-c", f"{{ {script}; }} 2>&1").split("\n")

    assert [entry for entry in literal_eval(path) if not entry.startswith(("/opt/", "/usr/"))] == []
    assert [int(part) > 0 for part in user.split(":")] == [True, True]
    assert [line.split()[-1].strip("0") for line in seen[:4]] == [user.split(":")[0], "", "", "1"]
    assert [line for line in seen[4:] if "Read-only file system" not in line] == []


@pytest.mark.parametrize("name", NAMES)
def test_an_image_holds_what_its_function_needs_and_all_of_that_is_compiled(run: Run, name: str) -> None:
    container = run(name)
    program = """
import json, pathlib, re, sys
from importlib.metadata import distributions
files = [p for p in pathlib.Path("/opt").rglob("*.py") if not p.is_symlink() and p.parent.name != "bin"]
compiled = lambda p: p.parent / "__pycache__" / f"{p.stem}.{sys.implementation.cache_tag}.pyc"
print(json.dumps({
    "distributions": sorted(re.sub("[-_.]+", "-", d.name.lower()) for d in distributions(path=sys.path[-1:])),
    "uncompiled": [str(p) for p in files if not compiled(p).exists()],
    "function": sorted(p.name for p in pathlib.Path("/opt/function").iterdir()),
    "packages": sorted(p.name for p in pathlib.Path(sys.path[-1]).iterdir()),
}))
"""
    found = json.loads(tools.podman("exec", container.name, "python3", "-c", program))
    lines = (repository() / "functions" / name / "requirements.txt").read_text().splitlines()
    wanted = {line.split("==")[0].split("[")[0] for line in lines if "==" in line}

    assert "instance-ha" in found["distributions"]
    assert set(found["distributions"]) - {"instance-ha"} <= wanted
    assert [path for path in found["uncompiled"] if "/site-packages/" not in path or "/instance_ha/" in path] == []
    assert found["function"] == ["__pycache__", "main.py"]
    assert set(found["packages"]) & {"local", "instance_ha_simulator", "tests", "bench", "pip"} == set()


def test_an_image_says_what_it_is_and_under_which_licence(build: Callable[..., str]) -> None:
    shown = tools.podman("image", "inspect", "--format", "{{json .Labels}}", build("api-segments"))
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in json.loads(shown).items()}

    assert (labels["title"], labels["licenses"]) == ("Masakari Functions", "Apache-2.0")
    assert {"description", "vendor", "version", "revision", "source"} <= labels.keys()


def test_libvirt_is_in_the_image_that_watches_guests_and_its_compiler_is_not(run: Run) -> None:
    container = run("monitor-guests")
    container.becomes("/_/ready", 200)
    script = "python3 -c 'import libvirt_qemu as l; print(l.__name__)'; command -v gcc; ls /usr/include/libvirt || true"

    seen = tools.podman("exec", container.name, "sh", "-c", f"{{ {script}; }} 2>&1")

    assert seen.split("\n")[0] == "libvirt_qemu"
    assert "gcc" not in seen
    assert "No such file" in seen


def test_no_secret_is_in_an_image_or_in_what_a_container_tells(
    run: Run, installation: Installation, secrets: Path
) -> None:
    containers = [run(name) for name in NAMES]
    for container in containers:
        container.becomes("/_/ready", 200)
    containers[0].get("/v1/segments", headers={"X-Auth-Token": installation.token()})
    requests.post(containers[1].url, signed(secrets)[1], headers=signed(secrets)[0], timeout=10)
    containers[1].get("/v1/segments?x=y")

    for container in containers:
        text = told(container)
        assert [secret[:4] for secret in installation.secrets() if secret in text] == []
        logged = [line for line in tools.logs(container.name).splitlines() if line]
        assert [line for line in logged if not line.startswith("{")] == []


STATES = """
import os, sys, time, urllib.error, urllib.request
for url in sys.argv[1:]:
    for _ in range(200):
        try:
            print(urllib.request.urlopen(url).status)
        except urllib.error.HTTPError as error:
            print(error.code)
        except OSError:
            time.sleep(0.05)
            continue
        break
print(os.environ["mode"], os.environ["prefix_logs"], os.environ["exec_timeout"])
"""


@contextmanager
def on_openfaas(secrets: Path, watchdog: bytes) -> Iterator[str]:
    """Run api-segments as on OpenFaaS, behind this program and without a network; yields the container's name."""
    folder = tools.FOLDER / "build" / "watchdog"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "fwatchdog").write_bytes(watchdog)
    (folder / "fwatchdog").chmod(0o755)
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY fwatchdog /fwatchdog\n")
    image, name = f"localhost/watchdog-{uuid4().hex[:8]}", f"openfaas-{uuid4().hex[:8]}"
    tools.buildah("bud", "-q", "-t", image, str(folder))
    variables = {"OS_CLOUD": "masakari", "OS_CLIENT_CONFIG_FILE": "/var/openfaas/secrets/clouds-yaml"}
    try:
        function = tools.build("api-segments", "openfaas", WATCHDOG_IMAGE=image)
        tools.start(function, name, secrets, variables, "--network", "none")
        yield name
    finally:
        tools.podman("rm", "-f", "-i", "-t", "0", name)


@pytest.mark.usefixtures("build")
def test_openfaas_gets_the_same_function_behind_a_stand_in_for_its_watchdog(secrets: Path) -> None:
    """What stands in for the watchdog does nothing.

    So this proves that the image starts its function where `upstream_url` says, that `ready_path` is one of its paths,
    and that the function starts the watchdog and ends it.
    """
    with on_openfaas(secrets, b"#!/bin/sh\nexec sleep 600\n") as name:
        urls = "http://127.0.0.1:5000/_/health", "http://127.0.0.1:5000/_/ready"
        said = tools.podman("exec", name, "python3", "-c", STATES, *urls).split()
        assert said[:2] == ["200", "503"]  # without a network there is no database
        assert (said[2:4], seconds(said[4])) == (["http", "false"], 60)
        tools.podman("kill", "--signal", "TERM", name)
        assert tools.podman("wait", name) == "0"


@pytest.mark.skipif("IMAGES_WATCHDOG" not in os.environ, reason="of OpenFaaS' own watchdog (IMAGES_WATCHDOG names it)")
@pytest.mark.usefixtures("build")
def test_openfaas_own_watchdog_hands_on_what_is_asked_and_its_lines_are_ours(secrets: Path) -> None:
    with on_openfaas(secrets, Path(os.environ["IMAGES_WATCHDOG"]).read_bytes()) as name:
        paths = "/_/health", "/_/ready", "/v1/segments"
        urls = [f"http://127.0.0.1:{port}{path}" for port in (8080, 5000) for path in paths]
        said = tools.podman("exec", name, "python3", "-c", STATES, *urls).split()
        assert said[:3] == said[3:6] == ["200", "503", "401"]
        tools.podman("kill", "--signal", "TERM", name)
        assert tools.podman("wait", name) == "0"
        logged = tools.logs(name).splitlines()
        assert any('"watchdog wrote"' in line for line in logged)
        assert [line for line in logged if not line.startswith("{")] == []
