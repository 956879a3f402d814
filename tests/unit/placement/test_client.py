"""What Placement says, read by the client from the simulated one."""

import pytest
from instance_ha.models.errors import CloudRefused
from instance_ha.placement import PlacementClient
from instance_ha_simulator.cloud.adapter import URL, session
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import ManualClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.model import CloudOptions
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth
from keystoneauth1.session import Session


@pytest.fixture
def cloud() -> Cloud:
    """Two hosts; an instance of the second has a virtual GPU."""
    made = Cloud(ManualClock(), CloudOptions(noauth=True))
    made.add_host("plain", capacity=10)
    made.add_host("card", capacity=10)
    made.boot("card", ["drawing"], device=True)
    return made


@pytest.fixture
def placement(cloud: Cloud) -> PlacementClient:
    made = Session(auth=NoAuth(), session=session(create_app(cloud)))
    return PlacementClient(Adapter(made, endpoint_override=f"{URL}placement"), timeout=5)


def root(cloud: Cloud, name: str) -> str:
    return next(host.hypervisor_id for host in cloud.hosts() if host.name == name)


def nested(cloud: Cloud, placement: PlacementClient) -> str:
    (card,) = {one.uuid for one in placement.providers()} - {root(cloud, "plain"), root(cloud, "card")}
    return card


def test_a_nested_provider_has_the_one_of_its_host_as_root(cloud: Cloud, placement: PlacementClient) -> None:
    card = nested(cloud, placement)
    assert {one.uuid: one.root for one in placement.providers()} == {
        root(cloud, "plain"): root(cloud, "plain"),
        root(cloud, "card"): root(cloud, "card"),
        card: root(cloud, "card"),
    }
    assert placement.with_trait("COMPUTE_NODE") == {root(cloud, "plain"), root(cloud, "card")}


def test_a_trait_that_placement_does_not_know_is_no_providers(placement: PlacementClient) -> None:
    assert placement.with_trait("CUSTOM_NONE") == frozenset()


def test_a_server_takes_of_its_host_what_its_size_is(cloud: Cloud, placement: PlacementClient) -> None:
    (small,), (large,) = cloud.boot("plain"), cloud.boot("plain", size=4)
    taken = placement.allocations(root(cloud, "plain"))
    assert taken[small.id] == {"VCPU": 1, "MEMORY_MB": 64, "DISK_GB": 1}
    assert taken[large.id] == {"VCPU": 4, "MEMORY_MB": 256, "DISK_GB": 4}
    assert placement.inventories(root(cloud, "plain"))["MEMORY_MB"].free == 10 * 64


def test_a_virtual_gpu_is_taken_of_the_nested_provider(cloud: Cloud, placement: PlacementClient) -> None:
    (drawing,), (plain,) = cloud.servers(), cloud.boot("card")
    card = nested(cloud, placement)
    assert placement.allocations(card) == {drawing.id: {"VGPU": 1}}
    assert placement.allocations(root(cloud, "card")).keys() == {plain.id, drawing.id}
    assert (set(placement.inventories(card)), "VGPU" in placement.inventories(root(cloud, "card"))) == ({"VGPU"}, False)


@pytest.mark.parametrize("status", ["preparing", "running"])
def test_a_server_takes_of_the_host_that_it_is_on_its_way_to(
    status: str, cloud: Cloud, placement: PlacementClient
) -> None:
    (server,) = cloud.boot("plain")
    cloud.live_migrate(server.id, "card", status)
    assert all(server.id in placement.allocations(root(cloud, host)) for host in ("plain", "card"))


def test_an_evacuated_server_takes_of_its_dead_host_until_that_is_back(
    cloud: Cloud, placement: PlacementClient
) -> None:
    (server,) = cloud.boot("plain")
    cloud.kill_host("plain")
    cloud.clock.sleep(100)
    user = cloud.identity.users["admin"]
    cloud.evacuate(server.id, cloud.identity.issue(user, user.project.id), "card")
    cloud.clock.sleep(100)
    assert cloud.server(server.id).host == "card"
    both = [server.id in placement.allocations(root(cloud, name)) for name in ("plain", "card")]
    cloud.start_host("plain")
    cloud.clock.sleep(100)
    after = [server.id in placement.allocations(root(cloud, name)) for name in ("plain", "card")]
    assert (both, after) == ([True, True], [False, True])


def test_a_provider_that_does_not_exist_is_refused(placement: PlacementClient) -> None:
    with pytest.raises(CloudRefused):
        placement.inventories("7e000000-0000-4000-8000-000000000000")
