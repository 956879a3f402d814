"""monitor-guests over real Postgres, a simulated Nova and simulated guests: what no scenario covers."""

from collections.abc import Callable
from typing import Any

import pytest
from instance_ha.models.errors import HostSilent, SourceUnavailable
from instance_ha.monitoring import guests as monitor
from instance_ha.store import guest_health
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.guests import Guests
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import text


class Story:
    """An installation with one host, whose guests are polled every 10 seconds."""

    def __init__(self, database_url: str) -> None:
        self.guests = Guests()
        settings = {"guest_monitoring": "true"}
        self.simulation = Simulation(database_url, settings, CloudOptions(), Faults(), self.guests)
        self.guests.servers = self.simulation.cloud.servers
        self.world = self.simulation.world
        self.simulation.cloud.add_host("compute1")
        segment = {"name": "one", "service_type": "COMPUTE", "recovery_method": "auto"}
        made = self.simulation.request("api-segments", "POST", "/v1/segments", {"segment": segment}).get_json()
        body = {"name": "compute1", "type": "COMPUTE", "control_attributes": "SSH"}
        path = f"/v1/segments/{made['segment']['uuid']}/hosts"
        self.host = self.simulation.request("api-hosts", "POST", path, {"host": body}).get_json()["host"]["uuid"]

    def boot(self, name: str, **about: Any) -> str:
        """Have an instance."""
        (server,) = self.simulation.cloud.boot("compute1", [name], **about)
        return str(server.id)

    def poll(self, times: int = 1) -> None:
        """Poll, every 10 seconds."""
        for _ in range(times):
            monitor.poll_once(self.world, self.world.deadline())
            self.wait(10)

    def wait(self, seconds: float) -> None:
        """Let time pass."""
        self.simulation.scheduler.spawn("wait", lambda: None, seconds)
        self.simulation.scheduler.run(seconds, lambda: False)

    def states(self) -> dict[str, str]:
        """Say how the guests are remembered, by their instances' names."""
        names = {server.id: server.name for server in self.simulation.cloud.servers()}
        with self.world.database.begin() as connection:
            known = guest_health.of_host(connection, self.host, [])
        return {names[uuid]: str(guest.state) for uuid, guest in known.items()}

    def reported(self) -> list[str]:
        """Name the instances that were reported."""
        names = {server.id: server.name for server in self.simulation.cloud.servers()}
        with self.world.database.begin() as connection:
            rows = connection.execute(text("SELECT payload FROM notifications ORDER BY id")).scalars()
            return [names[payload["instance_uuid"]] for payload in rows]


@pytest.fixture
def story(database_url: str) -> Story:
    """The installation."""
    return Story(database_url)


def _hang(story: Story, *names: str) -> None:
    for name in names:
        story.guests.guest(name).agent = "hangs"


def test_an_instance_whose_owner_does_not_want_it_is_not_pinged(story: Story) -> None:
    story.boot("watched")
    story.boot("left-alone", metadata={"instance_ha:guest_monitoring": "false"})
    story.poll()
    assert story.states() == {"watched": "healthy", "left-alone": "discovery"}


def test_an_instance_may_have_a_threshold_of_its_own(story: Story) -> None:
    story.boot("patient", metadata={"instance_ha:guest_monitoring_threshold": "5"})
    story.boot("usual")
    story.poll()
    _hang(story, "patient", "usual")
    story.poll(3)
    assert story.reported() == ["usual"]
    story.poll(2)
    assert story.reported() == ["usual", "patient"]


def test_a_domain_that_is_no_instance_of_novas_is_not_pinged(story: Story) -> None:
    uuid = story.boot("foreign")
    with story.simulation.cloud.world() as cloud:
        cloud.server(uuid).host = "elsewhere"
    story.guests.servers = lambda: [_Here(uuid, "foreign")]
    story.poll()
    assert story.states() == {"foreign": "discovery"}


class _Here:
    """A domain of the host, whatever Nova says."""

    def __init__(self, uuid: str, name: str) -> None:
        self.id, self.name, self.host = uuid, name, "compute1"


def test_while_nova_has_never_reported_how_a_guest_is_to_be_watched_it_is_not_pinged(story: Story) -> None:
    story.boot("vm")
    story.simulation.cloud.faults.add(Rule(path=".*/servers/detail", status=400, times=1))
    story.poll()
    assert story.states() == {"vm": "discovery"}
    story.poll()
    assert story.states() == {"vm": "healthy"}


def test_a_host_that_cannot_be_reached_leaves_its_guests_as_they_were(story: Story) -> None:
    story.boot("vm")
    story.poll()
    story.guests.unreachable.add("compute1")
    story.poll(5)
    assert (story.states(), story.reported()) == ({"vm": "healthy"}, [])


def test_a_guest_that_is_gone_is_forgotten(story: Story) -> None:
    uuid = story.boot("vm")
    story.poll()
    story.simulation.cloud.delete_server(uuid)
    story.poll()
    assert story.states() == {}


def test_guests_of_a_host_on_maintenance_are_not_polled_and_forgotten(story: Story) -> None:
    story.boot("vm")
    story.poll()
    with story.world.database.begin() as connection:
        connection.execute(text("UPDATE hosts SET on_maintenance = true"))
    assert monitor.poll_once(story.world, story.world.deadline()) == []
    assert story.states() == {}


def test_hosts_that_others_poll_at_are_left_to_them(story: Story) -> None:
    story.boot("vm")
    story.poll()
    story.guests.elsewhere = True
    assert monitor.poll_once(story.world, story.world.deadline()) == []
    assert story.states() == {"vm": "healthy"}


def test_an_unexpected_error_about_a_host_is_no_answer_of_its_guests(story: Story) -> None:
    story.boot("vm")
    story.poll()
    story.guests.guest("vm").agent = "speaks nonsense"
    story.poll(5)
    assert (story.states(), story.reported()) == ({"vm": "healthy"}, [])


def test_a_poll_that_was_overtaken_writes_and_tells_nothing(story: Story) -> None:
    story.boot("vm")
    story.poll()
    _hang(story, "vm")
    overtaken: list[Callable[[], None]] = [lambda: _overtake(story)]
    story.guests.sleep = lambda _seconds: overtaken.pop()() if overtaken else None
    story.poll()
    assert story.states() == {"vm": "healthy"}


def _overtake(story: Story) -> None:
    with story.world.database.begin() as connection:
        connection.execute(text("UPDATE watches SET owner = 'another'"))


def test_a_report_is_sent_again_when_its_sender_died_before_it_could_remember(story: Story) -> None:
    story.boot("vm")
    story.poll()
    _hang(story, "vm")
    story.poll(3)
    with story.world.database.begin() as connection:
        connection.execute(text("UPDATE guest_health SET state = 'error', misses = 3"))
    story.poll()
    assert story.reported() == ["vm"]  # the API knew it
    story.wait(200)
    with story.world.database.begin() as connection:
        connection.execute(text("UPDATE notifications SET status = 'finished'"))
    story.poll()
    assert story.reported() == ["vm", "vm"]


@pytest.mark.parametrize(
    ("trouble", "verdict", "reason"),
    [
        (HostSilent("nothing accepts a connection"), "dead", None),
        (SourceUnavailable("our certificate has expired"), "unknown", "our certificate has expired"),
        (RuntimeError("a domain that cannot be read"), "unknown", "unexpected error: RuntimeError"),
    ],
)
def test_a_hypervisor_is_called_dead_only_when_nothing_there_answers(
    story: Story, trouble: Exception, verdict: str, reason: str | None
) -> None:
    story.boot("vm")
    payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
    about = {"type": "COMPUTE_HOST", "hostname": "compute1", "generated_time": "2100-11-22T03:00:00"}
    body = {"notification": about | {"payload": payload}}
    assert story.simulation.request("api-notifications", "POST", "/v1/notifications", body).status_code == 202
    story.guests.trouble = trouble
    story.poll()
    with story.world.database.read() as connection:
        found = connection.execute(text("SELECT verdict, detail FROM evidence WHERE kind = 'libvirt'")).one()
    assert (found.verdict, found.detail.get("reason")) == (verdict, reason)
