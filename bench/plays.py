"""Recoveries in virtual time, each on a database of its own: the same on every machine."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

from instance_ha.store import migrate
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

DEAD = "dead"
World = dict[str, Any]


class Theatre:
    """Where worlds are played."""

    def __init__(self, server: Postgres, folder: Path) -> None:
        self._server = server
        self._folder = folder

    def play(
        self, name: str, world: World, around: Callable[[Play], object] = Play.run, faults: World | None = None
    ) -> tuple[Play, str]:
        """Play a world to its end; returns what is left of it, and the URL of its database."""
        self._server.run(f"CREATE DATABASE {name}")
        url = self._server.named(name)
        migrate.upgrade(url)
        play = Play(Scenario(self._folder, world, faults or {}), url, None, self._folder)
        around(play)
        play.simulation.database.close()
        return play, url


@contextmanager
def theatre() -> Iterator[Theatre]:
    """Have a Postgres for plays."""
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        yield Theatre(Postgres(resources.enter_context(EmbeddedPostgres(folder, durable=False)).dsn), folder)


def world(instances: int, happenings: list[World], **more: Any) -> World:
    """Return a world of three hosts in a segment, one of which dies with so many instances."""
    return {
        "boot_at_once": True,
        "hosts": {DEAD: {"instances": [{"count": instances}]}, "other1": None, "other2": None},
        "segments": {"one": {"hosts": [DEAD, "other1", "other2"], "policy": more.pop("policy", {})}},
        "happenings": happenings,
        **more,
    }
