"""What all runs of a worker share: one database, emptied between them, and one web application of a cloud."""

import gc
from collections.abc import Iterator

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.databases import Databases
from instance_ha_simulator.explorer.play import set_stage


@pytest.fixture(scope="session")
def stage(databases: Databases) -> Iterator[Stage]:
    with databases.fresh() as url:
        made = set_stage(databases.server.nearest(url))
        often = gc.get_threshold()
        gc.set_threshold(50_000, 20, 20)  # a fifth of the time of a run was spent on searching for garbage
        yield made
        gc.set_threshold(*often)
        made.database.close()
