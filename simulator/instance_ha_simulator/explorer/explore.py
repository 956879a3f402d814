"""Plays one seed, or any drawn data, and says which promises it has broken."""

from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

from instance_ha_simulator.database import Stage
from instance_ha_simulator.explorer.account import Account
from instance_ha_simulator.explorer.draw import draw
from instance_ha_simulator.explorer.play import Exploration
from instance_ha_simulator.explorer.promises import broken
from instance_ha_simulator.explorer.statements import Statements
from instance_ha_simulator.lasting import clear
from instance_ha_simulator.play import NotOverError
from instance_ha_simulator.scenario import Scenario

REST_AFTER = 4000.0  # seconds from the last happening until nothing goes on any more: expiry, a pause, the final check


@dataclass(frozen=True)
class Result:
    """What came of a run."""

    world: dict[str, Any]
    faults: dict[str, Any]
    broken: list[str]
    log: list[str]


def explore(
    stage: Stage,
    world: dict[str, Any],
    faults: dict[str, Any],
    folder: Path,
    hear: Callable[[Exploration, Any], None] | None = None,
) -> Result:
    """Play a world until it is at rest, and check it; ``hear`` is told first of all that our functions log."""
    clear(stage)
    last = max((happening["at"] for happening in world["happenings"]), default=0.0)
    limited = world | {"limit": last + REST_AFTER}
    played = Exploration(Scenario(folder, limited, faults), stage, folder)
    if hear is not None:
        played.watchers.append(partial(hear, played))
    account, statements = Account(played), Statements(played)
    try:
        played.run()
        found = [*statements.broken, *broken(played, account)]
    except NotOverError as error:
        found = [f"not at rest: {error}"]
    except Exception as error:  # of a function, which lets nothing through
        found = [f"it raises {type(error).__name__}: {error}"]
    finally:
        played.simulation.scheduler.close()
    return Result(world, faults, found, played.lines)


def explore_seed(stage: Stage, seed: int, folder: Path, *, kind: str | None = None) -> Result:
    """Play what a seed draws, mostly of one kind of trouble if one is asked for."""
    return explore(stage, *draw(seed, kind=kind), folder)
