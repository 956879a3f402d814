"""What all runs of a worker share: one database, emptied between them, and one web application of a cloud."""

import gc
from collections.abc import Iterator
from uuid import uuid4

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.play import set_stage
from instance_ha_simulator.postgres import Postgres


@pytest.fixture(scope="session")
def stage(postgres: Postgres, template: str) -> Iterator[Stage]:
    name = f"explorer_{uuid4().hex[:12]}"
    postgres.copy(template, name)
    made = set_stage(postgres.named(name))
    often = gc.get_threshold()
    gc.set_threshold(50_000, 20, 20)  # a fifth of the time of a run was spent on searching for garbage
    yield made
    gc.set_threshold(*often)
    made.database.close()
    postgres.drop(name)
