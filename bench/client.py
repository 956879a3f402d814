"""What a caller does: registers hosts, reports failures, reads."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import requests

from local.clients import connect

HOSTS = ("compute1", "compute2", "compute3", "compute4")
DEAD = HOSTS[0]
_SIDE_BY_SIDE = 4


class Operator:
    """An administrator with openstacksdk."""

    def __init__(self, clouds_yaml: Path) -> None:
        self._connection: Any = connect(clouds_yaml, "admin")
        self._ha = self._connection.instance_ha
        self.segment = ""

    def register(self) -> None:
        """Make a segment of all hosts."""
        self.segment = self._ha.create_segment(name="bench", recovery_method="auto", service_type="COMPUTE").uuid
        for host in HOSTS:
            self._ha.create_host(self.segment, name=host, type="COMPUTE", control_attributes="SSH")

    def report(self) -> str:
        """Report the dead host; returns the notification's uuid."""
        payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        now = datetime.now(UTC).replace(tzinfo=None).isoformat()
        return str(
            self._ha.create_notification(
                type="COMPUTE_HOST", hostname=DEAD, generated_time=now, payload=payload
            ).notification_uuid
        )

    def status(self, notification: str) -> str:
        """Read a notification's status."""
        return str(self._ha.get_notification(notification).status)

    def call(self, base_url: str, paths: Sequence[str]) -> list[int]:
        """Ask for paths, some at once; returns the codes."""
        headers = {"X-Auth-Token": str(self._connection.auth_token)}

        def ask(path: str) -> int:
            return requests.get(f"{base_url}{path}", headers=headers, timeout=30).status_code

        with ThreadPoolExecutor(_SIDE_BY_SIDE) as pool:
            return list(pool.map(ask, paths))

    def write(self, number: int) -> None:
        """Create a segment, change it, delete it: three requests."""
        made: Any = self._ha.create_segment(name=f"bench-{number}", recovery_method="auto", service_type="COMPUTE")
        self._ha.update_segment(made.uuid, description="changed")
        self._ha.delete_segment(made.uuid)
