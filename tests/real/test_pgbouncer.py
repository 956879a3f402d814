"""A whole recovery by separate instances that share three connections to Postgres, behind a pgbouncer."""

import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import free_port, temporary_state_dir
from sqlalchemy import make_url

from local.hosting import Isolated
from local.runtime import Options, Runtime, without_cloud
from tests.e2e.rack import prepare
from tests.real.conftest import part

_SERVER_CONNECTIONS = 3
_OF_CLOUD = {"report_interval": 1.0, "service_down_time": 2.0, "evacuate_seconds": 0.5}
_CONFIGURATION = """
[databases]
* = host=127.0.0.1 port={postgres}
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = {port}
unix_socket_dir =
auth_type = scram-sha-256
auth_file = {folder}/users
admin_users = {user}
pool_mode = transaction
default_pool_size = {connections}
"""


@dataclass(frozen=True)
class Pooled:
    """A Postgres, and the pgbouncer before it."""

    direct: str
    url: str

    def server_connections(self) -> int:
        """Count what Postgres sees of our database."""
        with psycopg.connect(self.direct) as connection:
            query = (
                "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
            )
            row = connection.execute(query).fetchone()
            assert row is not None
            return int(row[0])

    def client_connections(self) -> int:
        """Count who is connected to pgbouncer."""
        console = make_url(self.url).set(database="pgbouncer").render_as_string(hide_password=False)
        with psycopg.connect(console, autocommit=True, cursor_factory=psycopg.ClientCursor) as connection:
            return len(connection.execute("SHOW CLIENTS").fetchall()) - 1


@pytest.fixture
def pooled(processes: list[subprocess.Popen[bytes]]) -> Iterator[Pooled]:
    """Postgres behind pgbouncer, which pools transactions."""
    program = part("usr/sbin/pgbouncer")
    with temporary_state_dir() as folder, EmbeddedPostgres(folder, durable=False) as postgres:
        direct, port = make_url(postgres.dsn), free_port()
        (folder / "users").write_text(f'"{direct.username}" "{direct.password}"\n')
        values = {"postgres": direct.port, "port": port, "folder": folder, "user": direct.username}
        (folder / "pgbouncer.ini").write_text(_CONFIGURATION.format(**values, connections=_SERVER_CONNECTIONS))
        # It refuses to run as root, and another user may not look into the folder of the repository.
        copied = shutil.copy2(program, folder)
        process = subprocess.Popen([copied, str(folder / "pgbouncer.ini")], user="nobody", stderr=subprocess.DEVNULL)
        processes.append(process)
        made = Pooled(postgres.dsn, direct.set(port=port).render_as_string(hide_password=False))
        _await(made)
        yield made
        process.terminate()
        process.wait(10)


def _await(pooled: Pooled) -> None:
    until = time.monotonic() + 10
    while True:
        try:
            psycopg.connect(pooled.url).close()
        except psycopg.OperationalError:
            assert time.monotonic() < until, "pgbouncer does not answer"
            time.sleep(0.05)
        else:
            return


@pytest.fixture
def runtime(pooled: Pooled, tmp_path: Path) -> Iterator[Runtime]:
    """The product on it, migrations and all, each function in a process of its own."""
    environ = without_cloud(os.environ) | {"DATABASE_URL": pooled.url}
    with Runtime(Options(tmp_path, port=0, hosting=Isolated, sim=_OF_CLOUD, environ=environ)) as running:
        yield running


def test_a_recovery_works_behind_a_pgbouncer_that_pools_transactions(runtime: Runtime, pooled: Pooled) -> None:
    rack = prepare(runtime, 12)

    uuid = rack.fail()

    assert isinstance(runtime.backend, Isolated)
    assert rack.wait(uuid) == "finished"
    assert rack.seen() == {("ACTIVE", False)}
    assert {"succeeded"} == {v.status for v in rack.ha.vmoves(uuid)}
    assert rack.evacuations() == [1] * 12
    assert pooled.client_connections() > _SERVER_CONNECTIONS
    assert pooled.server_connections() <= _SERVER_CONNECTIONS
