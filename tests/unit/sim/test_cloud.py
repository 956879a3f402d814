"""The model under virtual time."""

from datetime import timedelta

import pytest
from instance_ha_simulator.cloud.clock import ManualClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.errors import ApiError
from instance_ha_simulator.cloud.identity import Token
from instance_ha_simulator.cloud.model import CloudOptions, Server


class Scene:
    """Three hosts and an administrator."""

    def __init__(self, options: CloudOptions | None = None) -> None:
        self.clock = ManualClock()
        self.cloud = Cloud(self.clock, options)
        for name in ("a", "b", "c"):
            self.cloud.add_host(name)
        admin = self.cloud.identity.users["admin"]
        self.token: Token = self.cloud.identity.issue(admin, "admin")

    def kill(self, name: str) -> None:
        self.cloud.kill_host(name)
        self.clock.sleep(100)

    def evacuate(self, server: Server, host: str | None = None) -> None:
        self.cloud.evacuate(server.id, self.token, host)

    def statuses(self) -> list[str]:
        return [migration.status for migration in self.cloud.migrations()]


def test_dead_host_is_down_after_service_down_time() -> None:
    scene = Scene()
    scene.clock.sleep(25)  # the last report was at 20
    scene.cloud.kill_host("a")
    scene.clock.sleep(55)
    assert scene.cloud.services() == {"a": "up", "b": "up", "c": "up"}
    scene.clock.sleep(0.001)
    assert scene.cloud.services() == {"a": "down", "b": "up", "c": "up"}


def test_host_comes_back_after_its_startup() -> None:
    scene = Scene()
    scene.kill("a")
    scene.cloud.start_host("a")
    assert scene.cloud.services()["a"] == "down"
    scene.clock.sleep(1)
    assert scene.cloud.services()["a"] == "up"


def test_host_killed_while_starting_stays_down() -> None:
    scene = Scene()
    scene.kill("a")
    scene.cloud.start_host("a")
    scene.cloud.kill_host("a")
    scene.clock.sleep(5)
    assert scene.cloud.services()["a"] == "down"


def test_evacuation_step_by_step() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a")
    scene.kill("a")
    scene.evacuate(server)
    seen = []
    for _ in range(22):
        now = scene.cloud.server(server.id)
        shown = (now.status, now.task_state, now.host, scene.statuses()[0])
        if shown not in seen:
            seen.append(shown)
        scene.clock.sleep(0.1)
    assert seen == [
        ("REBUILD", "rebuilding", "a", "accepted"),
        ("REBUILD", "rebuilding", "a", "pre-migrating"),
        ("REBUILD", "rebuild_spawning", "a", "pre-migrating"),
        ("ACTIVE", None, "a", "pre-migrating"),
        ("ACTIVE", None, "b", "done"),
    ]


def test_a_long_leap_gives_the_same_as_small_steps() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a")
    scene.kill("a")
    scene.evacuate(server)
    asked = scene.clock.now()
    scene.clock.sleep(3600)
    assert scene.cloud.server(server.id).host == "b"
    assert scene.cloud.migrations()[0].updated_at == asked + timedelta(seconds=2)


def test_servers_are_spread() -> None:
    scene = Scene()
    servers = scene.cloud.boot("a", 6)
    scene.cloud.boot("b", 2)
    scene.kill("a")
    for server in servers:
        scene.evacuate(server)
    scene.clock.sleep(3)
    hosts = [server.host for server in scene.cloud.servers()]
    assert {host: hosts.count(host) for host in "abc"} == {"a": 0, "b": 4, "c": 4}
    assert [request.server_id for request in scene.cloud.evacuation_requests] == [s.id for s in servers]


def test_no_host_has_room() -> None:
    scene = Scene(CloudOptions(capacity=1))
    first, second, third = scene.cloud.boot("a", 3)
    scene.kill("a")
    for server in (first, second, third):
        scene.evacuate(server)
    scene.clock.sleep(3)
    assert scene.statuses() == ["done", "done", "error"]
    left = scene.cloud.server(third.id)
    assert (left.status, left.task_state, left.host) == ("ERROR", None, "a")
    assert left.fault is not None
    scene.cloud.delete_server(first.id)
    scene.evacuate(third)
    scene.clock.sleep(3)
    now = scene.cloud.server(third.id)
    assert (now.status, now.host, now.fault) == ("ACTIVE", "b", None)


def test_a_server_goes_only_where_all_of_it_fits() -> None:
    scene = Scene(CloudOptions(capacity=3))
    scene.cloud.set_capacity("c", 4)
    scene.cloud.boot("c")
    large, small, larger = (scene.cloud.boot("a", size=size)[0] for size in (3, 1, 4))
    scene.kill("a")
    for server in (large, small, larger):
        scene.evacuate(server)
    scene.clock.sleep(3)
    assert scene.statuses() == ["done", "done", "error"]
    assert [scene.cloud.server(server.id).host for server in (large, small, larger)] == ["b", "c", "a"]


def test_two_evacuations_at_once_spoil_the_server() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a")
    scene.kill("a")
    scene.evacuate(server)
    scene.evacuate(server)
    scene.clock.sleep(10)
    now = scene.cloud.server(server.id)
    assert (now.status, now.vm_state, now.task_state) == ("REBUILD", "error", "rebuilding")
    assert scene.statuses() == ["failed", "accepted"]
    assert len(scene.cloud.evacuation_requests) == 2


def test_destination_dies_meanwhile() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a")
    scene.kill("a")
    scene.evacuate(server, "b")
    scene.clock.sleep(0.5)
    scene.cloud.kill_host("b")
    scene.clock.sleep(100)
    now = scene.cloud.server(server.id)
    assert (now.status, now.host) == ("REBUILD", "a")
    assert scene.statuses() == ["pre-migrating"]
    scene.evacuate(server)
    scene.clock.sleep(3)
    assert scene.cloud.server(server.id).host == "c"


def test_server_deleted_meanwhile_frees_both_hosts() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a", size=3)
    scene.kill("a")
    scene.evacuate(server)
    scene.clock.sleep(0.5)
    scene.cloud.delete_server(server.id)
    scene.clock.sleep(3)
    with scene.cloud.world() as world:
        assert +world.load == {}


def test_records_are_completed_when_the_source_is_back() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a")
    scene.kill("a")
    scene.evacuate(server)
    scene.clock.sleep(3)
    scene.cloud.start_host("a")
    scene.clock.sleep(1)
    assert scene.statuses() == ["completed"]


@pytest.mark.parametrize("vm_state", ["paused", "suspended", "rescued", "building", "shelved"])
def test_states_that_cannot_be_evacuated(vm_state: str) -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a", vm_state=vm_state)
    scene.kill("a")
    with pytest.raises(ApiError) as caught:
        scene.evacuate(server)
    assert caught.value.status == 409
    assert scene.cloud.evacuation_requests == []


def test_boot_with_names_and_states() -> None:
    scene = Scene()
    metadata = {"HA_Enabled": "True"}
    one, two = scene.cloud.boot("a", ["one", "two"], metadata=metadata, vm_state="stopped")
    assert (one.name, two.name) == ("one", "two")
    assert (one.status, one.power_state, one.metadata) == ("SHUTOFF", 4, metadata)
    with pytest.raises(ApiError):
        scene.cloud.boot("nohost")


def test_an_evacuation_whose_cast_is_lost_stays_accepted_and_the_next_one_goes_on_with_its_record() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a", 1)
    scene.cloud.lose_casts(1)
    scene.kill("a")
    scene.evacuate(server)
    scene.clock.sleep(1000)
    assert (scene.cloud.server(server.id).host, scene.statuses()) == ("a", ["accepted"])
    scene.evacuate(server)
    scene.clock.sleep(10)
    assert (scene.cloud.server(server.id).host != "a", scene.statuses()) == (True, ["done", "accepted"])
    assert [request.overlapping for request in scene.cloud.evacuation_requests] == [False, False]


def test_a_claim_that_is_refused_leaves_the_server_as_it_was_and_a_failed_spawn_leaves_it_in_error() -> None:
    scene = Scene(CloudOptions(claim_fails_on=("b",), spawn_fails_on=("c",)))
    stopped, active = scene.cloud.boot("a", ["stopped"], vm_state="stopped") + scene.cloud.boot("a", ["active"])
    scene.kill("a")
    scene.evacuate(stopped, "b")
    scene.evacuate(active, "c")
    scene.clock.sleep(10)
    ends = [scene.cloud.server(server.id) for server in (stopped, active)]
    assert [(s.host, s.vm_state, s.task_state) for s in ends] == [("a", "stopped", None), ("a", "error", None)]
    assert scene.statuses() == ["failed", "failed"]


def test_a_live_migration_ends_only_when_it_is_told_to() -> None:
    scene = Scene()
    moved, stays = scene.cloud.boot("a", 2)
    for server in (moved, stays):
        scene.cloud.live_migrate(server.id, "b")
    scene.clock.sleep(1000)
    assert {scene.cloud.server(server.id).task_state for server in (moved, stays)} == {"migrating"}
    scene.cloud.end_live_migration(moved.id, "completed")
    scene.cloud.end_live_migration(stays.id, "error")
    assert [scene.cloud.server(server.id).host for server in (moved, stays)] == ["b", "a"]


def test_a_second_evacuation_is_known_for_one_that_overlaps_the_first() -> None:
    scene = Scene()
    (server,) = scene.cloud.boot("a", 1)
    scene.kill("a")
    for _ in range(2):
        scene.evacuate(server)
    assert [request.overlapping for request in scene.cloud.evacuation_requests] == [False, True]
