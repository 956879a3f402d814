"""What an instance keeps from one request to the next."""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import clouds_yaml
from instance_ha_simulator.cloud.server import LoopbackServer

from local.files import repository
from local.hosting import Call, Isolated
from stack import Function


@dataclass
class Instance:
    """One instance of api-segments, whose database and cloud nobody else uses."""

    backend: Isolated
    cloud: Cloud
    database_url: str

    def list_segments(self) -> int:
        """Ask, with a token that was not seen before."""
        with self.cloud.world():
            admin = self.cloud.identity.users["admin"]
            token = self.cloud.identity.issue(admin, admin.project.id).id
        return self.backend.call("api-segments", Call("GET", "/v1/segments", {"X-Auth-Token": token})).code

    def connections(self) -> list[int]:
        """Name the servers of its connections to Postgres."""
        query = "SELECT pid FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with psycopg.connect(self.database_url) as connection:
            return sorted(row[0] for row in connection.execute(query))

    def logins(self) -> int:
        """Count how often somebody has asked Keystone for a token."""
        return self.cloud.requests["POST", "/identity/v3/auth/tokens"]


@pytest.fixture
def instance(database_url: str, tmp_path: Path) -> Iterator[Instance]:
    """A running instance."""
    cloud = Cloud(RealClock())
    server = LoopbackServer(create_app(cloud))
    server.start()
    clouds = tmp_path / "clouds.yaml"
    clouds.write_text(clouds_yaml(cloud, server.url))
    environ = os.environ | {
        "DATABASE_URL": database_url,
        "OS_CLIENT_CONFIG_FILE": str(clouds),
        "OS_CLOUD": "masakari",
        "INSTANCE_HA_SECRETS_DIR": str(tmp_path),
    }
    backend = Isolated([Function("api-segments", repository() / "functions/api-segments")], environ)
    yield Instance(backend, cloud, database_url)
    backend.stop()
    server.stop()


def test_a_warm_instance_keeps_its_database_connections_and_its_keystone_session(instance: Instance) -> None:
    assert instance.list_segments() == 200
    connections, logins = instance.connections(), instance.logins()

    assert {instance.list_segments() for _ in range(20)} == {200}

    assert (len(connections), logins) == (1, 1)
    assert (instance.connections(), instance.logins()) == (connections, logins)
