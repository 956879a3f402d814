"""What this project expects of Nova, checked alike against the simulated and (LAB_CLOUD=…) a real one."""

import threading
import time
import uuid
from typing import Any

import pytest
import requests

from tests.contract.backends import HOST, Backend


def refusal(answer: requests.Response, kind: str) -> str:
    """Return the message of an error answer in Nova's shape."""
    (body,) = answer.json().items()
    assert body[0] == kind
    assert body[1]["code"] == answer.status_code
    assert answer.headers["x-openstack-request-id"] == answer.headers["x-compute-request-id"]
    return str(body[1]["message"])


def state(server: Any) -> tuple[str, str, str | None]:
    return server["status"], server["OS-EXT-STS:vm_state"], server["OS-EXT-STS:task_state"]


class TestVersions:
    def test_document(self, backend: Backend) -> None:
        version = backend.get("/")["version"]
        assert (version["id"], version["min_version"]) == ("v2.1", "2.1")
        assert tuple(map(int, version["version"].split("."))) >= (2, 95)

    def test_version_is_answered(self, backend: Backend) -> None:
        answer = backend.call("GET", "/servers", version="2.73")
        assert answer.headers["OpenStack-API-Version"] == "compute 2.73"
        assert answer.headers["X-OpenStack-Nova-API-Version"] == "2.73"

    def test_out_of_range(self, backend: Backend) -> None:
        answer = backend.call("GET", "/servers", version="9.9")
        assert answer.status_code == 406
        assert "9.9 is not supported" in refusal(answer, "computeFault")

    def test_unreadable(self, backend: Backend) -> None:
        answer = backend.call("GET", "/servers", version="x")
        assert answer.status_code == 400
        refusal(answer, "badRequest")


class TestAuthentication:
    def test_bad_token(self, backend: Backend) -> None:
        answer = requests.get(f"{backend.endpoint}/servers", headers={"X-Auth-Token": "no"}, timeout=10)
        assert answer.status_code == 401
        assert answer.json()["error"]["code"] == 401
        assert answer.headers["WWW-Authenticate"].startswith("Keystone uri=")

    def test_sdk(self, backend: Backend) -> None:
        compute = backend.connection.compute
        assert any(service.host == HOST for service in compute.services(binary="nova-compute"))
        assert any(hypervisor.name == HOST for hypervisor in compute.hypervisors(details=True))
        list(compute.servers(all_projects=True))
        list(compute.migrations())
        list(compute.aggregates())


class TestServices:
    def test_fields(self, backend: Backend) -> None:
        service = backend.service()
        assert uuid.UUID(service.pop("id"))
        assert len(service.pop("updated_at")) == len("2026-01-01T00:00:00.000000")
        assert service == {
            "binary": "nova-compute",
            "host": HOST,
            "zone": "nova",
            "status": "enabled",
            "state": "up",
            "disabled_reason": None,
            "forced_down": False,
        }

    def test_old_version(self, backend: Backend) -> None:
        (service,) = backend.get(f"/os-services?host={HOST}", "2.1")["services"]
        assert isinstance(service["id"], int)
        assert "forced_down" not in service

    def test_controllers_are_listed_too(self, backend: Backend) -> None:
        binaries = {service["binary"] for service in backend.get("/os-services")["services"]}
        assert binaries == {"nova-compute", "nova-conductor", "nova-scheduler"}

    def test_unknown_filter(self, backend: Backend) -> None:
        assert backend.call("GET", "/os-services?bogus=1").status_code == 400
        assert backend.call("GET", "/os-services?bogus=1", version="2.53").status_code == 200

    def test_disable_and_enable(self, nova: Backend) -> None:
        answer = nova.update_service(status="disabled", disabled_reason="why")
        assert answer.status_code == 200
        assert answer.json()["service"]["disabled_reason"] == "why"
        assert nova.service()["status"] == "disabled"
        assert nova.service()["state"] == "up"
        nova.update_service(status="enabled")
        assert (nova.service()["status"], nova.service()["disabled_reason"]) == ("enabled", None)

    def test_disabling_again_drops_the_reason(self, nova: Backend) -> None:
        nova.update_service(status="disabled", disabled_reason="why")
        nova.update_service(status="disabled")
        assert nova.service()["disabled_reason"] is None

    def test_force_down_and_up(self, nova: Backend) -> None:
        nova.update_service(forced_down=True)
        assert (nova.service()["state"], nova.service()["forced_down"]) == ("down", True)
        nova.update_service(forced_down=False)
        assert (nova.service()["state"], nova.service()["forced_down"]) == ("up", False)

    @pytest.mark.parametrize(
        "changes",
        [{}, {"disabled_reason": "x"}, {"status": "x"}, {"status": "enabled", "disabled_reason": "x"}],
    )
    def test_bad_change(self, backend: Backend, changes: dict[str, str]) -> None:
        answer = backend.update_service(**changes)
        assert answer.status_code == 400
        refusal(answer, "badRequest")

    def test_unknown_service(self, backend: Backend) -> None:
        answer = backend.call("PUT", f"/os-services/{uuid.uuid4()}", {"status": "enabled"})
        assert answer.status_code == 404
        refusal(answer, "itemNotFound")
        answer = backend.call("PUT", "/os-services/12", {"status": "enabled"})
        assert answer.status_code == 400

    def test_dead_host_goes_down_by_itself(self, nova: Backend) -> None:
        nova.kill()
        assert nova.service()["state"] == "up"
        nova.wait(lambda: nova.service()["state"] == "down")
        assert nova.service()["forced_down"] is False

    def test_disabling_a_dead_host_that_counts_as_up_blocks(self, nova: Backend) -> None:
        nova.kill()
        start = time.monotonic()
        call = threading.Thread(target=nova.update_service, kwargs={"status": "disabled"})
        call.start()
        nova.wait(lambda: nova.service()["status"] == "disabled")
        assert call.is_alive(), "Nova stores the change first"
        call.join()
        assert time.monotonic() - start > 0.4

    def test_disabling_and_forcing_down_at_once_does_not_block(self, nova: Backend) -> None:
        nova.kill()
        start = time.monotonic()
        answer = nova.update_service(status="disabled", forced_down=True)
        assert time.monotonic() - start < 5
        assert answer.json()["service"]["state"] == "down"


class TestServers:
    def test_pages(self, nova: Backend) -> None:
        wanted = set(nova.boot(5))
        url = f"/servers/detail?all_tenants=1&host={HOST}&limit=2"
        seen: list[str] = []
        pages = 0
        while url:
            body = nova.get(url)
            pages += 1
            assert len(body["servers"]) <= 2
            seen += [server["id"] for server in body["servers"]]
            links = {link["rel"]: link["href"] for link in body.get("servers_links", [])}
            url = links.get("next", "").removeprefix(nova.endpoint)
        assert (len(seen), set(seen), pages) == (5, wanted, 3)

    def test_full_last_page_has_a_link_all_the_same(self, nova: Backend) -> None:
        nova.boot(2)
        path = f"/servers?all_tenants=1&host={HOST}&limit=2"
        body = nova.get(path)
        assert body["servers_links"][0]["rel"] == "next"
        assert nova.get(f"{path}&marker={body['servers'][-1]['id']}") == {"servers": []}

    def test_host_filter(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        found = nova.get(f"/servers?all_tenants=1&host={HOST}")["servers"]
        assert [s["id"] for s in found] == [server]
        assert set(found[0]) == {"id", "name", "links"}
        others = nova.get("/servers?all_tenants=1&host=compute1")["servers"]
        assert server not in [s["id"] for s in others]

    @pytest.mark.parametrize("query", ["marker=nope", "limit=x", "limit=-1", "changes-since=x", "bogus=1"])
    def test_bad_query(self, backend: Backend, query: str) -> None:
        answer = backend.call("GET", f"/servers/detail?all_tenants=1&{query}")
        assert answer.status_code == 400
        refusal(answer, "badRequest")

    def test_fields(self, nova: Backend) -> None:
        server = nova.server(nova.boot(1)[0])
        assert state(server) == ("ACTIVE", "active", None)
        assert server["OS-EXT-STS:power_state"] == 1
        assert server["OS-EXT-SRV-ATTR:host"] == HOST
        assert server["OS-EXT-SRV-ATTR:hypervisor_hostname"] == HOST
        assert server["OS-EXT-AZ:availability_zone"] == "nova"
        assert server["host_status"] == "UP"
        assert server["locked"] is False
        assert server["metadata"] == {}
        assert "fault" not in server
        assert {"id", "name", "tenant_id", "user_id", "created", "updated", "flavor", "image"} <= set(server)

    def test_unknown(self, backend: Backend) -> None:
        missing = str(uuid.uuid4())
        for answer in (
            backend.call("GET", f"/servers/{missing}"),
            backend.call("DELETE", f"/servers/{missing}"),
            backend.act(missing, "os-stop"),
            backend.act(missing, "evacuate", {}),
        ):
            assert answer.status_code == 404
            assert refusal(answer, "itemNotFound").startswith(f"Instance {missing} ")

    def test_lock_and_unlock(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        assert nova.act(server, "lock", {"locked_reason": "busy"}).status_code == 202
        assert nova.act(server, "lock", {"locked_reason": "again"}).status_code == 202
        now = nova.server(server)
        assert (now["locked"], now["locked_reason"]) == (True, "busy")
        assert "locked_reason" not in nova.server(server, "2.72")
        assert nova.act(server, "unlock").status_code == 202
        now = nova.server(server)
        assert (now["locked"], now["locked_reason"]) == (False, None)

    def test_stop_and_start(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        assert nova.act(server, "os-stop").status_code == 202
        nova.wait(lambda: state(nova.server(server)) == ("SHUTOFF", "stopped", None))
        answer = nova.act(server, "os-stop")
        assert answer.status_code == 409
        assert refusal(answer, "conflictingRequest").endswith("while it is in vm_state stopped")
        assert nova.act(server, "os-start").status_code == 202
        nova.wait(lambda: state(nova.server(server)) == ("ACTIVE", "active", None))

    def test_reset_state(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        assert nova.act(server, "os-resetState", {"state": "error"}).status_code == 202
        assert state(nova.server(server)) == ("ERROR", "error", None)
        assert nova.act(server, "os-resetState", {"state": "x"}).status_code == 400

    def test_bad_action(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        assert refusal(nova.act(server, "bogus"), "badRequest") == "There is no such action: bogus"

    def test_delete(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        assert nova.call("DELETE", f"/servers/{server}").status_code == 204
        nova.wait(lambda: nova.call("GET", f"/servers/{server}").status_code == 404)

    def test_stop_on_a_dead_host_stays_undone(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        assert nova.act(server, "os-stop").status_code == 202
        time.sleep(1)
        assert state(nova.server(server)) == ("ACTIVE", "active", "powering-off")
        answer = nova.act(server, "os-stop")
        assert answer.status_code == 409
        assert refusal(answer, "conflictingRequest").endswith("while it is in task_state powering-off")


class TestEvacuation:
    def test_refused_while_the_host_is_up(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        answer = nova.act(server, "evacuate", {})
        assert answer.status_code == 400
        assert refusal(answer, "badRequest") == f"Compute service of {HOST} is still in use."

    @pytest.mark.parametrize(
        ("version", "argument"),
        [("2.1", {}), ("2.94", {"force": True}), ("2.95", {"targetState": "stopped"})],
    )
    def test_bad_argument(self, nova: Backend, version: str, argument: dict[str, Any]) -> None:
        (server,) = nova.boot(1)
        assert nova.act(server, "evacuate", argument, version).status_code == 400

    def test_unknown_or_same_host(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        answer = nova.act(server, "evacuate", {"host": "nohost"})
        assert answer.status_code == 404
        assert refusal(answer, "itemNotFound") == "Compute host nohost not found."
        assert nova.act(server, "evacuate", {"host": HOST}).status_code == 400

    def test_under_way(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        nova.act(server, "evacuate", {})
        now = nova.server(server)
        assert (now["status"], now["OS-EXT-STS:vm_state"]) == ("REBUILD", "active")
        assert now["OS-EXT-STS:task_state"] in ("rebuilding", "rebuild_spawning")
        nova.wait_idle(server)

    def test_active_stopped_and_error_servers(self, nova: Backend) -> None:
        active, stopped, failed, locked = nova.boot(4)
        nova.act(stopped, "os-stop")
        nova.act(failed, "os-resetState", {"state": "error"})
        nova.act(locked, "lock", {"locked_reason": "busy"})
        nova.wait(lambda: nova.server(stopped)["status"] == "SHUTOFF")
        nova.kill()
        nova.wait(lambda: nova.service()["state"] == "down")
        for server in (active, stopped, failed, locked):
            answer = nova.act(server, "evacuate", {})
            assert (answer.status_code, answer.text) == (200, "")
        ends = {server: nova.wait_idle(server) for server in (active, stopped, failed, locked)}
        assert all(end["OS-EXT-SRV-ATTR:host"] != HOST for end in ends.values())
        assert state(ends[active]) == ("ACTIVE", "active", None)
        assert state(ends[stopped]) == ("SHUTOFF", "stopped", None)
        assert state(ends[failed]) == ("ACTIVE", "active", None)
        assert state(ends[locked]) == ("ACTIVE", "active", None)
        assert ends[locked]["locked_reason"] == "busy"
        self.check_records(nova, active, ends[active]["OS-EXT-SRV-ATTR:host"])

    @staticmethod
    def check_records(nova: Backend, server: str, dest: str) -> None:
        (record,) = nova.migrations(server)
        assert uuid.UUID(record["uuid"])
        assert (record["status"], record["migration_type"]) == ("done", "evacuation")
        assert (record["source_compute"], record["dest_compute"]) == (HOST, dest)
        page = nova.get(f"/os-migrations?source_compute={HOST}&limit=2")
        assert len(page["migrations"]) == 2
        assert page["migrations_links"][0]["rel"] == "next"
        assert page["migrations"][0]["id"] > page["migrations"][1]["id"]
        none = nova.get(f"/os-migrations?instance_uuid={server}&status=failed")
        assert none == {"migrations": []}
        assert nova.call("GET", "/os-migrations?marker=x").status_code == 400
        (old,) = nova.get(f"/os-migrations?instance_uuid={server}", "2.23")["migrations"]
        assert "uuid" not in old
        assert nova.act(server, "evacuate", {}).status_code == 400, "its host is up"

    def test_records_are_completed_when_the_host_is_back(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        nova.act(server, "evacuate", {})
        nova.wait_idle(server)
        answer = nova.update_service(forced_down=False)
        assert answer.status_code == 400
        assert "evacuation migration records remain" in refusal(answer, "badRequest")
        nova.start()
        nova.wait(lambda: nova.migrations(server)[0]["status"] == "completed")
        assert nova.update_service(forced_down=False).status_code == 200

    def test_since_2_95_servers_end_stopped(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        assert nova.act(server, "evacuate", {}, "2.95").status_code == 200
        assert state(nova.wait_idle(server)) == ("SHUTOFF", "stopped", None)

    def test_wanted_host(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        nova.act(server, "evacuate", {"host": "compute3"})
        assert nova.wait_idle(server)["OS-EXT-SRV-ATTR:host"] == "compute3"

    @pytest.mark.parametrize(("action", "vm_state"), [("pause", "paused"), ("suspend", "suspended")])
    def test_not_in_this_state(self, nova: Backend, action: str, vm_state: str) -> None:
        (server,) = nova.boot(1)
        nova.act(server, action)
        nova.wait(lambda: nova.server(server)["OS-EXT-STS:vm_state"] == vm_state)
        nova.kill_and_force_down()
        answer = nova.act(server, "evacuate", {})
        assert answer.status_code == 409
        message = f"Cannot 'evacuate' instance {server} while it is in vm_state {vm_state}"
        assert refusal(answer, "conflictingRequest") == message

    def test_task_state_does_not_matter(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        nova.act(server, "os-stop")
        assert nova.act(server, "evacuate", {}).status_code == 200
        assert state(nova.wait_idle(server)) == ("ACTIVE", "active", None)

    def test_twice_is_accepted_and_makes_a_second_record(self, nova: Backend) -> None:
        (server,) = nova.boot(1)
        nova.kill_and_force_down()
        assert nova.act(server, "evacuate", {}).status_code == 200
        assert nova.act(server, "evacuate", {}).status_code == 200
        assert len(nova.migrations(server)) == 2

    def test_no_valid_host(self, nova: Backend) -> None:
        zone = nova.make_zone()
        server = nova.boot_in_zone(zone)
        assert nova.service()["zone"] == zone
        nova.kill_and_force_down()
        assert nova.act(server, "evacuate", {}).status_code == 200
        end = nova.wait_idle(server)
        assert state(end) == ("ERROR", "error", None)
        assert end["OS-EXT-SRV-ATTR:host"] == HOST
        assert end["fault"]["code"] == 500
        assert end["fault"]["message"].startswith("No valid host was found.")
        assert [(m["status"], m["dest_compute"]) for m in nova.migrations(server)] == [("error", None)]
        assert nova.act(server, "evacuate", {}).status_code == 200, "it may be tried again"
        nova.wait_idle(server)
        (newest,) = nova.get(f"/os-migrations?migration_type=evacuation&instance_uuid={server}&limit=1")["migrations"]
        assert newest["id"] == max(record["id"] for record in nova.migrations(server))


class TestAggregates:
    def test_life(self, nova: Backend) -> None:
        name = f"contract-{uuid.uuid4().hex[:8]}"
        answer = nova.call("POST", "/os-aggregates", {"aggregate": {"name": name}})
        assert answer.status_code == 200
        path = f"/os-aggregates/{answer.json()['aggregate']['id']}"
        try:
            again = nova.call("POST", "/os-aggregates", {"aggregate": {"name": name}})
            assert again.status_code == 409
            self.check_hosts(nova, f"{path}/action")
        finally:
            assert nova.call("DELETE", path).status_code == 200
        assert nova.call("GET", path).status_code == 404

    @staticmethod
    def check_hosts(nova: Backend, path: str) -> None:
        add, remove = ({kind: {"host": HOST}} for kind in ("add_host", "remove_host"))
        assert nova.call("POST", path, {"add_host": {"host": "nohost"}}).status_code == 404
        assert nova.call("POST", path, add).json()["aggregate"]["hosts"] == [HOST]
        assert nova.call("POST", path, add).status_code == 409
        assert [HOST] in [a["hosts"] for a in nova.get("/os-aggregates")["aggregates"]]
        assert nova.call("POST", path, remove).json()["aggregate"]["hosts"] == []
        assert nova.call("POST", path, remove).status_code == 404
