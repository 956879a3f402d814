"""One running installation for all clients, behind a proxy that writes down what they send; and one recovery."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import Any

import pytest

from local import clients
from local.runtime import without_cloud
from tests.clients.openstack_shell import OpenStackShell
from tests.clients.recorder import Recorder
from tests.followers import Aws
from tests.functions.conftest import Installation, closed, installed

Connect = Callable[..., Any]


@dataclass(frozen=True)
class Recovery:
    """A host died, and its three instances run again on another."""

    host: dict[str, Any]
    notification: dict[str, Any]
    servers: dict[str, str]  # names by id

    @property
    def uuid(self) -> str:
        """The notification's."""
        return str(self.notification["notification_uuid"])


@pytest.fixture(scope="package")
def installation(aws: Aws) -> Iterator[Installation]:
    """The running installation."""
    with installed(aws) as running:
        yield running


@pytest.fixture(scope="package")
def environ(installation: Installation) -> dict[str, str]:
    """The environment of the cloud's administrator."""
    clouds = {"OS_CLIENT_CONFIG_FILE": str(installation.runtime.clouds_yaml), "OS_CLOUD": "admin"}
    return without_cloud(os.environ) | clouds


@pytest.fixture(scope="package")
def shell(environ: dict[str, str]) -> Iterator[OpenStackShell]:
    """The commands of `openstack`, as the cloud's administrator."""
    made = OpenStackShell(environ)
    yield made
    made.close()


@pytest.fixture(scope="package")
def proxy(installation: Installation) -> Iterator[Recorder]:
    """The proxy, at the address that the catalogue has."""
    made = Recorder(installation.url)
    made.start()
    with catalogue(installation, f"{made.url}/v1"):
        yield made
    made.stop()


@pytest.fixture(autouse=True)
def recorder(proxy: Recorder) -> Recorder:
    """The proxy, without what it wrote down before this test."""
    proxy.exchanges.clear()
    return proxy


@pytest.fixture
def connect(installation: Installation) -> Connect:
    """Makes openstacksdk's connection of one of the cloud's users; options are as in clouds.yaml."""
    return partial(clients.connect, installation.runtime.clouds_yaml, app_name="tests")


@pytest.fixture
def ha(recorder: Recorder, connect: Connect) -> Any:
    """The instance_ha proxy of an administrator's openstacksdk, without a version in its configuration."""
    return connect("admin").instance_ha


@pytest.fixture
def segment(installation: Installation) -> dict[str, Any]:
    """A segment of its own."""
    return installation.segment()


@pytest.fixture
def host(installation: Installation, segment: dict[str, Any]) -> dict[str, Any]:
    """A host of its own, in the segment."""
    return installation.host(segment)


@pytest.fixture(scope="package")
def recovery(installation: Installation) -> Recovery:
    """A recovery that has finished."""
    segment = installation.segment()
    dead = installation.host(segment)
    installation.host(segment)
    servers = installation.cloud.boot(dead["name"], 3, metadata={"HA_Enabled": "True"})
    installation.cloud.kill_host(dead["name"])
    payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
    notification = closed(installation, installation.notification(dead, payload=payload), 60)
    assert notification["status"] == "finished"
    return Recovery(dead, notification, {server.id: server.name for server in servers})


@contextmanager
def catalogue(installation: Installation, url: str) -> Iterator[None]:
    """Have this address of instance-ha in the catalogue; it may hold %(project_id)s."""
    before, installation.cloud.instance_ha_url = installation.cloud.instance_ha_url, url
    try:
        yield
    finally:
        installation.cloud.instance_ha_url = before


def rebooted(number: int = 0) -> dict[str, Any]:
    """Return what makes a report one of a rebooted instance: nothing is done about it. Each number is another one."""
    instance = f"00000000-0000-4000-8000-{number:012}"
    payload = {"event": "REBOOT", "instance_uuid": instance, "vir_domain_event": "UNKNOWN"}
    return {"type": "VM", "payload": payload}


def made_in_turn(make: Callable[[int], dict[str, Any]], many: int) -> list[dict[str, Any]]:
    """Make so many things and return them in the order of lists: the newest first."""
    return [make(number) for number in range(many)][::-1]
