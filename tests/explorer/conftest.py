"""What all runs of a worker share: one database, emptied between them, and one web application of a cloud."""

from collections.abc import Iterator

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.explorer.play import set_stage


@pytest.fixture(scope="session")
def stage(databases: Databases) -> Iterator[Stage]:
    with databases.fresh() as url:
        made = set_stage(databases.server.nearest(url))
        yield made
        made.database.close()
