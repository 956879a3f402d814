from math import inf
from multiprocessing import Queue
from pathlib import Path

from instance_ha_simulator.databases import Databases
from instance_ha_simulator.explorer.worker import work


def test_a_process_that_has_lost_its_parent_plays_no_further_schedule(databases: Databases, tmp_path: Path) -> None:
    results: Queue[tuple[int, int]] = Queue()
    with databases.fresh() as url:
        work(databases.server.nearest(url), 1, 1, inf, tmp_path, None, results)
    assert results.get(timeout=60) == (0, 0)
