"""The console on a simulated cloud with things to see, for a real browser: its tests, and its screenshots."""

import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any

import requests
from instance_ha.store.database import Database
from instance_ha_simulator.files import temporary_state_dir
from sqlalchemy import text

from local.runtime import Options, Runtime, without_cloud

_CLOUD = {"report_interval": 0.5, "service_down_time": 1.5, "evacuate_seconds": 1.0}
_SETTINGS = {"log_level": "ERROR", "host_failure_recovery_threads": "3", "console_refresh_interval": "1"}
_DEAD = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}


class Stage:
    """A running installation, and what happens to its hosts."""

    def __init__(self, runtime: Runtime) -> None:
        self.url = runtime.url
        self.console = f"{runtime.url}/console/"
        self.cloud = runtime.cloud
        self.user = runtime.cloud.identity.users["admin"]
        self.database = Database(runtime.database_url)
        self._cron_token = (runtime.options.state_dir / "secrets/cron-token").read_text().strip()
        self._hosts = 0

    def call(self, method: str, path: str, body: Any = None) -> Any:
        """Call the API as the administrator."""
        with self.cloud.world():
            token = self.cloud.identity.issue(self.user, self.user.project.id).id
        headers = {"X-Auth-Token": token, "OpenStack-API-Version": "instance-ha 1.3"}
        answer = requests.request(method, f"{self.url}/v1{path}", json=body, headers=headers, timeout=30)
        assert answer.ok, answer.text
        return answer.json() if answer.content else None

    def segment(self, name: str, hosts: int, instances: int, **policy: Any) -> list[dict[str, Any]]:
        """Have a segment of so many hosts with so many instances each; returns the hosts."""
        body = {"name": name, "recovery_method": "auto", "service_type": "COMPUTE"}
        segment = self.call("POST", "/segments", {"segment": body})["segment"]
        if policy:
            self.call("PUT", f"/x-instance-ha/policies/{segment['uuid']}", {"policy": policy})
        return [self._host(segment, instances) for _ in range(hosts)]

    def _host(self, segment: dict[str, Any], instances: int) -> dict[str, Any]:
        self._hosts += 1
        name = f"compute{self._hosts:02}"
        self.cloud.add_host(name)
        for number in range(instances):
            metadata = {"HA_Priority": str(number % 3 * 10)}
            self.cloud.boot(name, [f"vm-{self._hosts:02}-{number:02}"], metadata=metadata, on_volume=number % 6 != 0)
        body = {"name": name, "type": "COMPUTE", "control_attributes": "SSH"}
        return dict(self.call("POST", f"/segments/{segment['uuid']}/hosts", {"host": body})["host"])

    def kill(self, host: dict[str, Any]) -> str:
        """Let a host die, and report it; returns the uuid of its notification."""
        self.cloud.kill_host(host["name"])
        now = datetime.now(UTC).replace(tzinfo=None).isoformat()
        body = {"type": "COMPUTE_HOST", "hostname": host["name"], "generated_time": now, "payload": _DEAD}
        return str(self.call("POST", "/notifications", {"notification": body})["notification"]["notification_uuid"])

    def await_status(self, uuid: str, status: str, seconds: float = 60) -> None:
        """Wait until a notification has a status, or is ``held``."""
        until = time.monotonic() + seconds
        query = text("SELECT status, held_since IS NOT NULL FROM notifications WHERE notification_uuid = :uuid")
        while time.monotonic() < until:
            with self.database.read() as connection:
                now, is_held = connection.execute(query, {"uuid": uuid}).one()
            if (status == "held" and is_held) or now == status:
                return
            time.sleep(0.1)
        raise AssertionError(f"it is not {status} after {seconds:.0f} s")

    def tick(self, function: str) -> None:
        """Let a scheduled function tick."""
        headers = {"Authorization": f"Bearer {self._cron_token}"}
        requests.post(f"{self.url}/function/{function}", headers=headers, timeout=60)

    def sql(self, statement: str, **values: Any) -> None:
        """Change rows as no request could."""
        with self.database.begin() as connection:
            connection.execute(text(statement), values)


@contextmanager
def stage(**sim: Any) -> Iterator[Stage]:
    """Run one; ``sim`` are options of the simulated cloud."""
    with temporary_state_dir() as folder:
        options = Options(
            folder, 0, durable=False, sim=_CLOUD | sim, settings=_SETTINGS, environ=without_cloud(os.environ)
        )
        with Runtime(options) as runtime:
            made = Stage(runtime)
            yield made
            made.database.close()
