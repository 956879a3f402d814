"""What all tests share: one real Postgres for the whole run, and a fresh database for each test that wants one."""

import os
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from uuid import uuid4

import pytest
from instance_ha.store import migrate
from instance_ha.store.database import Database
from instance_ha_simulator.postgres import Postgres

from tests.followers import Aws, Follower, moto


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say in one line what was skipped and why."""
    skipped = terminalreporter.stats.get("skipped", [])
    reasons = Counter(str(report.longrepr[2]).removeprefix("Skipped: ") for report in skipped)
    if reasons:
        terminalreporter.write_line("skipped: " + "; ".join(f"{many} {why}" for why, many in reasons.items()))


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Postgres]:
    """A server: the one of TEST_DATABASE_URL, or an embedded one."""
    if given := os.environ.get("TEST_DATABASE_URL"):
        yield Postgres(given)
        return
    from instance_ha_simulator.embedded import EmbeddedPostgres
    from instance_ha_simulator.files import temporary_state_dir

    with temporary_state_dir() as folder, EmbeddedPostgres(folder, durable=False) as server:
        yield Postgres(server.dsn, server.stop, server.start)


@pytest.fixture(scope="session")
def template(postgres: Postgres) -> str:
    """A database with our schema, to be copied."""
    name = f"template_{uuid4().hex[:8]}"
    postgres.run(f"CREATE DATABASE {name}")
    migrate.upgrade(postgres.named(name))
    return name


@pytest.fixture
def fresh_database(postgres: Postgres, template: str) -> Callable[[], AbstractContextManager[str]]:
    """Makes databases with our schema, for a test that needs several."""

    @contextmanager
    def fresh() -> Iterator[str]:
        name = f"test_{uuid4().hex[:12]}"
        postgres.copy(template, name)
        yield postgres.named(name)
        postgres.drop(name)

    return fresh


@pytest.fixture
def database_url(fresh_database: Callable[[], AbstractContextManager[str]]) -> Iterator[str]:
    """A fresh database with our schema."""
    with fresh_database() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool to a fresh database."""
    pool = Database(database_url)
    yield pool
    pool.close()


@pytest.fixture(scope="session")
def aws() -> Iterator[Aws]:
    """SNS, SQS and S3 of moto."""
    with moto() as made:
        yield made


@pytest.fixture
def follower() -> Iterator[Follower]:
    """A sink over HTTP."""
    made = Follower()
    yield made
    made.stop()
