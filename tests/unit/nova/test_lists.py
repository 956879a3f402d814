"""What Nova's lists lack: the client notices it, tested with the simulated cloud."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime

import pytest
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.errors import CloudUnavailable
from instance_ha.nova import NovaClient
from instance_ha_simulator.cloud.adapter import URL, session
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import ManualClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.cloud.model import CloudOptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session

HOST = "compute1"
LIST, HYPERVISORS = "/servers/detail", "/os-hypervisors"
Connect = Callable[[CloudOptions], tuple[Cloud, NovaClient]]


@pytest.fixture
def connect() -> Connect:
    """Make a cloud with two hosts in two cells, and our client of it, which asks for pages of 500."""

    def connect_(options: CloudOptions) -> tuple[Cloud, NovaClient]:
        cloud = Cloud(ManualClock(), replace(options, domain="example.test"))
        for number in (1, 2):
            cloud.add_host(f"compute{number}", cell=f"cell{number}")
        user = cloud.identity.users["masakari"]
        auth = Password(
            f"{URL}identity/v3",
            username=user.name,
            password=user.password,
            project_name=user.project.name,
            user_domain_id="default",
            project_domain_id="default",
        )
        made = Session(auth=auth, session=session(create_app(cloud)))
        adapter = Adapter(made, service_type="compute", endpoint_override=f"{URL}compute/v2.1")
        return cloud, NovaClient(adapter, cloud.clock, timeout=5, list_timeout=5, page_size=500, metrics=Recorder())

    return connect_


def names(nova: NovaClient, host: str = HOST) -> list[str]:
    return sorted(server.name for page in nova.servers_on(host) for server in page)


def test_of_two_services_of_a_host_only_the_one_that_is_up_counts(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions())
    cloud.add_host("compute3", old_service_in="cell2")
    found = [service for service in nova.services() if service.host == "compute3"]
    assert [service.up for service in found] == [True]


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 6])
def test_all_servers_of_a_host_are_read_however_short_nova_cuts_its_pages(connect: Connect, count: int) -> None:
    cloud, nova = connect(CloudOptions(max_limit=2))
    cloud.boot(HOST, [f"vm-{number}" for number in range(count)])
    assert names(nova) == [f"vm-{number}" for number in range(count)]


def test_all_locked_servers_are_read_however_short_nova_cuts_its_pages(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions(max_limit=2))
    booted = cloud.boot(HOST, 5)
    before = cloud.clock.now()
    for server in booted:
        nova.lock(server.id, "masakari: test")
    assert {server.id for server in nova.locked_servers(before)} == {server.id for server in booted}


def changed(nova: NovaClient, since: datetime, host: str | None = None) -> set[str]:
    return {server.id for page in nova.changed_servers(since, host) for server in page}


def test_all_changed_servers_are_read_however_short_nova_cuts_its_pages(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions(max_limit=2))
    booted = cloud.boot(HOST, 5)
    assert changed(nova, cloud.clock.now()) == {server.id for server in booted}


def test_the_changed_servers_of_a_host_are_listed_alone(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions())
    booted = cloud.boot(HOST, 2)
    cloud.boot("compute2", 2)
    assert changed(nova, cloud.clock.now(), HOST) == {server.id for server in booted}


def test_all_evacuation_records_are_read_however_short_nova_cuts_its_pages(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions(max_limit=2))
    booted = cloud.boot(HOST, 5)
    cloud.kill_host(HOST)
    cloud.clock.sleep(100)
    for server in booted:
        nova.evacuate(server.id, None)
    records = list(nova.evacuations_from(HOST, 0, 100))
    assert [record.id for record in records] == [5, 4, 3, 2, 1]
    assert {record.server_id for record in records} == {server.id for server in booted}


def test_the_last_power_action_is_found_behind_pages_of_other_actions(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions(max_limit=2))
    (server,) = cloud.boot(HOST, 1)
    nova.stop(server.id)
    for _ in range(4):
        nova.lock(server.id, "masakari: test")
    action = nova.last_power_action(server.id)
    assert action is not None
    assert action.name == "stop"


def test_only_servers_that_are_on_the_host_are_read_where_nova_ignores_the_filter(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions(max_limit=2, host_filter=False))
    cloud.boot(HOST, ["here-1", "here-2"])
    cloud.boot("compute2", ["there-1", "there-2", "there-3"])
    assert names(nova) == ["here-1", "here-2"]


def test_an_empty_list_is_not_believed_when_the_hosts_cell_has_servers_on_it(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions())
    cloud.boot(HOST, 3)
    cloud.faults.add(Rule(method="GET", path=LIST, status=200, body={"servers": []}, times=1))
    with pytest.raises(CloudUnavailable, match="but knows of"):
        names(nova)


def test_a_list_whose_cell_stops_answering_between_two_pages_is_not_believed(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions(max_limit=2))
    cloud.boot(HOST, 4)
    pages = nova.servers_on(HOST)
    next(pages)
    cloud.faults.add(Rule(method="GET", path=LIST, status=200, body={"servers": []}, times=1))
    with pytest.raises(CloudUnavailable, match="but knows of"):
        list(pages)


@pytest.mark.parametrize("refusal", [403, 404, 500])
def test_a_short_list_is_noticed_by_a_second_one_where_hypervisors_are_not_shown(
    connect: Connect, refusal: int
) -> None:
    cloud, nova = connect(CloudOptions())
    cloud.boot(HOST, ["vm-1"])
    cloud.faults.add(Rule(method="GET", path=HYPERVISORS, status=refusal))
    assert names(nova) == ["vm-1"]
    cloud.faults.add(Rule(method="GET", path=LIST, status=200, body={"servers": []}, times=1))
    with pytest.raises(CloudUnavailable, match="but knows of"):
        names(nova)


def test_a_host_without_servers_has_none_and_soft_deleted_ones_do_not_count(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions())
    cloud.boot(HOST, 2, vm_state="soft-delete")
    assert names(nova) == []


@pytest.mark.parametrize("hypervisors", [True, False])
def test_nothing_is_known_of_a_host_whose_cell_does_not_answer(connect: Connect, hypervisors: bool) -> None:
    cloud, nova = connect(CloudOptions())
    (server,) = cloud.boot(HOST, 1)
    cloud.set_cell("cell1", answers=False)
    if not hypervisors:
        cloud.faults.add(Rule(method="GET", path=HYPERVISORS, status=403))
    for ask in (
        lambda: names(nova),
        lambda: nova.service(HOST),
        lambda: nova.server(server.id),
        lambda: nova.evacuate(server.id, None),
        lambda: nova.last_power_action(server.id),
    ):
        with pytest.raises(CloudUnavailable):
            ask()


def test_an_unreachable_cell_keeps_no_host_of_another_cell_from_being_read(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions())
    cloud.boot(HOST, ["vm-1"])
    cloud.set_cell("cell2", answers=False)
    assert names(nova) == ["vm-1"]
    service = nova.service(HOST)
    assert service is not None
    assert service.up


def test_a_server_whose_host_nova_does_not_show_is_not_taken_for_one_without_a_host(connect: Connect) -> None:
    cloud, nova = connect(CloudOptions())
    (server,) = cloud.boot(HOST, 1)
    shown = {"id": server.id, "name": "vm", "OS-EXT-STS:vm_state": "active"}
    cloud.faults.add(Rule(method="GET", path=f"/servers/{server.id}", status=200, body={"server": shown}))
    with pytest.raises(CloudUnavailable, match="policy"):
        nova.server(server.id)
