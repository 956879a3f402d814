"""Random schedules of random clouds, with seeds that are always the same; `make explore` plays others."""

from pathlib import Path

import pytest
from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.explore import explore_seed

BATCH = 25
SCHEDULES = 1900
WAYS_BACK = 100  # in which hosts come back and their instances go home


@pytest.mark.parametrize("first", range(0, SCHEDULES, BATCH))
def test_random_schedules_break_no_promise(first: int, stage: Stage, tmp_path: Path) -> None:
    broken = {seed: explore_seed(stage, seed, tmp_path).broken for seed in range(first, first + BATCH)}
    assert {seed: found for seed, found in broken.items() if found} == {}


@pytest.mark.parametrize("first", range(0, WAYS_BACK, BATCH))
def test_random_ways_back_break_no_promise(first: int, stage: Stage, tmp_path: Path) -> None:
    broken = {seed: explore_seed(stage, seed, tmp_path, kind="homes").broken for seed in range(first, first + BATCH)}
    assert {seed: found for seed, found in broken.items() if found} == {}
