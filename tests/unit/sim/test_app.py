"""The HTTP side, in the test's own process and mostly under virtual time."""

import json
from pathlib import Path
from typing import Any

import keystoneauth1.session
import openstack
import pytest
import requests
from instance_ha_simulator.cloud.__main__ import write_private
from instance_ha_simulator.cloud.adapter import URL, session
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import ManualClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import clouds_yaml
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.cloud.server import LoopbackServer
from keystoneauth1.identity import v3


class Client:
    """A user of the cloud, without a network."""

    def __init__(self, cloud: Cloud, name: str = "admin") -> None:
        self.cloud = cloud
        self.user = cloud.identity.users[name]
        self.http = session(create_app(cloud))

    def login(self, scoped: bool = True, password: str | None = None) -> requests.Response:
        user = {
            "name": self.user.name,
            "domain": {"id": "default"},
            "password": password or self.user.password,
        }
        auth: dict[str, Any] = {"identity": {"methods": ["password"], "password": {"user": user}}}
        if scoped:
            auth["scope"] = {"project": {"name": self.user.project.name, "domain": {"id": "default"}}}
        answer = self.http.post(f"{URL}identity/v3/auth/tokens", json={"auth": auth})
        self.http.headers["X-Auth-Token"] = answer.headers.get("X-Subject-Token", "")
        return answer

    def get(self, path: str) -> requests.Response:
        self.http.headers["OpenStack-API-Version"] = "compute 2.90"
        return self.http.get(f"{URL}compute/v2.1{path}")

    def post(self, path: str, body: Any) -> requests.Response:
        return self.http.post(f"{URL}compute/v2.1{path}", json=body)


@pytest.fixture
def cloud() -> Cloud:
    made = Cloud(ManualClock(), CloudOptions(instance_ha_url="http://ha.test/v1/%(project_id)s"))
    for name in ("a", "b"):
        made.add_host(name)
    return made


@pytest.fixture
def admin(cloud: Cloud) -> Client:
    client = Client(cloud)
    client.login()
    return client


def connect(cloud: Cloud) -> Any:
    user = cloud.identity.users["admin"]
    auth = v3.Password(
        auth_url=f"{URL}identity/v3",
        username=user.name,
        password=user.password,
        project_name=user.project.name,
        user_domain_id="default",
        project_domain_id="default",
    )
    made = keystoneauth1.session.Session(auth=auth, session=session(create_app(cloud)))
    return openstack.connection.Connection(session=made, region_name="RegionOne")


def test_sdk_evacuates_in_virtual_time(cloud: Cloud) -> None:
    connection = connect(cloud)
    (server,) = cloud.boot("a", metadata={"HA_Enabled": "True"})
    cloud.kill_host("a")
    cloud.clock.sleep(61)
    assert {s.host: s.state for s in connection.compute.services(binary="nova-compute")} == {
        "a": "down",
        "b": "up",
    }
    connection.compute.default_microversion = "2.90"
    connection.compute.evacuate_server(server.id)
    cloud.clock.sleep(2)
    assert connection.compute.get_server(server.id).compute_host == "b"
    (record,) = connection.compute.migrations(migration_type="evacuation")
    assert (record.status, record.dest_compute) == ("done", "b")
    assert {h.name for h in connection.compute.hypervisors()} == {"a", "b"}


def test_token_and_catalogue(cloud: Cloud) -> None:
    client = Client(cloud, "masakari")
    token = client.login().json()["token"]
    assert "admin" in [role["name"] for role in token["roles"]]
    urls = {entry["type"]: entry["endpoints"][0]["url"] for entry in token["catalog"]}
    assert urls["instance-ha"] == f"http://ha.test/v1/{client.user.project.id}"
    assert set(urls) == {"identity", "compute", "placement", "instance-ha"}


def exchange(client: Client, token: str) -> requests.Response:
    """Ask for a token by a token, as Horizon does."""
    scope = {"project": {"id": client.user.project.id}}
    auth = {"identity": {"methods": ["token"], "token": {"id": token}}, "scope": scope}
    return client.http.post(f"{URL}identity/v3/auth/tokens", json={"auth": auth})


def test_a_token_for_a_token_is_of_the_same_user_and_lives_no_longer(cloud: Cloud, admin: Client) -> None:
    first = admin.login()
    cloud.clock.sleep(60)
    second = exchange(admin, first.headers["X-Subject-Token"])
    assert second.headers["X-Subject-Token"] != first.headers["X-Subject-Token"]
    for same in ("user", "project", "roles", "expires_at"):
        assert second.json()["token"][same] == first.json()["token"][same]


def test_nothing_is_given_for_a_token_that_is_not_good(admin: Client) -> None:
    assert exchange(admin, "nonsense").status_code == 401


def test_bad_password(cloud: Cloud) -> None:
    answer = Client(cloud).login(password="wrong")
    assert answer.status_code == 401
    assert answer.json()["error"]["title"] == "Unauthorized"


def test_unscoped_token_is_not_enough(cloud: Cloud) -> None:
    client = Client(cloud)
    assert "project" not in client.login(scoped=False).json()["token"]
    assert client.get("/servers").status_code == 401


def test_validation_of_tokens(cloud: Cloud, admin: Client) -> None:
    url = f"{URL}identity/v3/auth/tokens"
    demo = Client(cloud, "demo")
    subject = demo.login().headers["X-Subject-Token"]
    good = admin.http.get(url, headers={"X-Subject-Token": subject})
    assert (good.status_code, good.json()["token"]["user"]["name"]) == (200, "demo")
    assert admin.http.get(url, headers={"X-Subject-Token": "x"}).status_code == 404
    other = {"X-Subject-Token": str(admin.http.headers["X-Auth-Token"])}
    assert demo.http.get(url, headers=other).status_code == 403
    assert session(create_app(cloud)).get(url, headers=other).status_code == 401


def test_tokens_end(cloud: Cloud, admin: Client) -> None:
    assert admin.get("/servers").status_code == 200
    cloud.clock.sleep(3600)
    assert admin.get("/servers").status_code == 401
    admin.login()
    cloud.identity.expire_all()
    assert admin.get("/servers").status_code == 401
    token = admin.login().headers["X-Subject-Token"]
    cloud.identity.revoke(token)
    assert admin.get("/servers").status_code == 401


@pytest.mark.parametrize(
    "path",
    ["/os-services", "/os-migrations", "/os-hypervisors", "/os-aggregates", "/servers/detail?all_tenants=1"],
)
def test_users_without_the_role_are_refused(cloud: Cloud, path: str) -> None:
    client = Client(cloud, "demo")
    client.login()
    answer = client.get(path)
    assert answer.status_code == 403
    assert answer.json()["forbidden"]["message"].startswith("Policy doesn't allow os_compute_api:")


def test_users_see_their_own_servers(cloud: Cloud, admin: Client) -> None:
    (own,) = cloud.boot("a")
    (other,) = cloud.boot("a", project_id=admin.user.project.id)
    client = Client(cloud, "demo")
    client.login()
    (shown,) = client.get("/servers/detail").json()["servers"]
    assert shown["id"] == own.id
    assert "OS-EXT-SRV-ATTR:host" not in shown
    assert client.get(f"/servers/{other.id}").status_code == 404
    assert client.post(f"/servers/{own.id}/action", {"evacuate": {"onSharedStorage": True}}).status_code == 403


def test_changes_since_shows_the_deleted(cloud: Cloud, admin: Client) -> None:
    old, gone = cloud.boot("a", 2)
    cloud.clock.sleep(10)
    since = cloud.clock.now().strftime("%Y-%m-%dT%H:%M:%SZ")
    cloud.clock.sleep(10)
    cloud.delete_server(gone.id)
    (shown,) = admin.get(f"/servers/detail?all_tenants=1&changes-since={since}").json()["servers"]
    assert (shown["id"], shown["status"]) == (gone.id, "DELETED")
    (left,) = admin.get("/servers?all_tenants=1").json()["servers"]
    assert left["id"] == old.id


def test_pages_hold_no_more_than_the_max_limit_whatever_is_asked_for(cloud: Cloud, admin: Client) -> None:
    cloud.boot("a", 101)
    page = admin.get("/servers?all_tenants=1&limit=5000").json()
    assert len(page["servers"]) == 100
    assert "servers_links" in admin.get("/servers?all_tenants=1").json()


def test_disabling_a_dead_host_takes_virtual_time_and_no_lock(cloud: Cloud, admin: Client) -> None:
    service = admin.get("/os-services?host=a").json()["services"][0]["id"]
    cloud.kill_host("a")
    before = cloud.clock.now()
    url = f"{URL}compute/v2.1/os-services/{service}"
    answer = admin.http.put(url, json={"status": "disabled"})
    assert answer.status_code == 200
    assert (cloud.clock.now() - before).total_seconds() == 60
    admin.http.put(url, json={"status": "enabled", "forced_down": True})
    assert (cloud.clock.now() - before).total_seconds() == 60


def test_requests_are_counted_by_route(cloud: Cloud, admin: Client) -> None:
    (server,) = cloud.boot("a")
    admin.get(f"/servers/{server.id}")
    admin.get("/servers/nope")
    assert cloud.requests["GET", "/compute/v2.1/servers/{server_id}"] == 2
    assert cloud.requests["POST", "/identity/v3/auth/tokens"] == 1


def test_faults(cloud: Cloud, admin: Client) -> None:
    cloud.faults.add(Rule(method="GET", path="/os-services", status=503, body={"x": 1}, times=1))
    answer = admin.get("/os-services")
    assert (answer.status_code, answer.json()) == (503, {"x": 1})
    assert admin.get("/os-services").status_code == 200
    cloud.faults.add(Rule(path="/os-services", latency=5))
    before = cloud.clock.now()
    assert admin.get("/os-services").status_code == 200
    assert (cloud.clock.now() - before).total_seconds() == 5
    cloud.faults.clear()
    cloud.faults.add(Rule(drop=True, times=1))
    with pytest.raises(requests.ConnectionError):
        admin.get("/os-services")
    assert admin.get("/os-services").status_code == 200


def test_answer_lost_after_the_request_took_effect(cloud: Cloud, admin: Client) -> None:
    (server,) = cloud.boot("a")
    cloud.faults.add(Rule(method="POST", path="/action$", drop=True, after=True, times=1))
    with pytest.raises(requests.ConnectionError):
        admin.post(f"/servers/{server.id}/action", {"lock": None})
    assert cloud.server(server.id).locked_by == "admin"


def test_latency_of_nova() -> None:
    cloud = Cloud(ManualClock(), CloudOptions(latency=0.25))
    before = cloud.clock.now()
    client = Client(cloud)
    client.login()
    assert cloud.clock.now() == before
    client.get("/servers")
    assert (cloud.clock.now() - before).total_seconds() == 0.25


def test_dropped_connection_over_http(cloud: Cloud) -> None:
    server = LoopbackServer(create_app(cloud))
    server.start()
    try:
        cloud.faults.add(Rule(drop=True, times=1))
        with pytest.raises(requests.ConnectionError):
            requests.get(f"{server.url}/identity/v3", timeout=5)
        assert requests.get(f"{server.url}/identity/v3", timeout=5).status_code == 200
    finally:
        server.stop()


def test_control_api(cloud: Cloud) -> None:
    http = session(create_app(cloud))

    def post(path: str, body: Any = None) -> requests.Response:
        return http.post(f"{URL}sim/{path}", json=body)

    assert post("hosts", {"name": "c", "capacity": 5}).status_code == 201
    made = post("servers", {"host": "c", "names": ["x"], "metadata": {"HA_Enabled": "True"}})
    assert made.status_code == 201
    assert post("hosts/c/kill").status_code == 204
    cloud.clock.sleep(100)
    state = http.get(f"{URL}sim/state").json()
    assert [host["state"] for host in state["hosts"]] == ["up", "up", "down"]
    assert [server["name"] for server in state["servers"]] == ["x"]
    assert post("hosts/c/start").status_code == 204
    assert post("faults", {"path": "/os-services", "status": 500}).status_code == 201
    assert http.delete(f"{URL}sim/faults").status_code == 204
    assert post("hosts/nope/kill").status_code == 404
    assert post("hosts", {"nam": "c"}).status_code == 400
    assert post("servers").status_code == 400


def test_clouds_yaml(cloud: Cloud, tmp_path: Path) -> None:
    path = tmp_path / "clouds.yaml"
    write_private(path, clouds_yaml(cloud, "http://127.0.0.1:1/"))
    assert path.stat().st_mode & 0o777 == 0o600
    clouds = json.loads(path.read_text())["clouds"]
    assert set(clouds) == {"admin", "masakari", "demo"}
    assert clouds["demo"]["auth"]["auth_url"] == "http://127.0.0.1:1/identity/v3"
    assert len({entry["auth"]["password"] for entry in clouds.values()}) == 3


def test_a_late_request_is_answered_at_once_and_carried_out_later(cloud: Cloud, admin: Client) -> None:
    (server,) = cloud.boot("a", 1)
    cloud.faults.add(Rule(method="POST", path="/action", late=100, times=1))
    answer = admin.post(f"/servers/{server.id}/action", {"os-stop": None})
    cloud.clock.sleep(99)
    before = cloud.server(server.id).vm_state
    cloud.clock.sleep(2)
    assert (answer.status_code, before, cloud.server(server.id).vm_state) == (504, "active", "stopped")


def test_an_unreachable_cell_is_left_out_of_filtered_lists_and_shown_with_few_fields_in_others(
    cloud: Cloud, admin: Client
) -> None:
    (server,) = cloud.boot("a", 1)
    cloud.set_cell("cell1", answers=False)
    (shown,) = admin.get("/servers/detail?all_tenants=1").json()["servers"]
    assert (shown["id"], shown["status"], "OS-EXT-STS:vm_state" in shown) == (server.id, "UNKNOWN", False)
    assert admin.get("/servers/detail?all_tenants=1&host=a").json()["servers"] == []
    assert admin.get(f"/servers/{server.id}").json()["server"]["status"] == "UNKNOWN"
    assert admin.post(f"/servers/{server.id}/action", {"os-stop": None}).status_code == 500
    services = admin.get("/os-services?binary=nova-compute").json()["services"]
    assert [service["status"] for service in services] == ["UNKNOWN", "UNKNOWN"]
    assert admin.get("/os-migrations").json() == {"migrations": []}
    assert admin.get("/os-hypervisors/detail?hypervisor_hostname_pattern=a").status_code == 500
