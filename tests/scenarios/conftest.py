"""What the scenarios of a worker share: a database, emptied before each; a copy for each takes as long as a play."""

from collections.abc import Iterator
from uuid import uuid4

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.lasting import clear, make_stage
from instance_ha_simulator.postgres import Postgres


@pytest.fixture(scope="session")
def lasting_stage(postgres: Postgres, template: str) -> Iterator[Stage]:
    """A database and a cloud that are used again and again."""
    name = f"scenarios_{uuid4().hex[:12]}"
    postgres.copy(template, name)
    made = make_stage(postgres.named(name))
    yield made
    made.database.close()
    postgres.drop(name)


@pytest.fixture
def stage(lasting_stage: Stage) -> Stage:
    """The same, with nothing in it."""
    clear(lasting_stage)
    return lasting_stage
