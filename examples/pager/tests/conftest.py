"""A Postgres for all tests, and an empty database for each."""

from collections.abc import Iterator

import pytest
from instance_ha_simulator.testing import Databases, databases


@pytest.fixture(scope="session")
def postgres() -> Iterator[Databases]:
    """An embedded one; `databases("postgresql://…")` uses a server that is there."""
    with databases() as made:
        yield made


@pytest.fixture
def database_url(postgres: Databases) -> Iterator[str]:
    """A database that nobody has used."""
    with postgres.fresh() as url:
        yield url
