"""One process of `make explore`."""

import multiprocessing
import sys
import time
from copy import deepcopy
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml

from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.draw import draw
from instance_ha_simulator.explorer.explore import explore
from instance_ha_simulator.explorer.play import set_stage
from instance_ha_simulator.explorer.shrink import Data, Drawn, kinds, shrink


def work(
    url: str,
    seed: int,
    step: int,
    until: float,
    keep: Path,
    kind: str | None,
    results: "multiprocessing.Queue[tuple[int, int]]",
) -> None:
    """Play one seed after the other while there is a parent; monotonic clocks of processes are the machine's."""
    parent = multiprocessing.parent_process()
    stage, runs, broken = set_stage(url), 0, 0
    with TemporaryDirectory() as own:
        folder = Path(own)
        while time.monotonic() < until and parent is not None and parent.is_alive():
            drawn = draw(seed, large=True, kind=kind)
            result = explore(stage, *deepcopy(drawn), folder)
            runs += 1
            if result.broken:
                broken += 1
                _keep(stage, keep / f"seed-{seed}", seed, drawn, kinds(result.broken))
                sys.stdout.write(f"seed {seed}: {'; '.join(result.broken)}\n")
                sys.stdout.flush()
            seed += step
    results.put((runs, broken))


def _keep(stage: Stage, folder: Path, seed: int, drawn: Drawn, wanted: set[str]) -> None:
    """Write out the smallest world that still breaks one of these promises."""
    folder.mkdir(parents=True, exist_ok=True)

    def breaks(world: Data, faults: Data) -> bool:
        return bool(kinds(explore(stage, world, faults, folder).broken) & wanted)

    world, faults = shrink(drawn, breaks)
    result = explore(stage, deepcopy(world), deepcopy(faults), folder)
    found = "\n".join(f"- {what}" for what in result.broken)
    (folder / "README.md").write_text(f"# {folder.name}\n\nFound by the explorer with the seed {seed}:\n\n{found}\n")
    (folder / "world.yaml").write_text(yaml.safe_dump(world, sort_keys=False))
    (folder / "faults.yaml").write_text(yaml.safe_dump(faults, sort_keys=False))
    (folder / "seen.log").write_text("\n".join(result.log) + "\n")
