"""2,000 random schedules of random clouds; `make explore` plays others."""

from pathlib import Path

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.explore import explore_seed

BATCH = 25


@pytest.mark.parametrize("first", range(0, 2000, BATCH))
def test_random_schedules_break_no_promise(first: int, stage: Stage, tmp_path: Path) -> None:
    broken = {seed: explore_seed(stage, seed, tmp_path).broken for seed in range(first, first + BATCH)}
    assert {seed: found for seed, found in broken.items() if found} == {}
