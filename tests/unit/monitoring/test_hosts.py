"""monitor-poll over real Postgres and simulated Consul agents: what no scenario covers."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from instance_ha.models.health import Snapshot
from instance_ha.monitoring import hosts as monitor
from instance_ha.store import host_health, schema
from instance_ha_simulator.cloud import consul
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.monitors import Sources
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import insert, text

NAMES = [f"compute{number}" for number in range(1, 6)]


class Story:
    """An installation with five hosts, which are polled every 10 seconds."""

    def __init__(self, database_url: str, folder: Path) -> None:
        self.sources = Sources({"hosts": NAMES, "consul": ["storage"]}, folder)
        settings = {"monitoring_interval": "10"} | self.sources.settings
        self.simulation = Simulation(database_url, settings, CloudOptions(), Faults())
        self.world = self.simulation.world
        segment = {"name": "one", "service_type": "COMPUTE", "recovery_method": "auto"}
        made = self.simulation.request("api-segments", "POST", "/v1/segments", {"segment": segment}).get_json()
        for name in NAMES:
            self.simulation.cloud.add_host(name)
            body = {"name": name, "type": "COMPUTE", "control_attributes": "SSH"}
            path = f"/v1/segments/{made['segment']['uuid']}/hosts"
            assert self.simulation.request("api-hosts", "POST", path, {"host": body}).status_code == 201

    def poll(self, times: int = 1, every: float = 10) -> None:
        """Poll."""
        for _ in range(times):
            assert monitor.poll_once(self.world)
            self.wait(every)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.simulation.scheduler.spawn("wait", lambda: None, seconds)
        self.simulation.scheduler.run(seconds, lambda: False)

    def kill(self, *names: str) -> None:
        """Let hosts fail."""
        for name in names:
            self.sources.clusters.set(name, consul.FAILED)

    def reported(self) -> list[tuple[str, str]]:
        """Name the hosts that were reported, and how."""
        query = "SELECT h.name, n.payload ->> 'event' FROM notifications n JOIN hosts h ON h.uuid = n.source_host_uuid"
        with self.world.database.begin() as connection:
            return [tuple(row) for row in connection.execute(text(f"{query} ORDER BY n.id"))]

    def states(self) -> dict[str, str]:
        """Say how the hosts are remembered."""
        with self.world.database.begin() as connection:
            return {host.name: str(host.health.state) for host in host_health.registered(connection)}


@pytest.fixture
def story(database_url: str, tmp_path: Path) -> Iterator[Story]:
    """The installation."""
    made = Story(database_url, tmp_path)
    yield made
    made.sources.close()


def test_a_poll_is_not_made_before_it_is_due(story: Story) -> None:
    assert monitor.poll_once(story.world)
    assert not monitor.poll_once(story.world)
    story.wait(9.5)
    assert monitor.poll_once(story.world)


class _Slow:
    """A source that is disturbed while it answers."""

    def __init__(self, source: Any, meanwhile: Any) -> None:
        self.strategy = source.strategy
        self._source = source
        self._meanwhile = meanwhile

    def poll(self, listed: frozenset[str]) -> Snapshot:
        """NotificationResponse."""
        snapshot: Snapshot = self._source.poll(listed)
        self._meanwhile()
        return snapshot


def _while_answering(story: Story, meanwhile: Any) -> None:
    object.__setattr__(story.world, "source", _Slow(story.world.source, meanwhile))


def test_an_answer_that_took_longer_than_the_interval_is_old_and_not_believed(story: Story) -> None:
    story.poll()
    story.kill("compute1")
    _while_answering(story, lambda: story.wait(11))
    story.poll(3)
    assert story.reported() == []
    assert story.states()["compute1"] == "up"


def test_a_poll_that_was_overtaken_writes_and_tells_nothing(story: Story) -> None:
    story.poll()
    story.kill("compute1")

    def overtake() -> None:
        with story.world.database.begin() as connection:
            connection.execute(text("UPDATE watches SET owner = 'another'"))

    _while_answering(story, overtake)
    story.poll()
    assert (story.reported(), story.states()["compute1"]) == ([], "up")


def test_after_a_long_pause_the_first_poll_tells_nothing_and_the_second_does(story: Story) -> None:
    story.poll()
    story.kill("compute1")
    story.wait(3600)
    story.poll()
    assert story.reported() == []
    story.poll()
    assert story.reported() == [("compute1", "STOPPED")]


def test_too_many_at_once_are_never_reported_and_the_last_one_down_is_reported_at_the_second_poll(story: Story) -> None:
    story.poll()
    story.kill("compute1", "compute2", "compute3")
    story.poll(5)
    assert story.reported() == []
    story.sources.clusters.set("compute2", consul.ALIVE)
    story.sources.clusters.set("compute3", consul.ALIVE)
    story.poll()
    assert story.reported() == []
    story.poll()
    assert story.reported() == [("compute1", "STOPPED")]


def test_two_of_five_are_reported_at_once(story: Story) -> None:
    story.poll()
    story.kill("compute1", "compute2")
    story.poll()
    assert story.reported() == [("compute1", "STOPPED"), ("compute2", "STOPPED")]


def test_hosts_that_were_never_registered_are_nobodys_business(story: Story) -> None:
    story.sources.clusters.set("control", consul.FAILED)
    story.poll(2)
    assert story.reported() == []
    assert set(story.states()) == set(NAMES)


def test_a_poll_needs_as_many_statements_for_many_hosts_as_for_one(story: Story) -> None:
    story.poll()
    before = story.world.database.statements
    story.poll()
    statements = story.world.database.statements - before
    with story.world.database.begin() as connection:
        connection.execute(text("UPDATE hosts SET deleted_at = now() WHERE name <> 'compute1'"))
    story.poll()
    before = story.world.database.statements
    story.poll()
    assert story.world.database.statements - before == statements


def test_a_host_that_was_deleted_is_forgotten(story: Story) -> None:
    story.poll()
    with story.world.database.begin() as connection:
        connection.execute(text("UPDATE hosts SET deleted_at = now() WHERE name = 'compute1'"))
    story.poll()
    with story.world.database.begin() as connection:
        assert connection.execute(text("SELECT count(*) FROM host_health")).scalar_one() == 4


def _put_on_maintenance(story: Story, name: str, kind: str) -> None:
    """As a recovery of that type does."""
    maintenance = "UPDATE hosts SET on_maintenance = true, on_maintenance_for = 'earlier' WHERE name = :name"
    with story.world.database.begin() as connection:
        connection.execute(text(maintenance), {"name": name})
        (host,) = connection.execute(text("SELECT uuid FROM hosts WHERE name = :name"), {"name": name}).scalars()
        made = {"notification_uuid": "earlier", "generated_time": story.world.clock.now(), "source_host_uuid": host}
        about = {"type": kind, "payload": {}, "status": "finished", "created_at": story.world.clock.now()}
        connection.execute(insert(schema.notifications).values(**made, **about))


@pytest.mark.parametrize(("kind", "events"), [("PROCESS", ["STOPPED"]), ("COMPUTE_HOST", [])])
def test_the_death_of_a_host_is_noticed_though_its_nova_compute_had_failed_before(
    story: Story, kind: str, events: list[str]
) -> None:
    story.poll()
    _put_on_maintenance(story, "compute1", kind)
    story.kill("compute1")
    story.poll(2)
    assert [event for name, event in story.reported() if event] == events
