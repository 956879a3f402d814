"""Telling never stands in the way of what it tells of."""

import pytest
from instance_ha import emit
from instance_ha.models.errors import Conflict, StoreUnavailable
from instance_ha.store import segments
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.simulation import Faults, Simulation
from sqlalchemy import text

from tests.unit.build import notification, segment

VALUES = vars(segment())


class Told:
    """A world with a sink, and what was told in it."""

    def __init__(self, database_url: str) -> None:
        simulation = Simulation(database_url, {"event_sinks": "one=http://one.test"}, CloudOptions(), Faults())
        self.world = simulation.world

    def types(self) -> list[str]:
        """Name all events."""
        with self.world.database.begin() as connection:
            return list(connection.execute(text("SELECT event_type FROM outbox ORDER BY id")).scalars())


@pytest.fixture
def told(database_url: str) -> Told:
    """A world with a sink."""
    return Told(database_url)


def test_what_cannot_be_told_does_not_stop_a_recovery(told: Told) -> None:
    with told.world.database.begin() as connection:
        emit.recovery_started(told.world, connection, notification(status="unheard of"))
        emit.recovery_started(told.world, connection, notification())
    assert told.types() == ["notification.process.start"]


def test_an_error_before_the_change_begins_is_not_told(told: Told) -> None:
    with pytest.raises(Conflict), emit.change(told.world, "segment.create"), told.world.database.begin():
        raise Conflict("not now")
    assert told.types() == []


def test_a_change_that_nobody_knows_of_whether_it_was_made_is_told_by_what_was_committed(told: Told) -> None:
    with pytest.raises(StoreUnavailable), emit.change(told.world, "segment.create") as change:
        with told.world.database.begin() as connection:
            change.start(connection, "segment", VALUES)
            segments.create(connection, _stored(), told.world.clock.now())
            change.end(connection, VALUES)
        raise StoreUnavailable("the connection broke during the commit")
    assert told.types() == ["segment.create.start", "segment.create.end"]


def test_a_change_that_was_rolled_back_has_a_start_and_an_error(told: Told) -> None:
    with (
        pytest.raises(Conflict),
        emit.change(told.world, "segment.create") as change,
        told.world.database.begin() as connection,
    ):
        change.start(connection, "segment", VALUES)
        segments.create(connection, _stored(), told.world.clock.now())
        change.end(connection, VALUES)
        raise Conflict("on second thoughts")
    assert told.types() == ["segment.create.start", "segment.create.error"]


def _stored() -> dict[str, str]:
    return {"name": "s", "service_type": "COMPUTE", "recovery_method": "auto"}
