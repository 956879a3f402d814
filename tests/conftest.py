"""What all tests share: one real Postgres for the whole run, and an empty database for each test that wants one."""

import gc
import os
from collections import Counter
from collections.abc import Iterator

import hypothesis
import pytest
from instance_ha.store.database import Database
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.postgres import Postgres

from tests.followers import Aws, Follower, moto

hypothesis.settings.register_profile("tests", deadline=None)  # how long one takes tells of the machine
hypothesis.settings.load_profile("tests")


def pytest_collection_finish() -> None:
    """Search for garbage less often, and not in what stays: that took a fifth of the time of a play."""
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


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
        yield Postgres(server.dsn, server.stop, server.start, server.socket)


@pytest.fixture(scope="session")
def databases(postgres: Postgres) -> Databases:
    """Lends databases with our schema and nothing in them."""
    return Databases(postgres)


@pytest.fixture
def database_url(databases: Databases) -> Iterator[str]:
    """One of them."""
    with databases.fresh() as url:
        yield url


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    """A pool to a database of its own."""
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
