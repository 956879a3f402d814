"""What becomes of recoveries when the file with the ladders cannot be read any more."""

from pathlib import Path
from tempfile import TemporaryDirectory

from instance_ha.models.errors import Misconfigured
from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import NotOverError, Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

HERE = Path(__file__).parent
BROKEN = "fencing.yaml is no YAML (line 3)"


def played(
    policy: str,
    postgres: Postgres,
    stage: Stage,
    trouble: Exception | None = None,
    same: dict[str, str] | None = None,
) -> Play:
    scenario = Scenario.read(HERE / "fence-fails-and-is-not-required")
    scenario.world["segments"]["one"]["policy"]["fence"] = policy
    scenario.world["limit"] = 600
    with TemporaryDirectory() as own:
        play = Play(scenario, stage, postgres, Path(own))
        play.simulation.fences.trouble, play.simulation.fences.same = trouble, same or {}
        try:
            play.run()
        except NotOverError:
            assert policy == "required"
    return play


def test_a_recovery_that_may_go_on_without_a_fence_does(postgres: Postgres, stage: Stage) -> None:
    play = played("if_possible", postgres, stage, Misconfigured(BROKEN))
    assert [play.tables.notification(uuid)["status"] for uuid in play.names_of_notifications()] == ["finished"]
    assert any("host not fenced" in line and BROKEN in line for line in play.lines)


def test_a_recovery_that_needs_one_is_held_and_says_why(postgres: Postgres, stage: Stage) -> None:
    play = played("required", postgres, stage, Misconfigured(BROKEN))
    (shown,) = [play.tables.notification(uuid) for uuid in play.names_of_notifications()]
    assert (shown["message"].startswith("held: "), BROKEN in shown["message"]) == (True, True)
    assert play.tables.vmoves() == []


def test_a_host_that_shares_a_machine_with_another_is_not_fenced(postgres: Postgres, stage: Stage) -> None:
    play = played("required", postgres, stage, same={"compute1": "compute3"})
    (shown,) = [play.tables.notification(uuid) for uuid in play.names_of_notifications()]
    assert "fencing.yaml fences it at the same machine as compute3" in shown["message"]
    assert play.simulation.fences.requests == []
