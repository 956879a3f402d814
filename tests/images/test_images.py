"""Functions in their images: as little allowed as possible, and they still work."""

import json
import os
import time
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
FUNCTIONS = sorted(path.parent.name for path in (repository() / "functions").glob("*/main.py"))
MOST = 200_000_000


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


RIGHTS = """
import json, os, pathlib, sys
status = dict(line.split(":", 1) for line in pathlib.Path("/proc/1/status").read_text().splitlines())
try:
    pathlib.Path("/opt/x").touch()
except OSError as error:
    refused = error.strerror
print(json.dumps({
    "path": sys.path,
    "rights": [status[name].split()[-1].strip("0") for name in ("Uid", "CapBnd", "CapEff", "NoNewPrivs")],
    "written": [file for folder in ("/tmp", "/dev/shm") for _, _, files in os.walk(folder) for file in files],
    "refused": refused,
}))
"""


@pytest.mark.parametrize("name", NAMES)
def test_a_function_needs_no_rights_and_writes_nothing(run: Run, name: str) -> None:
    container = run(name)
    container.becomes("/_/ready", 200)
    user = tools.podman("inspect", "--format", "{{.Config.User}}", container.name)

    found = container.told_by(RIGHTS)

    assert [int(part) > 0 for part in user.split(":")] == [True, True]
    assert found["rights"] == [user.split(":")[0], "", "", "1"]
    assert (found["written"], found["refused"]) == ([], "Read-only file system")
    assert [entry for entry in found["path"] if not entry.startswith(("/opt/", "/usr/"))] == []


CONTENT = """
import json, os, pathlib, re, sys
from importlib.metadata import distributions
folders = pathlib.Path(os.__file__).parent, pathlib.Path("/opt")
files = [p for f in folders for p in f.rglob("*.py") if not p.is_symlink() and p.parent.name != "bin"]
compiled = lambda p: p.parent / "__pycache__" / f"{p.stem}.{sys.implementation.cache_tag}.pyc"
unchecked = lambda p: p.exists() and p.read_bytes()[4:8] == bytes([1, 0, 0, 0])
print(json.dumps({
    "distributions": sorted(re.sub("[-_.]+", "-", d.name.lower()) for d in distributions(path=sys.path[-1:])),
    "uncompiled": [str(p) for p in files if not unchecked(compiled(p))],
    "function": sorted(p.name for p in pathlib.Path("/opt/function").iterdir()),
    "packages": sorted(p.name for p in pathlib.Path(sys.path[-1]).iterdir()),
    "tests": [str(p) for p in pathlib.Path("/opt").rglob("tests")],
    "programs": sorted(p.name for f in ("/usr/bin", "/usr/sbin", "/usr/local/bin") for p in pathlib.Path(f).glob("*")),
}))
"""


@pytest.mark.parametrize("name", NAMES)
def test_an_image_holds_what_its_function_needs_and_all_of_that_is_compiled(run: Run, name: str) -> None:
    container = run(name)
    found = container.told_by(CONTENT)
    lines = (repository() / "functions" / name / "requirements.txt").read_text().splitlines()
    wanted = {line.split("==")[0].split("[")[0] for line in lines if "==" in line}

    assert "instance-ha" in found["distributions"]
    assert set(found["distributions"]) - {"instance-ha"} <= wanted
    assert found["uncompiled"] == []
    assert found["function"] == ["__pycache__", "main.py"]
    assert set(found["packages"]) & {"local", "instance_ha_simulator", "tests", "bench", "pip", "setuptools"} == set()
    assert found["tests"] == []
    assert [program for program in found["programs"] if not program.startswith("python3")] == []


MISSING = """
import ctypes, importlib, json, pathlib, pkgutil
import instance_ha
missing = {}
for file in [file for folder in ("/opt", "/usr") for file in pathlib.Path(folder).rglob("*.so*")]:
    try:
        ctypes.CDLL(str(file))
    except OSError as error:
        missing[str(file)] = str(error)
for module in pkgutil.walk_packages(instance_ha.__path__, "instance_ha."):
    try:
        if not module.name.endswith(".__main__") and ".migrations." not in module.name:
            importlib.import_module(module.name)
    except ModuleNotFoundError as error:
        missing[module.name] = error.name
print(json.dumps(missing))
"""


@pytest.mark.parametrize("name", FUNCTIONS)
def test_an_image_has_at_most_200_mb_and_all_that_its_modules_and_libraries_load(
    build: Callable[..., str], name: str
) -> None:
    image = build(name)
    lines = (repository() / "functions" / name / "requirements.txt").read_text()

    missing = json.loads(tools.python(image, MISSING))

    for module, what in missing.items():  # a module of another function needs what that one requires
        assert module.startswith("instance_ha.") and "." not in what and f"\n{what}==" not in lines, (module, what)
    assert int(tools.podman("image", "inspect", "--format", "{{.Size}}", image)) <= MOST


def test_an_image_says_what_it_is_and_under_which_licence(build: Callable[..., str]) -> None:
    shown = tools.podman("image", "inspect", "--format", "{{json .Labels}}", build("api-segments"))
    labels = {name.removeprefix("org.opencontainers.image."): text for name, text in json.loads(shown).items()}

    assert (labels["title"], labels["licenses"]) == ("Masakari Functions", "Apache-2.0")
    assert {"description", "vendor", "version", "revision", "source"} <= labels.keys()


def test_libvirt_is_in_the_image_that_watches_guests_and_its_compiler_is_not(run: Run) -> None:
    container = run("monitor-guests")
    container.becomes("/_/ready", 200)
    program = """
import json, libvirt_qemu, pathlib
found = [str(p) for p in (pathlib.Path("/usr/include/libvirt"), pathlib.Path("/usr/bin/gcc")) if p.exists()]
print(json.dumps([libvirt_qemu.__name__, found]))
"""

    assert container.told_by(program) == ["libvirt_qemu", []]


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
    with on_openfaas(secrets, b"#!/opt/venv/bin/python3\nimport time\ntime.sleep(600)\n") as name:
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
