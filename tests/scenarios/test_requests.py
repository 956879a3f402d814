"""How often a recovery asks Nova: bounded by its instances and its time, not by the cloud or by the size of batches."""

from pathlib import Path
from typing import Any

from instance_ha_simulator.database import Stage
from instance_ha_simulator.play import Play
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario


def play(world: dict[str, Any], postgres: Postgres, stage: Stage, folder: Path) -> Play:
    """Play a world, and see its recovery finished."""
    played = Play(Scenario(folder, world), stage, postgres, folder)
    played.run()
    assert [played.tables.notification(uuid)["status"] for uuid in played.callers.notifications] == ["finished"]
    return played


def busy_cloud(failed: int, busy: int) -> dict[str, Any]:
    """Return a world with a failed host of so many instances, and so many others that change in the meantime."""
    return {
        "segments": {"one": {"hosts": ["compute1", "compute2"]}},
        "hosts": {
            "compute1": {"instances": [{"count": failed}]},
            "compute2": None,
            "compute3": {"instances": [{"count": busy, "prefix": "busy"}]},
        },
        "boot_at_once": True,
        "happenings": [
            {"at": 600, "kill_host": "compute1"},
            {"at": 610, "notify": "compute1"},
            {"at": 611, "instances_change": "compute3"},
        ],
    }


def asked(played: Play, method: str, route: str) -> int:
    """Count the requests to a route of Nova."""
    return played.simulation.cloud.requests[method, f"/compute/v2.1{route}"]


def test_the_failed_host_is_asked_for_once_in_a_report_interval_however_small_the_batches_are(
    postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    world = {
        "segments": {"one": {"hosts": ["compute1", "compute2"]}},
        "hosts": {"compute1": {"instances": [{"count": 40}]}, "compute2": None},
        "settings": {"force_down": True, "host_failure_recovery_threads": 1, "nova_report_interval": 20},
        "cloud": {"evacuate_seconds": 0.6},
        "happenings": [{"at": 5, "kill_host": "compute1"}, {"at": 10, "notify": "compute1"}],
    }
    played = play(world, postgres, stage, tmp_path)
    lasted = played.simulation.scheduler.elapsed - 10
    begun = len([line for line in played.lines if "evacuations begun" in line])
    assert begun == 40
    registered, gates, waited_for, first = 2, 1, 2, 1
    assert asked(played, "GET", "/os-services") <= registered + gates + waited_for + first + lasted / 20


def test_how_often_lists_are_read_does_not_depend_on_what_else_changes_in_the_cloud(
    postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    settings = {"force_down": True, "host_failure_recovery_threads": 20}
    world = busy_cloud(20, 600) | {"settings": settings, "cloud": {"max_limit": 25}}
    played = play(world, postgres, stage, tmp_path)
    assert sum(move["dest_host"] == "compute2" for move in played.tables.vmoves()) == 20
    planned, watched = 1, 2  # lists of the host, and of the locked instances
    assert asked(played, "GET", "/servers/detail") <= planned + watched + 2 + 1
    assert asked(played, "GET", "/servers/{server_id}") == 0


def test_the_check_at_the_end_stays_bounded_though_the_policy_lets_nobody_filter_by_host(
    postgres: Postgres, stage: Stage, tmp_path: Path
) -> None:
    cloud = {"max_limit": 25, "host_filter": False}
    world = busy_cloud(5, 300) | {"settings": {"force_down": True}, "cloud": cloud}
    played = play(world, postgres, stage, tmp_path)
    planned, watched, checked = 305 // 25 + 1, 2, 1 + 4  # lists: of the host, of locks, and at the end
    assert asked(played, "GET", "/servers/detail") <= planned + watched + checked
    assert asked(played, "GET", "/servers/{server_id}") <= 5
