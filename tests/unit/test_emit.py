"""Events go with the change that they tell of."""

import pytest
from instance_ha import emit
from instance_ha.store.schema import outbox
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import select

from tests.unit.store.conftest import Rows


def test_an_event_is_there_with_its_change_and_gone_with_its_rollback(database_url: str) -> None:
    world = Simulation(database_url, {"event_sinks": "one=http://one.test"}, CloudOptions(), Faults()).world
    rows = Rows(world.database)
    kept, lost = rows.notification(), rows.notification()
    with world.database.begin() as connection:
        emit.recovery_started(world, connection, kept)
    with pytest.raises(ZeroDivisionError), world.database.begin() as connection:
        emit.recovery_started(world, connection, lost)
        raise ZeroDivisionError
    with world.database.begin() as connection:
        subjects = list(connection.execute(select(outbox.c.subject)).scalars())
    assert subjects == [kept.notification_uuid]
