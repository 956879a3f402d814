"""What the scenarios of a worker share: a database, emptied before each, and a cloud."""

from collections.abc import Iterator

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.lasting import clear, make_stage


@pytest.fixture(scope="session")
def lasting_stage(databases: Databases) -> Iterator[Stage]:
    """A database and a cloud that are used again and again."""
    with databases.fresh() as url:
        made = make_stage(databases.server.nearest(url))
        yield made
        made.database.close()


@pytest.fixture
def stage(lasting_stage: Stage) -> Stage:
    """The same, with nothing in it."""
    clear(lasting_stage)
    return lasting_stage
