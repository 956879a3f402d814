"""The demo without Keystone: everybody is an administrator, on a simulated cloud and nowhere else."""

import os
import re
from typing import Any

import pytest
import requests
from instance_ha.models.errors import Misconfigured

from local.runtime import Options, Runtime, without_cloud

NOAUTH = {"auth_strategy": "noauth2"}


def test_without_keystone_everybody_may_do_all(state_dir: Any) -> None:
    environ = without_cloud(os.environ)
    with Runtime(Options(state_dir, port=0, durable=False, settings=NOAUTH, environ=environ)) as runtime:
        runtime.cloud.add_host("compute1")
        body = {"segment": {"name": "one", "recovery_method": "auto", "service_type": "COMPUTE"}}
        segment = requests.post(f"{runtime.url}/v1/segments", json=body, timeout=30).json()["segment"]
        host = {"host": {"name": "compute1", "type": "COMPUTE", "control_attributes": "SSH"}}
        hosts = f"{runtime.url}/v1/0a1b/segments/{segment['uuid']}/hosts"
        answer = requests.post(hosts, json=host, headers={"X-Auth-Token": "eve:0a1b"}, timeout=30)
        console = f"{runtime.url}/console/login"
        browser = requests.Session()
        key = re.search(r'name="form_key" value="([^"]+)"', browser.get(console, timeout=30).text)
        assert key is not None
        any_login = {"form_key": key[1], "user": "eve", "password": "any", "project": "p", "user_domain": "d"}
        seen = browser.post(console, any_login | {"project_domain": "d"}, timeout=30)
        unknown = requests.post(hosts.replace("/0a1b", ""), json={"host": host["host"] | {"name": "x"}}, timeout=30)
    assert answer.status_code == 201
    assert "eve, project p" in seen.text
    assert unknown.status_code == 400  # Nova was asked


def test_noauth_does_not_start_where_a_cloud_is_configured(state_dir: Any) -> None:
    environ = without_cloud(os.environ) | {"OS_AUTH_URL": "https://keystone.example.org"}
    runtime = Runtime(Options(state_dir, port=0, settings=NOAUTH, environ=environ))
    with pytest.raises(Misconfigured, match="noauth2"):
        runtime.start()
