"""For the tests of customised tasks: a recovery by the real functions in a simulated cloud and virtual time.

In conftest.py, a Postgres for the whole run and an empty database for each test::

    from instance_ha_simulator.testing import Databases, databases

    @pytest.fixture(scope="session")
    def postgres() -> Iterator[Databases]:
        with databases() as made:
            yield made

    @pytest.fixture
    def database_url(postgres: Databases) -> Iterator[str]:
        with postgres.fresh() as url:
            yield url

and a test::

    from instance_ha_simulator.testing import recover

    def test_the_pager_is_called(database_url: str) -> None:
        recovery = recover(database_url, flows=FLOWS)
        assert recovery.status == "finished"
        assert recovery.progress["call_pager"][-1] == "The pager was called"
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from instance_ha.models.uuids import NotificationUuid
from instance_ha.store import migrate, tasks

from instance_ha_simulator.databases import Databases, databases
from instance_ha_simulator.folder.read import check
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario

__all__ = ["ONE_HOST_FAILS", "Databases", "Recovery", "databases", "recover"]

ONE_HOST_FAILS: Mapping[str, Any] = {
    "segments": {"one": {"hosts": ["compute1", "compute2"]}},
    "hosts": {"compute1": {"instances": [{"count": 2}]}, "compute2": None},
    "happenings": [{"at": 5, "kill_host": "compute1"}, {"at": 10, "notify": "compute1"}],
}
"""A world: compute1, with two instances, dies and is reported. docs/scenario-folders.md says what else there is."""


@dataclass(frozen=True)
class Recovery:
    """How the first reported failure of a world ended."""

    status: str  # as the API shows it: finished, failed, ignored
    message: str | None
    progress: Mapping[str, list[str]]  # what each task said, by its name in the flow; of the last attempt
    log: list[str]  # a line for each decision of the functions, with its second
    seconds: float  # of virtual time, from the beginning of the world to the end of the recovery


def recover(database_url: str, flows: str, world: Mapping[str, Any] = ONE_HOST_FAILS) -> Recovery:
    """Let a world happen, with the flows of a file of customised flows, until all recoveries have ended.

    A task is found by its entry point, so its package must be installed. It runs for real: what it sends is sent.
    Its time limit is not watched.

    Args:
        database_url: an empty Postgres database, one for each call.
        flows: what the file holds, from ``[taskflow_driver_recovery_flows]`` on.
        world: hosts, segments and what happens.

    Raises:
        Misconfigured: the flows cannot be used.
        FolderError: the world says what it may not.
        NotOverError: the recoveries do not end in the time that the world has.

    """
    check(world)
    migrate.upgrade(database_url)
    with TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "flows.conf").write_text(flows)
        play = Play(Scenario(folder, dict(world)), database_url, Postgres(database_url), folder)
        try:
            play.run()
            return _recovery(play)
        finally:
            play.simulation.world.database.close()


def _recovery(play: Play) -> Recovery:
    uuid = play.callers.notifications[0]
    shown = play.tables.notification(uuid)
    with play.simulation.world.database.begin() as connection:
        done = tasks.of_notification(connection, NotificationUuid(uuid))
    lines = {task.name: [line["message"] for line in task.details] for task in done}
    return Recovery(shown["status"], shown["message"], lines, play.lines, play.simulation.scheduler.elapsed)
