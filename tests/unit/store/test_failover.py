"""Two real servers, a primary and its standby, and what the pool does when they change places."""

import shutil
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from instance_ha.models.errors import StoreUnavailable
from instance_ha.store import migrate
from instance_ha.store.database import Database
from instance_ha_simulator.binaries import Runner
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir
from sqlalchemy import make_url, text


@dataclass
class Pair:
    """A primary and a standby that follows it, each in its folder."""

    first: EmbeddedPostgres
    second: EmbeddedPostgres
    first_folder: Path

    def promote(self) -> None:
        """Let the standby be the primary; the old one comes back as a standby."""
        self.first.stop()
        with psycopg.connect(self.second.dsn, autocommit=True) as connection:
            connection.execute("SELECT pg_promote()")
        (self.first_folder / "postgres" / "standby.signal").write_text("")
        self.first.start()

    @property
    def url(self) -> str:
        """The URL that names both."""
        one, two = make_url(self.first.dsn), make_url(self.second.dsn)
        hosts = f"host={one.host}:{one.port}&host={two.host}:{two.port}"
        return f"postgresql://{one.username}:{one.password}@/{one.database}?{hosts}"


@pytest.fixture
def pair() -> Iterator[Pair]:
    """Two servers."""
    with temporary_state_dir() as one, temporary_state_dir() as two, EmbeddedPostgres(one, durable=False) as first:
        copied(first, one, two)
        with EmbeddedPostgres(two, durable=False) as second:
            yield Pair(first, second, one)


def copied(first: EmbeddedPostgres, one: Path, two: Path) -> None:
    """Copy a running server's data into another folder, for a standby."""
    runner, data = Runner.choose(two), two / "postgres"
    runner.make_folder(data)
    done = runner.run("pg_basebackup", "-d", first.dsn, "-D", str(data), "-R", "-c", "fast", cwd=data)
    assert done.returncode == 0, done.stderr
    shutil.copy(one / "postgres-password", two / "postgres-password")


def test_after_a_failover_the_pool_writes_to_the_new_primary(pair: Pair) -> None:
    migrate.upgrade(pair.url)
    database = Database(pair.url)
    with database.begin() as connection:
        before = connection.execute(text("SELECT inet_server_port()")).scalar_one()
    pair.promote()
    with database.begin() as connection:
        connection.execute(text("DELETE FROM vmoves"))
        after = connection.execute(text("SELECT inet_server_port()")).scalar_one()
    assert (before, after) == (make_url(pair.first.dsn).port, make_url(pair.second.dsn).port)
    alone = Database(pair.first.dsn)
    with pytest.raises(StoreUnavailable):
        alone.ping()
    alone.close()
    database.close()
