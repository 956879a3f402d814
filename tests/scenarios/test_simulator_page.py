"""What docs/simulator.md tells to type works."""

import re
from pathlib import Path

import pytest
from instance_ha.command import simulator
from instance_ha.models.errors import Misconfigured
from instance_ha_simulator.command import replay, simulate
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

from local.files import repository

HERE = Path(__file__).parent
PAGE = (repository() / "docs/simulator.md").read_text()


def blocks(kind: str) -> list[str]:
    _, *parts = re.split(r"^```(.*)\n", PAGE, flags=re.MULTILINE)  # kind, block, nothing, the text after it
    return [block for named, block in zip(parts[::4], parts[1::4], strict=True) if named == kind]


COMMANDS = [line for block in blocks("") for line in block.splitlines()]
WORLD, FAULTS = blocks("yaml")
(CODE,) = blocks("python")


def simulated(postgres: Postgres, *words: str) -> int:
    return simulate.main([*words, "--postgres", postgres.url], {})


@pytest.mark.parametrize("line", [line for line in COMMANDS if "tests/scenarios" in line])
def test_our_stories_are_played(line: str, postgres: Postgres) -> None:
    program, command, folder, *words = line.split()
    assert (program, command) == ("instance-ha", "simulate")
    assert simulated(postgres, str(repository() / folder), *words) == 0


def test_a_recovery_is_replayed_and_played(postgres: Postgres, database_url: str, tmp_path: Path) -> None:
    written, played = (line.split() for line in COMMANDS if line.endswith("incident"))
    original = Play(Scenario.read(HERE / "host-dies"), database_url, postgres, tmp_path)
    original.run()
    names = {"NOTIFICATION": original.callers.notifications[0], "incident": str(tmp_path / "incident")}
    assert written[:2] == ["instance-ha", "replay"]
    assert replay.main([names.get(word, word) for word in written[2:]], {"DATABASE_URL": database_url}) == 0
    assert played[:2] == ["instance-ha", "simulate"]
    assert simulated(postgres, *(names.get(word, word) for word in played[2:])) == 0


def test_the_world_and_its_faults_are_played(postgres: Postgres, tmp_path: Path) -> None:
    (tmp_path / "world.yaml").write_text(WORLD)
    assert simulated(postgres, str(tmp_path)) == 0
    (tmp_path / "faults.yaml").write_text(FAULTS)
    assert simulated(postgres, str(tmp_path)) == 0


def test_the_code_is_that_of_the_example() -> None:
    example = (repository() / "examples/pager/tests/test_pager.py").read_text()
    for line in CODE.splitlines():
        assert re.sub(r"  +# .*", "", line) in example


def test_it_is_installed_as_the_command_says() -> None:
    with pytest.raises(Misconfigured) as error:
        simulator.find("none")
    assert any(line in str(error.value) for line in COMMANDS if line.startswith("pip "))
