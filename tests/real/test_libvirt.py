"""The libvirt adapter, and monitor-guests over it, against a real libvirtd and a real guest with its agent."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest
from instance_ha.models.errors import SourceUnavailable
from instance_ha.models.guests import Channel, Domain, Fault
from instance_ha.monitoring import guests as watch
from instance_ha.settings import Settings, load
from instance_ha.store.database import Database
from instance_ha.world import SystemClock, World
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.simulation import Simulation
from sqlalchemy import text

from tests.real import guest as guests
from tests.real.conftest import PARTS, part

UUID, PLAIN, FULL = (f"8d6e3c2a-0000-4000-8000-00000000000{number}" for number in (1, 2, 3))
_PATIENCE = 60.0

libvirt = pytest.importorskip("libvirt", reason="file of libvirt (make test-real)")


def settings(uri: str = guests.URI) -> Settings:
    """Return settings."""
    environ = {"DATABASE_URL": "postgresql://db/ha", "INSTANCE_HA_LIBVIRT_URI": uri}
    environ |= {"INSTANCE_HA_LIBVIRT_HOSTNAME": "here", "INSTANCE_HA_LIBVIRT_TIMEOUT": "5"}
    return load(environ)


@dataclass
class Host:
    """A hypervisor with a guest."""

    folder: Path
    daemon: guests.Libvirtd
    guest: guests.Guest
    hypervisors: Any

    def domain(self, uuid: str = UUID) -> Domain:
        """Return a domain as the adapter shows it."""
        with self.hypervisors.open("here") as hypervisor:
            found: list[Domain] = hypervisor.domains()
        return {domain.uuid: domain for domain in found}[uuid]

    def ping(self, uuid: str = UUID) -> bool | None:
        """Ask the agent."""
        with self.hypervisors.open("here") as hypervisor:
            answer: bool | None = hypervisor.ping(uuid)
            return answer


def _until(holds: Any, what: str) -> None:
    until = time.monotonic() + _PATIENCE
    while not holds():
        assert time.monotonic() < until, f"not within {_PATIENCE} s: {what}"
        time.sleep(0.2)


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A hypervisor whose guest has booted."""
    from instance_ha.libvirt.hypervisors import LibvirtHypervisors

    part("boot")
    (kernel,) = (PARTS / "boot").glob("vmlinuz-*")
    folder = tmp_path_factory.mktemp("libvirt")
    packed = guests.initrd(folder, PARTS / "lib" / "modules")
    hypervisors = LibvirtHypervisors(settings())
    daemon = guests.Libvirtd(folder)
    with daemon.running():
        _until(lambda: _listens(hypervisors), "libvirtd listens")
        connection = libvirt.open(guests.URI)
        made = Host(folder, daemon, guests.Guest(connection, UUID, folder, kernel, packed), hypervisors)
        guests.plain(connection, PLAIN)
        _until(lambda: made.ping() is True, "the guest's agent answers")
        yield made
        connection.close()


def _listens(hypervisors: Any) -> bool:
    try:
        with hypervisors.open("here") as hypervisor:
            found: list[Domain] = hypervisor.domains()
            return found == []
    except SourceUnavailable:
        return False


def test_a_running_guest_with_an_agent_is_seen_and_answers(host: Host) -> None:
    domain = host.domain()
    assert (domain.running, domain.channel, domain.fault) == (True, Channel.OPEN, None)
    assert domain.id is not None
    assert host.ping() is True


def test_a_domain_without_the_channel_has_no_agent_and_cannot_be_asked(host: Host) -> None:
    assert host.domain(PLAIN).channel is Channel.NONE
    assert host.ping(PLAIN) is None


def test_a_domain_that_is_not_there_cannot_be_asked(host: Host) -> None:
    assert host.ping("8d6e3c2a-0000-4000-8000-00000000000f") is None


def test_a_guest_that_hangs_misses_pings_within_the_time_limit_and_comes_back(host: Host) -> None:
    host.guest.hang(8)
    begun = time.monotonic()
    assert host.ping() is False
    assert time.monotonic() - begun < 6
    assert host.domain().channel is Channel.OPEN
    _until(lambda: host.ping() is True, "the agent answers again")


def test_a_guest_that_stops_its_agent_in_order_closes_the_channel_until_the_agent_is_back(host: Host) -> None:
    host.guest.stop_agent()
    _until(lambda: host.domain().channel is Channel.CLOSED, "the channel is closed")
    _until(lambda: host.domain().channel is Channel.OPEN, "the channel is open again")
    _until(lambda: host.ping() is True, "the agent answers again")


def test_a_suspended_guest_does_not_run_and_is_not_at_fault(host: Host) -> None:
    host.guest.domain.suspend()
    try:
        assert (host.domain().running, host.domain().fault) == (False, None)
    finally:
        host.guest.domain.resume()


def test_a_host_is_reached_over_tls_and_only_with_a_certificate_that_it_trusts(host: Host) -> None:
    from instance_ha.libvirt.hypervisors import LibvirtHypervisors

    with LibvirtHypervisors(settings(host.daemon.tls_uri())).open("here") as hypervisor:
        assert hypervisor.ping(UUID) is True
        assert UUID in {domain.uuid for domain in hypervisor.domains()}
    for certificates in ("stranger", "nobody"):
        hypervisors = LibvirtHypervisors(settings(host.daemon.tls_uri(certificates)))
        with pytest.raises(SourceUnavailable), hypervisors.open("here") as hypervisor:
            hypervisor.domains()


def test_a_guest_whose_disk_fails_is_paused_and_at_fault(host: Host) -> None:
    connection = libvirt.open(guests.URI)
    kernel, packed = host.guest.kernel, host.guest.packed
    guest = guests.Guest(connection, FULL, host.folder, kernel, packed, host.daemon.full_disk)
    _until(lambda: host.ping(FULL) is True, "the guest's agent answers")
    assert host.domain(FULL).fault is None
    guest.write_to_its_disk()
    _until(lambda: host.domain(FULL).fault is Fault.IO_ERROR, "the failed disk is seen")
    assert not host.domain(FULL).running
    guest.domain.destroy()
    connection.close()


def test_nobody_listens_is_found_fast() -> None:
    from instance_ha.libvirt.hypervisors import LibvirtHypervisors

    begun = time.monotonic()
    with pytest.raises(SourceUnavailable), LibvirtHypervisors(settings("qemu+tcp://127.0.0.1:1/system")).open("here"):
        pass
    assert time.monotonic() - begun < 2


def test_a_guest_whose_qemu_dies_has_failed_and_one_that_is_started_again_has_another_id(host: Host) -> None:
    before = host.domain().id
    host.guest.kill(host.folder)
    _until(lambda: host.domain().fault is Fault.FAILED, "the crash is seen")
    assert host.domain().id is None
    host.guest.domain.create()
    _until(lambda: host.ping() is True, "the agent answers")
    after = host.domain()
    assert (after.fault, after.running) == (None, True)
    assert after.id != before


def test_a_guest_that_is_shut_down_is_not_at_fault(host: Host) -> None:
    host.guest.domain.destroy()
    assert (host.domain().running, host.domain().fault, host.domain().id) == (False, None, None)


def test_a_real_guest_that_hangs_is_reported_at_its_threshold_and_again_when_it_hangs_again(
    host: Host, database_url: str
) -> None:
    policy = {"guest_monitoring": "true", "guest_monitoring_interval": "1", "guest_monitoring_timeout": "1"}
    policy |= {"guest_monitoring_failure_threshold": "2", "libvirt_uri": guests.URI, "libvirt_hostname": "here"}
    policy |= {"duplicate_notification_detection_interval": "2"}
    simulation = Simulation(database_url, policy, CloudOptions(), Faults(), host.hypervisors)
    simulation.cloud.add_host("here")
    (server,) = simulation.cloud.boot("here", ["vm"])
    segment = {"name": "one", "service_type": "COMPUTE", "recovery_method": "auto"}
    made = simulation.request("api-segments", "POST", "/v1/segments", {"segment": segment}).get_json()["segment"]
    body = {"name": "here", "type": "COMPUTE", "control_attributes": "SSH"}
    simulation.request("api-hosts", "POST", f"/v1/segments/{made['uuid']}/hosts", {"host": body})
    guest = guests.Guest(libvirt.open(guests.URI), server.id, host.folder, host.guest.kernel, host.guest.packed)
    # the whole installation lives in real time
    world = simulation.world = replace(simulation.world, clock=SystemClock(), database=Database(database_url))

    def poll() -> list[Any]:
        watch.poll_once(world, world.deadline())
        listed = simulation.request("api-notifications", "GET", "/v1/notifications").get_json()["notifications"]
        return [(n["type"], n["payload"]["vir_domain_event"], n["payload"]["instance_uuid"]) for n in listed]

    for times in (1, 2):
        _until(lambda: poll() is not None and _state(world, server.id) == "healthy", "the guest has answered")
        guest.hang(15)
        _until(lambda n=times: len(poll()) == n, "it is reported")
        with world.database.begin() as connection:
            connection.execute(text("UPDATE notifications SET status = 'finished'"))  # nobody recovers it here
    assert poll() == [("VM", "STOPPED_FAILED", server.id)] * 2
    guest.domain.destroy()


def _state(world: World, uuid: str) -> str | None:
    with world.database.begin() as connection:
        query = text("SELECT state FROM guest_health WHERE instance_uuid = :uuid")
        return connection.execute(query, {"uuid": uuid}).scalar_one_or_none()
