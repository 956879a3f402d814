"""What comes through the gateway of an OpenFaaS site, and what does not."""

import json
import os
import socket
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests
from instance_ha_simulator.files import temporary_state_dir

from local.clients import connect
from local.runtime import Options, Runtime, without_cloud
from tests.gateways.conftest import Front

UUID = "9f0b4a2c-0000-4000-8000-000000000001"
ROUTES = {
    "/": "api-segments",
    "/v1": "api-segments",
    "/v1/": "api-segments",
    "/openapi.json": "api-segments",
    "/anything/else": "api-segments",
    "/v1/segments": "api-segments",
    f"/v1/segments/{UUID}": "api-segments",
    f"/v1/0123456789abcdef/segments/{UUID}": "api-segments",
    f"/v1/segments/{UUID}/hosts": "api-hosts",
    f"/v1/segments/{UUID}/hosts/{UUID}": "api-hosts",
    f"/v1/0123456789abcdef/segments/{UUID}/hosts": "api-hosts",
    "/v1/notifications": "api-notifications",
    f"/v1/notifications/{UUID}/vmoves/{UUID}": "api-notifications",
    "/v1/x-instance-ha/purge": "purge",
    "/v1/x-instance-ha/plans": "api-hosts",
    f"/v1/x-instance-ha/explanations/{UUID}": "api-notifications",
    f"/v1/x-instance-ha/incidents/{UUID}": "api-notifications",
    "/function/recover-host": "api-segments",  # as an unknown path of the API
    "/async-function/recover-host": "api-segments",
    "/system/functions": "api-segments",
}


@pytest.fixture(scope="session")
def address(front: Front, echo: int) -> str:
    """The gateway before the echo."""
    return front(echo)


def raw(address: str, path: str) -> tuple[int, Any]:
    """Ask for a path that no client would send as it is."""
    parts = urlsplit(address)
    with socket.create_connection((parts.hostname, parts.port), timeout=10) as connection:
        connection.sendall(f"GET {path} HTTP/1.1\r\nHost: {parts.netloc}\r\nConnection: close\r\n\r\n".encode())
        answer = b"".join(iter(lambda: connection.recv(65536), b""))
    head, _, body = answer.partition(b"\r\n\r\n")
    code = int(head.split()[1])
    return code, json.loads(body) if code == 200 else None


@pytest.mark.parametrize(("path", "function"), ROUTES.items())
def test_a_public_path_goes_whole_to_its_function(address: str, path: str, function: str) -> None:
    answer = requests.get(f"{address}{path}?limit=1&marker=a%20b", timeout=10).json()

    assert answer["path"] == f"/function/{function}{path}?limit=1&marker=a%20b"


@pytest.mark.parametrize(
    "path",
    ["/_", "/_/", "/_/ready", "/_/health", "/_/metrics", "//_/ready", "/%5F/ready", "/%5f%2Fready", "/v1/../_/ready",
     "/./_/ready", "/v1/..%2f_/ready", "/v1/%2e%2e/_/ready"],
)  # fmt: skip
def test_what_is_the_platforms_is_not_public(address: str, path: str) -> None:
    assert raw(address, path)[0] in (400, 404)


@pytest.mark.parametrize(
    "path",
    [
        "/v1/segments/../../../../system/functions",
        "/v1/segments/../../function/recover-host",
        "/../recover-host",
        "/..%2frecover-host",
        "/%2e%2e/recover-host/",
        "/v1/segments/x%0a/hosts/../../../../recover-host",
        "/v1/segments/%3f/hosts",
        "/v1/notifications%0a",
        "/v1//segments",
    ],
)
def test_no_path_leaves_its_function(address: str, path: str) -> None:
    code, received = raw(address, path)

    if code == 200:
        way = received["path"].split("?")[0]
        assert way.startswith(("/function/api-segments/", "/function/api-hosts/", "/function/api-notifications/"))
        assert "/../" not in way and "%2e" not in way.lower() and "//" not in way
        assert "\n" not in way
    else:
        assert code in (400, 404)


def test_the_function_is_told_the_public_address_whatever_the_caller_claims(address: str) -> None:
    claimed = {"X-Forwarded-Host": "evil.test", "X-Forwarded-For": "10.0.0.1", "X-Forwarded-Proto": "gopher"}
    claimed |= {"X-Forwarded-Prefix": "/evil"}

    received = requests.get(f"{address}/v1", headers=claimed, timeout=10).json()["headers"]

    assert received["x-forwarded-host"] == urlsplit(address).netloc
    assert (received["x-forwarded-proto"], received["x-forwarded-for"]) == ("http", "127.0.0.1")
    assert not received.get("x-forwarded-prefix")


def test_a_body_and_the_headers_of_the_api_come_through(address: str) -> None:
    given = {"X-Auth-Token": "t" * 9000, "OpenStack-API-Version": "instance-ha 1.3"}

    received = requests.post(f"{address}/v1/notifications", data=b"x" * 100_000, headers=given, timeout=10).json()

    assert received["method"] == "POST"
    assert {key: received["headers"][key.lower()] for key in given} == given


def test_a_client_works_through_it_and_gets_links_to_it(front: Front) -> None:
    environ = without_cloud(os.environ)
    with temporary_state_dir() as folder, Runtime(Options(folder, port=0, durable=False, environ=environ)) as runtime:
        address = front(runtime.port)
        ha: Any = connect(runtime.clouds_yaml, "admin", instance_ha_endpoint_override=f"{address}/v1").instance_ha
        segment = ha.create_segment(name="one", recovery_method="auto", service_type="COMPUTE")
        runtime.cloud.add_host("compute1")
        host = ha.create_host(segment.uuid, name="compute1", type="COMPUTE", control_attributes="SSH")

        assert [found.uuid for found in ha.hosts(segment.uuid)] == [host.uuid]
        assert address in requests.get(f"{address}/", timeout=10).text
        assert requests.get(f"{address}/_/ready", timeout=10).status_code == 404
        assert requests.post(f"{address}/function/sweep", timeout=10).status_code in (401, 404, 405)
