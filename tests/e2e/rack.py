"""Three hosts in a segment, and instances on the first of them, which dies."""

import time
from collections import Counter
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest

from local.clients import connect
from local.runtime import Runtime

_FINAL = {"finished", "failed", "ignored"}


@dataclass(frozen=True)
class Rack:
    """The hosts, and the client with which all is asked."""

    runtime: Runtime
    ha: Any
    segment: str
    hosts: tuple[str, ...]
    instances: frozenset[str]

    def fail(self) -> str:
        """Let the first host die, and post what a monitor would; returns the notification's uuid."""
        self.runtime.cloud.kill_host(self.hosts[0])
        payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        now = datetime.now(UTC).replace(tzinfo=None).isoformat()
        made = self.ha.create_notification(
            type="COMPUTE_HOST", hostname=self.hosts[0], generated_time=now, payload=payload
        )
        return str(made.notification_uuid)

    def wait(self, uuid: str, limit: float = 90.0) -> str:
        """Wait until the notification is final; returns its status."""
        until = time.monotonic() + limit
        while time.monotonic() < until:
            status = str(self.ha.get_notification(uuid).status)
            if status in _FINAL:
                return status
            time.sleep(0.1)
        pytest.fail(f"not final after {limit} s")

    def servers(self) -> list[Any]:
        """Return the instances as Nova shows them."""
        return [server for server in self.runtime.cloud.servers() if server.id in self.instances]

    def seen(self) -> set[tuple[str, bool]]:
        """Return which status the instances have, and whether they are on the first host still."""
        return {(server.status, server.host == self.hosts[0]) for server in self.servers()}

    def evacuations(self) -> list[int]:
        """Count the requests to evacuate each instance for which there was any."""
        asked = Counter(request.server_id for request in self.runtime.cloud.evacuation_requests)
        return [asked[uuid] for uuid in self.instances if asked[uuid]]


def prepare(runtime: Runtime, instances: int) -> Rack:
    """Register hosts that nobody has seen before, and boot instances on the first one."""
    ha = connect(runtime.clouds_yaml, "admin").instance_ha
    hosts = tuple(f"compute{number}-{uuid4().hex[:6]}" for number in (1, 2, 3))
    segment = ha.create_segment(name="one", recovery_method="auto", service_type="COMPUTE")
    for host in hosts:
        runtime.cloud.add_host(host)
        ha.create_host(segment.uuid, name=host, type="COMPUTE", control_attributes="SSH")
    booted = runtime.cloud.boot(hosts[0], instances, metadata={"HA_Enabled": "True"})
    return Rack(runtime, ha, segment.uuid, hosts, frozenset(server.id for server in booted))
