"""Events go with the change that they tell of."""

from collections.abc import Callable, Iterable

import pytest
from instance_ha import emit
from instance_ha.store.schema import outbox, vmoves
from instance_ha.world import World
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import Connection, select

from tests.unit.store.conftest import Rows

SINKS = {"event_sinks": "one=http://one.test two=http://two.test"}


def read(world: World) -> list[tuple[str, str]]:
    """Read what was written, in its order."""
    with world.database.begin() as connection:
        query = select(outbox.c.event_type, outbox.c.sink).order_by(outbox.c.id)
        return [(event_type, sink) for event_type, sink in connection.execute(query)]


def test_the_start_and_the_end_of_a_change_are_written_at_once_and_in_order(database_url: str) -> None:
    world = Simulation(database_url, SINKS, CloudOptions(), Faults()).world
    values = vars(Rows(world.database).segment())
    with emit.change(world, "segment.create") as change, world.database.begin() as connection:
        before = world.database.statements
        change.start("segment", values)
        change.end(connection, values)
        assert world.database.statements == before + 1
    phases = [("segment.create.start", "one"), ("segment.create.start", "two")]
    assert read(world) == [*phases, ("segment.create.end", "one"), ("segment.create.end", "two")]


@pytest.mark.parametrize("write", [emit.vmoves_begun, emit.vmoves_ended])
def test_events_about_many_evacuations_are_written_at_once(
    database_url: str, write: Callable[[World, Connection, Iterable[str]], None]
) -> None:
    world = Simulation(database_url, SINKS, CloudOptions(), Faults()).world
    rows = Rows(world.database)
    rows.vmoves(rows.notification(), "abc")
    with world.database.begin() as connection:
        uuids = connection.execute(select(vmoves.c.uuid).order_by(vmoves.c.id)).scalars().all()
        before = world.database.statements
        write(world, connection, uuids)
        assert world.database.statements == before + 2  # the rows are read before
        subjects = connection.execute(select(outbox.c.subject).order_by(outbox.c.id)).scalars().all()
    assert subjects == [uuid for uuid in uuids for _ in ("one", "two")]


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
