"""Events never stand in the way of what they are about."""

import pytest
from instance_ha import emit
from instance_ha.models.errors import Conflict, StoreUnavailable
from instance_ha.store import segments
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import text

from tests.unit.build import notification, segment

VALUES = vars(segment())


class Written:
    """A world with a sink, and the events that were written in it."""

    def __init__(self, database_url: str) -> None:
        simulation = Simulation(database_url, {"event_sinks": "one=http://one.test"}, CloudOptions(), Faults())
        self.world = simulation.world

    def types(self) -> list[str]:
        """Name all events."""
        with self.world.database.begin() as connection:
            return list(connection.execute(text("SELECT event_type FROM outbox ORDER BY id")).scalars())


@pytest.fixture
def written(database_url: str) -> Written:
    """A world with a sink."""
    return Written(database_url)


def test_an_event_that_cannot_be_written_does_not_stop_a_recovery(written: Written) -> None:
    with written.world.database.begin() as connection:
        emit.recovery_started(written.world, connection, notification(status="unheard of"))
        emit.recovery_started(written.world, connection, notification())
    assert written.types() == ["notification.process.start"]


def test_an_error_before_the_change_begins_is_no_event(written: Written) -> None:
    with pytest.raises(Conflict), emit.change(written.world, "segment.create"), written.world.database.begin():
        raise Conflict("not now")
    assert written.types() == []


def test_a_change_that_may_have_been_made_has_the_events_that_were_committed(written: Written) -> None:
    with pytest.raises(StoreUnavailable), emit.change(written.world, "segment.create") as change:
        with written.world.database.begin() as connection:
            change.start("segment", VALUES)
            segments.create(connection, _stored(), written.world.clock.now())
            change.end(connection, VALUES)
        raise StoreUnavailable("the connection broke during the commit")
    assert written.types() == ["segment.create.start", "segment.create.end"]


def test_a_change_that_was_rolled_back_has_a_start_and_an_error(written: Written) -> None:
    with (
        pytest.raises(Conflict),
        emit.change(written.world, "segment.create") as change,
        written.world.database.begin() as connection,
    ):
        change.start("segment", VALUES)
        segments.create(connection, _stored(), written.world.clock.now())
        change.end(connection, VALUES)
        raise Conflict("on second thoughts")
    assert written.types() == ["segment.create.start", "segment.create.error"]


def _stored() -> dict[str, str]:
    return {"name": "s", "service_type": "COMPUTE", "recovery_method": "auto"}
