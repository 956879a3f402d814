"""What a folder is played on: what all share, or a server of its own when it does something to its server."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from instance_ha_simulator.database import Stage
from instance_ha_simulator.databases import databases
from instance_ha_simulator.postgres import Postgres


@contextmanager
def stage_for(folder: Path, postgres: Postgres, stage: Stage) -> Iterator[tuple[Postgres, str | Stage]]:
    """Lend a server, and what to play on."""
    world = (folder / "world.yaml").read_text()
    if "database: stop" in world or "sql_admin:" in world:
        with databases() as own, own.fresh() as url:
            yield own.server, url
    else:
        yield postgres, stage
