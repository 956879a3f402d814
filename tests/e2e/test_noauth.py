"""The demo without Keystone: everybody is an administrator, on a simulated cloud and nowhere else."""

from typing import Any

import pytest
import requests
from instance_ha.models.errors import Misconfigured

from local.runtime import Options, Runtime

NOAUTH = {"auth_strategy": "noauth2"}


@pytest.fixture(autouse=True)
def _no_cloud(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("OS_CLOUD", "OS_AUTH_URL", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


def test_without_keystone_everybody_may_do_all(state_dir: Any) -> None:
    with Runtime(Options(state_dir, port=0, durable=False, settings=NOAUTH)) as runtime:
        runtime.cloud.add_host("compute1")
        body = {"segment": {"name": "one", "recovery_method": "auto", "service_type": "COMPUTE"}}
        segment = requests.post(f"{runtime.url}/v1/segments", json=body, timeout=30).json()["segment"]
        host = {"host": {"name": "compute1", "type": "COMPUTE", "control_attributes": "SSH"}}
        hosts = f"{runtime.url}/v1/0a1b/segments/{segment['uuid']}/hosts"
        answer = requests.post(hosts, json=host, headers={"X-Auth-Token": "eve:0a1b"}, timeout=30)
        unknown = requests.post(hosts.replace("/0a1b", ""), json={"host": host["host"] | {"name": "x"}}, timeout=30)
    assert answer.status_code == 201
    assert unknown.status_code == 400  # Nova was asked


def test_noauth_does_not_start_where_a_cloud_is_configured(state_dir: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OS_AUTH_URL", "https://keystone.example.org")
    with pytest.raises(Misconfigured, match="noauth2"), Runtime(Options(state_dir, port=0, settings=NOAUTH)):
        pass
