"""sweep looks again and again; while nothing is due it costs next to nothing."""

from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation


def test_while_nothing_is_due_each_turn_asks_postgres_one_thing(database_url: str) -> None:
    simulation = Simulation(database_url, {"sweep_interval": "5", "sweep_time": "48"}, CloudOptions(), Faults())
    codes: list[int] = []
    simulation.scheduler.spawn("sweep", lambda: codes.append(simulation.call("sweep", "/", b"", {}).status_code))
    before = simulation.database.statements
    simulation.scheduler.run(44.0, lambda: False)
    assert simulation.database.statements - before == 9
    simulation.scheduler.run(60.0, lambda: False)
    assert codes == [204]
