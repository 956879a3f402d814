"""What is checked when a function starts, and what it does not import then."""

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace

import pytest
from instance_ha import composition
from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings, load

ROOT = Path(__file__).parents[3]
HEAVY = (
    "boto3",
    "consul",
    "kubernetes",
    "libvirt",
    "yaml",
    "openstack",
    "keystoneauth1",
    "keystonemiddleware",
    "oslo_config",
    "oslo_policy",
    "prometheus_client",
    "requests",
    "webob",
)
NOAUTH = {"INSTANCE_HA_AUTH_STRATEGY": "noauth2"}
SIMULATED = {"OS_AUTH_TYPE": "none", "OS_COMPUTE_ENDPOINT_OVERRIDE": "http://127.0.0.1:1/compute/v2.1"}


def settings(**values: str) -> Settings:
    """Return settings."""
    return load({"DATABASE_URL": "postgresql://db/ha", **values})


def check(environ: dict[str, str], **values: str) -> None:
    """Check as an api function does."""
    composition.check(settings(**values), environ, cloud=True, events=False)


@pytest.mark.parametrize("cloud", [{"OS_CLOUD": "prod"}, {"OS_AUTH_URL": "https://keystone"}], ids=str)
def test_noauth_refuses_to_start_where_a_cloud_is_configured(cloud: dict[str, str]) -> None:
    with pytest.raises(Misconfigured, match="noauth2"):
        check({**cloud, **SIMULATED}, **NOAUTH)


def test_noauth_starts_beside_a_nova_without_keystone() -> None:
    check(SIMULATED, **NOAUTH)
    with pytest.raises(Misconfigured, match="OS_COMPUTE_ENDPOINT_OVERRIDE"):
        check({}, **NOAUTH)


def test_without_noauth_a_nova_without_keystone_is_no_cloud() -> None:
    with pytest.raises(Misconfigured, match="no cloud"):
        check(SIMULATED)


def test_a_policy_file_that_is_not_there_stops_the_start() -> None:
    with pytest.raises(Misconfigured, match="/no/policy"):
        composition.check_policy(settings(INSTANCE_HA_POLICY_FILE="/no/policy.yaml"))
    composition.check_policy(settings(INSTANCE_HA_POLICY_FILE="reader"))


_SERVE = """
import sys
from functions_framework import create_app
client = create_app({target!r}, {source!r}).test_client()
assert client.get("/_/health").status_code == 200
assert client.get("/").status_code in (200, 401, 404, 405, 503), client.get("/").status_code
print(*sorted({{name.split(".")[0] for name in sys.modules}}))
"""


@pytest.mark.parametrize(
    "name", ["api-segments", "api-hosts", "api-notifications", "monitor-poll", "monitor-guests", "purge"]
)
def test_a_function_imports_no_sdk_before_a_request_needs_it(name: str) -> None:
    code = _SERVE.format(target=name.replace("-", "_"), source=str(ROOT / "functions" / name / "main.py"))
    environ = {"DATABASE_URL": "postgresql://db/ha", "OS_CLOUD": "prod", "INSTANCE_HA_TRIGGER_SINK": "http://sink"}
    environ |= {"INSTANCE_HA_MONITORING_DRIVER": "consul", "INSTANCE_HA_CONSUL_AGENT_MANAGE": "10.0.0.1"}
    environ |= {"INSTANCE_HA_TRIGGER_KEY": "key", "PYTHONPATH": str(ROOT / "lib"), "INSTANCE_HA_LOG_LEVEL": "ERROR"}
    done = subprocess.run([sys.executable, "-c", code], env=environ, capture_output=True, text=True, check=True)
    assert set(HEAVY) & set(done.stdout.split()) == set()


@pytest.mark.parametrize(
    ("values", "words"),
    [
        ({"INSTANCE_HA_MONITORING_DRIVER": "consul"}, "no Consul agent"),
        ({"INSTANCE_HA_MONITORING_DRIVER": "kubernetes"}, "no Kubernetes"),
    ],
)
def test_a_driver_that_is_not_configured_stops_the_start(
    values: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("KUBERNETES_SERVICE_HOST", raising=False)
    with pytest.raises(Misconfigured, match=words):
        composition.check_monitoring(settings(**values))


def test_a_uri_that_is_none_stops_the_start_only_where_guests_are_watched() -> None:
    wrong = {"INSTANCE_HA_LIBVIRT_URI": "{nobody}"}
    composition.check_guests(settings(**wrong))
    with pytest.raises(Misconfigured, match="INSTANCE_HA_LIBVIRT_URI"):
        composition.check_guests(settings(**wrong, INSTANCE_HA_GUEST_MONITORING="true"))


def test_without_a_driver_nothing_of_it_is_checked() -> None:
    composition.check_monitoring(settings(INSTANCE_HA_CONSUL_AGENT_MANAGE="ftp://no"))


def test_an_instance_makes_its_world_once_and_a_client_once_however_many_requests_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[str] = []

    def policy(_settings: Settings) -> SimpleNamespace:
        time.sleep(0.05)
        made.append("policy")
        return SimpleNamespace(rules="rules")

    def database(_url: str, _size: int) -> SimpleNamespace:
        time.sleep(0.05)
        made.append("database")
        return SimpleNamespace(close=lambda: made.append("closed"))

    monkeypatch.setenv("DATABASE_URL", "postgresql://db/ha")
    monkeypatch.setattr(composition, "_policy", policy)
    monkeypatch.setattr(composition, "Database", database)
    composition.forget()

    with ThreadPoolExecutor(8) as requests:
        seen = list(requests.map(lambda _: composition.world().policy.rules, range(32)))  # type: ignore[attr-defined]
    composition.forget()

    assert seen == ["rules"] * 32
    assert made == ["database", "policy", "closed"]


def test_only_those_who_speak_to_aws_have_its_client() -> None:
    pinned = {file.parent.name: file.read_text() for file in (ROOT / "functions").glob("*/requirements.txt")}
    assert {name for name, text in pinned.items() if "\nboto3==" in text} == {"relay", "purge"}
