"""The two clouds that the contract is checked against, behind one interface."""

import os
import subprocess
import time
import uuid
from collections.abc import Callable
from typing import Any, TypeVar

import openstack
import requests
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.cloud.server import LoopbackServer

HOST = "compute4"  # the one host that these tests kill
T = TypeVar("T")


class Backend:
    """A cloud with hosts compute1 … compute4, by its Nova API."""

    limit = 15.0  # seconds to wait for anything

    def __init__(self, connection: Any) -> None:
        self.connection = connection
        self.session = connection.session
        self.aggregates: list[str] = []
        self.endpoint = self.session.get_endpoint(service_type="compute").rstrip("/")

    def call(self, method: str, path: str, body: Any = None, version: str = "2.94") -> requests.Response:
        """Send a request to Nova, whatever the answer."""
        headers = {"OpenStack-API-Version": f"compute {version}"}
        answer = self.session.request(self.endpoint + path, method, headers=headers, json=body, raise_exc=False)
        assert isinstance(answer, requests.Response)
        return answer

    def get(self, path: str, version: str = "2.94") -> Any:
        """Return the body of a successful answer."""
        answer = self.call("GET", path, version=version)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def act(self, server: str, action: str, argument: Any = None, version: str = "2.94") -> requests.Response:
        """Let the server do something."""
        return self.call("POST", f"/servers/{server}/action", {action: argument}, version)

    def server(self, server: str, version: str = "2.94") -> Any:
        """Return the server's fields."""
        return self.get(f"/servers/{server}", version)["server"]

    def service(self, host: str = HOST) -> Any:
        """Return the fields of the host's service."""
        (service,) = self.get(f"/os-services?host={host}&binary=nova-compute")["services"]
        return service

    def update_service(self, **changes: Any) -> requests.Response:
        """Change the service of HOST."""
        return self.call("PUT", f"/os-services/{self.service()['id']}", changes)

    def migrations(self, server: str) -> list[Any]:
        """Return the server's migration records."""
        path = f"/os-migrations?migration_type=evacuation&instance_uuid={server}"
        return list(self.get(path)["migrations"])

    def wait(self, probe: Callable[[], T]) -> T:
        """Wait until the probe returns something."""
        end = time.monotonic() + self.limit
        while not (result := probe()):
            assert time.monotonic() < end, "waited too long"
            time.sleep(0.1)
        return result

    def wait_idle(self, server: str) -> Any:
        """Wait until the server is where its last evacuation brought it, and Nova is done with it."""

        def probe() -> Any:
            # The record first: it is done only after the server has its new host.
            if any(m["status"] in ("accepted", "pre-migrating") for m in self.migrations(server)):
                return None
            now = self.server(server)
            return None if now["OS-EXT-STS:task_state"] else now

        return self.wait(probe)

    def boot(self, count: int) -> list[str]:
        """Have that many servers on HOST."""
        raise NotImplementedError

    def boot_in_zone(self, zone: str) -> str:
        """Have a server on HOST that must stay in this zone."""
        raise NotImplementedError

    def delete_servers(self) -> None:
        """Delete all servers of these tests."""
        raise NotImplementedError

    def make_zone(self) -> str:
        """Make an availability zone that has no host but HOST."""
        name = f"contract-{uuid.uuid4().hex[:8]}"
        wanted = {"aggregate": {"name": name, "availability_zone": name}}
        path = f"/os-aggregates/{self.call('POST', '/os-aggregates', wanted).json()['aggregate']['id']}"
        self.aggregates.append(path)
        assert self.call("POST", f"{path}/action", {"add_host": {"host": HOST}}).status_code == 200
        return name

    def kill(self) -> None:
        """Let HOST die."""
        raise NotImplementedError

    def start(self) -> None:
        """Let HOST come back."""
        raise NotImplementedError

    def kill_and_force_down(self) -> None:
        """Let HOST die, and tell Nova."""
        self.kill()
        assert self.update_service(forced_down=True).status_code == 200

    def clean_up(self) -> None:
        """Remove what a test has made, and bring HOST back."""
        self.start()
        self.wait(lambda: self.update_service(forced_down=False).status_code == 200)
        self.wait(lambda: self.service()["state"] == "up")
        assert self.update_service(status="enabled").status_code == 200
        self.delete_servers()
        while self.aggregates:
            path = self.aggregates.pop()
            self.call("POST", f"{path}/action", {"remove_host": {"host": HOST}})
            assert self.call("DELETE", path).status_code == 200

    def close(self) -> None:
        """End the session."""
        self.connection.close()


class SimBackend(Backend):
    """The simulated cloud, fast, over HTTP."""

    def __init__(self) -> None:
        options = CloudOptions(
            report_interval=0.1,
            service_down_time=1.0,
            evacuate_seconds=1.0,
            stop_seconds=0.1,
            start_seconds=0.1,
            startup_seconds=0.1,
            disable_rpc_timeout=1.0,
        )
        self.cloud = Cloud(RealClock(), options)
        for number in range(1, 5):
            self.cloud.add_host(f"compute{number}")
        self.http = LoopbackServer(create_app(self.cloud))
        self.http.start()
        admin = self.cloud.identity.users["admin"]
        super().__init__(
            openstack.connect(
                auth_url=f"{self.http.url}/identity/v3",
                username=admin.name,
                password=admin.password,
                project_name=admin.project.name,
                user_domain_id="default",
                project_domain_id="default",
                region_name="RegionOne",
                load_envvars=False,  # which may name the real cloud
                load_yaml_config=False,
            )
        )

    def boot(self, count: int) -> list[str]:
        owner = self.cloud.identity.users["admin"].project.id
        names = [f"contract-{uuid.uuid4().hex[:8]}" for _ in range(count)]
        return [server.id for server in self.cloud.boot(HOST, names, project_id=owner)]

    def kill(self) -> None:
        self.cloud.kill_host(HOST)

    def start(self) -> None:
        self.cloud.start_host(HOST)

    def boot_in_zone(self, zone: str) -> str:
        return self.cloud.boot(HOST, zone=zone)[0].id

    def delete_servers(self) -> None:
        for server in self.cloud.servers():
            self.cloud.delete_server(server.id)

    def close(self) -> None:
        super().close()
        self.http.stop()


class LabBackend(Backend):
    """The real cloud named by LAB_CLOUD, with the scripts in LAB_SRC."""

    limit = 120.0

    def __init__(self) -> None:
        super().__init__(openstack.connect(cloud=os.environ["LAB_CLOUD"]))
        self.dead = False

    @staticmethod
    def script(line: str) -> None:
        command = f'. "$LAB_SRC/env.sh" && "$LAB_SRC"/{line}'
        subprocess.run(["bash", "-c", command], check=True, stdout=subprocess.DEVNULL, timeout=300)

    def boot(self, count: int) -> list[str]:
        return self._boot(count, {"host": HOST})

    def boot_in_zone(self, zone: str) -> str:
        return self._boot(1, {"availability_zone": zone})[0]

    def _boot(self, count: int, where: dict[str, str]) -> list[str]:
        """Boot again and again: the scheduler takes a while to use a host that has just come back."""
        for _ in range(10):
            found = self._boot_once(count, where)
            if all(server["status"] == "ACTIVE" for server in found):
                return [server["id"] for server in found]
            self.delete_servers()
            time.sleep(3)
        raise AssertionError(f"no server on {HOST}")

    def _boot_once(self, count: int, where: dict[str, str]) -> list[Any]:
        name = f"contract-{uuid.uuid4().hex[:8]}"
        wanted = {
            "name": name,
            "imageRef": self.connection.image.find_image("tiny").id,
            "flavorRef": self.connection.compute.find_flavor("tiny").id,
            "networks": "none",
            "min_count": count,
            "max_count": count,
            **where,
        }
        assert self.call("POST", "/servers", {"server": wanted}).status_code == 202

        def probe() -> list[Any]:
            found = list(self.get(f"/servers/detail?all_tenants=1&name={name}")["servers"])
            settled = all(server["status"] in ("ACTIVE", "ERROR") for server in found)
            return found if len(found) == count and settled else []

        return self.wait(probe)

    def kill(self) -> None:
        self.dead = True
        self.script(f"kill-compute.sh {HOST} --power")

    def start(self) -> None:
        if self.dead:
            self.script(f"start-compute.sh {HOST}")
        self.dead = False

    def delete_servers(self) -> None:
        self.script("boot-vms.py --delete --name contract-")
