"""A Nova that struggles is asked no more often than one that does not."""

from pathlib import Path
from tempfile import TemporaryDirectory

from instance_ha_simulator.database import Stage
from instance_ha_simulator.lasting import clear
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

FOLDER = Path(__file__).parent / "nova-struggles-budget-halves"


def requests_a_second(postgres: Postgres, stage: Stage, *, struggles: bool) -> float:
    """Play a recovery to its end, and divide the requests to Nova by the seconds that it took."""
    scenario = Scenario.read(FOLDER)
    if not struggles:
        happenings = scenario.world["happenings"]
        scenario.world["happenings"] = [one for one in happenings if not {"nova_fault", "nova_faults_end"} & one.keys()]
    with TemporaryDirectory() as own:
        played = Play(scenario, stage, postgres, Path(own))
        played.run()
    asked: int = sum(number for (_, route), number in played.simulation.cloud.requests.items() if "/compute/" in route)
    seconds: float = float(played.lines[-1].split()[0].removeprefix("t+")) - scenario.world["happenings"][0]["at"]
    return float(asked / seconds)


def test_a_struggling_nova_is_asked_less_often_than_a_healthy_one(postgres: Postgres, stage: Stage) -> None:
    healthy = requests_a_second(postgres, stage, struggles=False)
    clear(stage)
    struggling = requests_a_second(postgres, stage, struggles=True)
    assert 0 < struggling < healthy / 2
