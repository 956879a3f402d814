"""Our client's whole conversation with Nova, held with the simulated cloud and with a real one."""

from datetime import UTC, datetime, timedelta
from uuid import uuid4

import pytest
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.cloud import PowerAction
from instance_ha.models.errors import CloudRefused
from instance_ha.nova import NovaClient
from instance_ha.world import SystemClock
from keystoneauth1.adapter import Adapter

from tests.contract.backends import HOST, Backend

OTHER_HOST = "compute1"
UNKNOWN = "00000000-0000-4000-8000-000000000000"


@pytest.fixture
def client(nova: Backend) -> NovaClient:
    """Our client, with pages of two servers."""
    adapter = Adapter(session=nova.session, service_type="compute")
    return NovaClient(adapter, SystemClock(), timeout=30, list_timeout=60, page_size=2, metrics=Recorder())


def test_a_compute_service_is_found_by_its_host_and_an_unknown_host_has_none(client: NovaClient) -> None:
    service = client.service(HOST)

    assert service is not None
    assert (service.host, service.up, service.disabled, service.disabled_reason) == (HOST, True, False, None)
    assert client.service("no-such-host") is None


def test_all_pages_of_servers_are_read(nova: Backend, client: NovaClient) -> None:
    booted = nova.boot(5)

    pages = list(client.servers_on(HOST))
    listed = [server for page in pages for server in page]

    assert {2} == {len(page) for page in pages[:-1]}
    assert len(listed) == len({server.id for server in listed})
    assert set(booted) <= {server.id for server in listed}
    assert {(HOST, "active", False)} == {(s.host, s.vm_state, s.locked) for s in listed if s.id in booted}


def test_an_evacuation_is_refused_with_novas_words_while_the_host_is_up(nova: Backend, client: NovaClient) -> None:
    (server,) = nova.boot(1)

    with pytest.raises(CloudRefused) as refusal:
        client.evacuate(server, None)

    assert refusal.value.code == 400
    assert "still in use" in str(refusal.value)


def test_a_dead_host_is_disabled_and_forced_down_at_once_and_its_server_evacuated(
    nova: Backend, client: NovaClient
) -> None:
    (server,) = nova.boot(1)
    newest = next(client.evacuations_from(HOST, 0, 1), None)
    mark = newest.id if newest else 0
    nova.kill()
    service = client.service(HOST)
    assert service is not None

    client.disable_service(service.id, "test", force_down=True, timeout=10)
    down = client.service(HOST)
    client.evacuate(server, None)
    nova.wait(lambda: any(m.moved for m in client.evacuations_from(HOST, mark, 2)))
    moved = client.server(server)

    assert down is not None
    assert (down.up, down.disabled, down.disabled_reason, down.forced_down) == (False, True, "test", True)
    assert moved is not None
    assert moved.host not in {None, HOST}
    assert (moved.vm_state, moved.task_state) == ("active", None)
    assert [server] == [m.server_id for m in client.evacuations_from(HOST, mark, 2)]


def test_a_lock_tells_its_reason_and_is_taken_away(nova: Backend, client: NovaClient) -> None:
    (server,) = nova.boot(1)

    client.lock(server, "masakari: test")
    locked = client.server(server)
    client.unlock(server)
    unlocked = client.server(server)

    assert locked is not None
    assert (locked.locked, locked.locked_reason) == (True, "masakari: test")
    assert unlocked is not None
    assert not unlocked.locked


def test_an_unknown_server_is_none_and_an_action_on_it_is_refused_with_404(client: NovaClient) -> None:
    assert client.server(UNKNOWN) is None
    with pytest.raises(CloudRefused) as refusal:
        client.lock(UNKNOWN, "test")
    assert refusal.value.code == 404


def test_the_list_of_locked_servers_has_what_was_locked_since_and_nothing_else(
    nova: Backend, client: NovaClient
) -> None:
    ours, owners, unlocked = nova.boot(3)
    before = datetime.now(UTC) - timedelta(seconds=30)
    client.lock(ours, "masakari: test")
    client.lock(owners, "mine")

    locked = {server.id: server.locked_reason for server in client.locked_servers(before)}
    client.unlock(ours)
    still = {server.id for server in client.locked_servers(before)}

    assert {ours: "masakari: test", owners: "mine"}.items() <= locked.items()
    assert unlocked not in locked
    assert (ours in still, owners in still) == (False, True)
    assert client.locked_servers(datetime.now(UTC) + timedelta(hours=1)) == []


def test_the_list_of_changed_servers_has_what_has_changed_since_and_not_what_is_deleted(
    nova: Backend, client: NovaClient
) -> None:
    (changed,) = nova.boot(1)
    before, booted = datetime.now(UTC) - timedelta(minutes=5), client.server(changed)
    assert booted is not None
    everywhere, there, elsewhere = (
        {server.id for page in client.changed_servers(before, name) for server in page}
        for name in (None, booted.host, "none")
    )
    assert changed in everywhere & there
    assert changed not in elsewhere
    assert list(client.changed_servers(datetime.now(UTC) + timedelta(hours=1))) == []


def test_a_host_joins_and_leaves_an_aggregate_and_doing_it_twice_is_fine(nova: Backend, client: NovaClient) -> None:
    wanted = {"aggregate": {"name": f"contract-{uuid4().hex[:8]}"}}
    made = nova.call("POST", "/os-aggregates", wanted).json()["aggregate"]

    for _ in range(2):
        client.join_aggregate(made["id"], HOST)
    joined = next(one for one in client.aggregates() if one.id == made["id"])
    for _ in range(2):
        client.leave_aggregate(made["id"], HOST)
    left = next(one for one in client.aggregates() if one.id == made["id"])
    nova.call("DELETE", f"/os-aggregates/{made['id']}")

    assert (joined.name, joined.hosts, left.hosts) == (made["name"], frozenset({HOST}), frozenset())


def test_a_disabled_service_is_enabled_again(client: NovaClient) -> None:
    service = client.service(HOST)
    assert service is not None

    client.disable_service(service.id, "test", force_down=False, timeout=None)
    disabled = client.service(HOST)
    client.enable_service(service.id)
    enabled = client.service(HOST)

    assert disabled is not None
    assert enabled is not None
    assert (disabled.disabled, enabled.disabled) == (True, False)


def test_an_evacuation_goes_to_the_host_that_was_named(nova: Backend, client: NovaClient) -> None:
    (server,) = nova.boot(1)
    newest = next(client.evacuations_from(HOST, 0, 1), None)
    mark = newest.id if newest else 0
    nova.kill_and_force_down()

    client.evacuate(server, OTHER_HOST)
    nova.wait(lambda: any(m.moved for m in client.evacuations_from(HOST, mark, 2)))
    (record,) = client.evacuations_from(HOST, mark, 2)

    assert record.dest_host == OTHER_HOST


def test_a_host_of_another_zone_is_refused_and_that_is_not_taken_for_joined(nova: Backend, client: NovaClient) -> None:
    names = [f"contract-{uuid4().hex[:8]}" for _ in range(2)]
    zones = [{"aggregate": {"name": name, "availability_zone": name}} for name in names]
    first, second = (nova.call("POST", "/os-aggregates", zone).json()["aggregate"]["id"] for zone in zones)
    client.join_aggregate(first, HOST)
    try:
        with pytest.raises(CloudRefused) as refusal:
            client.join_aggregate(second, HOST)
        assert refusal.value.code == 409
        assert "availability zone" in str(refusal.value)
    finally:
        client.leave_aggregate(first, HOST)
        for number in (first, second):
            nova.call("DELETE", f"/os-aggregates/{number}")


def test_a_server_is_stopped_and_started_and_nova_remembers_that_we_did(nova: Backend, client: NovaClient) -> None:
    (server,) = nova.boot(1)
    seen: list[PowerAction | None] = [client.last_power_action(server)]

    client.stop(server)
    seen.append(client.last_power_action(server))
    nova.wait(lambda: nova.server(server)["OS-EXT-STS:vm_state"] == "stopped")
    client.start(server)
    seen.append(client.last_power_action(server))
    nova.wait(lambda: nova.server(server)["OS-EXT-STS:vm_state"] == "active")

    assert [action and (action.name, action.foreign) for action in seen] == [None, ("stop", False), ("start", False)]
    assert len({action.request_id for action in seen if action}) == 2


def test_a_server_is_live_migrated_to_the_host_that_was_named_and_not_to_where_it_is(
    nova: Backend, client: NovaClient
) -> None:
    (server,) = nova.boot(1)

    client.live_migrate(server, OTHER_HOST)
    nova.wait(
        lambda: (seen := client.server(server)) is not None and (seen.host, seen.task_state) == (OTHER_HOST, None)
    )
    record = client.latest_live_migration(server)

    assert record is not None
    assert (record.source_host, record.dest_host, record.status) == (HOST, OTHER_HOST, "completed")


def test_a_live_migration_of_a_stopped_server_is_refused(nova: Backend, client: NovaClient) -> None:
    (server,) = nova.boot(1)
    client.stop(server)
    nova.wait(lambda: (seen := client.server(server)) is not None and seen.vm_state == "stopped")

    with pytest.raises(CloudRefused) as refusal:
        client.live_migrate(server, OTHER_HOST)

    assert refusal.value.code == 409
