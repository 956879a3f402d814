"""What no row tells is counted where it happens."""

from dataclasses import replace
from datetime import UTC, datetime

import flask
import pytest
from instance_ha.composition import Composition
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.errors import CloudUnavailable, LeaseLost
from instance_ha.models.metric import Values
from instance_ha.models.metrics import INTERNAL_ERRORS, LEASE_LOSSES, TRIGGERS_UNSENT
from instance_ha.models.rows import VMove
from instance_ha.models.triggers import EVACUATE_INSTANCE, RECOVER_HOST, Trigger
from instance_ha.nova.http import operation
from instance_ha.recovery.claim import Claim
from instance_ha.serving import cron_function
from instance_ha.serving.function import give_world
from instance_ha.store import counters
from instance_ha.store.leases import Lease
from instance_ha.store.schema import vmoves
from instance_ha.triggers.publisher import HttpPublisher
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation

from tests.unit.build import vmove


@pytest.fixture
def simulation(database_url: str) -> Simulation:
    """A simulated installation without any host."""
    return Simulation(database_url, {}, CloudOptions(), Faults())


def counted(simulation: Simulation) -> Values:
    """Return what is in Postgres after an invocation."""
    database = simulation.world.database
    simulation.metrics.flush(database)
    with database.begin() as connection:
        return counters.read(connection)


def claim(simulation: Simulation) -> Claim[VMove]:
    """A claim of a row that belongs to no invocation."""
    lease = Lease(vmoves, vmoves.c.uuid, "no-such-vmove", "somebody", 45)
    return Claim(simulation.world, lease, vmove(), simulation.world.deadline(), simulation.scheduler.now())


def test_an_event_that_the_sink_does_not_take_is_counted_by_its_type(simulation: Simulation) -> None:
    sink = HttpPublisher("http://127.0.0.1:1/{function}", b"key", 1, 1, simulation.metrics)
    triggers = [Trigger(RECOVER_HOST, "a"), Trigger(EVACUATE_INSTANCE, "b"), Trigger(EVACUATE_INSTANCE, "c")]
    sink.publish(triggers, datetime.now(UTC))
    assert counted(simulation) == {
        TRIGGERS_UNSENT.series(type=RECOVER_HOST.type): 1,
        TRIGGERS_UNSENT.series(type=EVACUATE_INSTANCE.type): 2,
    }


def test_a_lost_lease_is_counted_by_its_table(simulation: Simulation) -> None:
    with claim(simulation).lease_guard():
        raise LeaseLost("another has it")
    assert counted(simulation) == {LEASE_LOSSES.series(table="vmoves"): 1}


def test_an_unexpected_error_is_counted(simulation: Simulation) -> None:
    with claim(simulation).lease_guard():
        raise ValueError("a defect")
    assert counted(simulation)[INTERNAL_ERRORS.series()] == 1


def test_a_cloud_that_is_away_is_no_error_of_ours(simulation: Simulation) -> None:
    with claim(simulation).lease_guard():
        raise CloudUnavailable("away")
    assert INTERNAL_ERRORS.series() not in counted(simulation)


def test_a_call_that_is_answered_500_is_counted_and_nothing_else_changes(simulation: Simulation) -> None:
    class Broken(Recorder):
        def flush(self, *_: object, **_options: object) -> None:
            raise ValueError("counting is broken too")

    def stumble(_world: object) -> None:
        raise ValueError("a defect")

    function, application = cron_function("any", stumble, Composition.sweep), flask.Flask("any")
    give_world(application, simulation.world)
    with application.test_request_context("/", method="POST"):
        assert function(flask.request).status_code == 500
    assert counted(simulation) == {INTERNAL_ERRORS.series(): 1}
    give_world(application, replace(simulation.world, metrics=Broken()))
    with application.test_request_context("/", method="POST"):
        assert function(flask.request).status_code == 500


@pytest.mark.parametrize(
    ("method", "path", "body", "name"),
    [
        ("GET", "/os-services?host=compute1&binary=nova-compute", None, "GET os-services"),
        ("PUT", "/os-services/7", {"status": "disabled"}, "PUT os-services"),
        ("GET", "/servers/detail?limit=500", None, "GET servers/detail"),
        ("GET", "/servers/0f1e", None, "GET servers"),
        ("POST", "/servers/0f1e/action", {"os-start": None}, "os-start"),
        ("POST", "/os-aggregates/3/action", {"add_host": {"host": "compute1"}}, "add_host"),
    ],
)
def test_a_request_to_nova_is_named_without_what_it_is_about(
    method: str, path: str, body: dict[str, object] | None, name: str
) -> None:
    assert name == operation(method, path, body)
