"""Plays a scenario folder: README.md (the promise), world.yaml, faults.yaml, and the decision log it must give."""

from collections.abc import MutableMapping
from dataclasses import dataclass, field
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import structlog
import yaml
from instance_ha.models.errors import StoreUnavailable
from sqlalchemy import text

from sim import actions, instance_actions
from sim.faults import Rule
from sim.model import CloudOptions
from tests.conftest import Postgres
from tests.simulator.simulation import Faults, Simulation

THIRD_PARTY = Path(__file__).parents[1] / "third_party"
_HIDDEN = {"level", "event", "function", "request_id", "global_request_id", "notification_uuid", "instance_uuid"}
_HIDDEN |= {"subject", "task", "vmove_uuid", "exc_info", "log_level"}
_QUIET = {"asking Nova again"}


@dataclass
class Scenario:
    """What a folder says."""

    folder: Path
    world: dict[str, Any]
    faults: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Scenario":
        """Read a folder."""
        faults = folder / "faults.yaml"
        world = yaml.safe_load((folder / "world.yaml").read_text())
        if (folder / "flows.conf").exists():
            world.setdefault("settings", {})["recovery_flows_file"] = folder / "flows.conf"
        return cls(
            folder,
            world,
            yaml.safe_load(faults.read_text()) or {} if faults.exists() else {},
        )


def third_party_tasks() -> ModuleType:
    """Return the tasks that scenarios name in their flows.conf; they come as an installed package would."""
    return import_module("example_tasks")


def report(about: str | dict[str, Any], ids: dict[str, str]) -> dict[str, Any]:
    """Return the body of a notification; `ids` are those of the instances, by name."""
    if isinstance(about, str):
        payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        return {"type": "COMPUTE_HOST", "hostname": about, "payload": payload}
    payload = dict(about)
    host = payload.pop("host")
    if "process_name" in payload:
        return {"type": "PROCESS", "hostname": host, "payload": {"event": "STOPPED"} | payload}
    name = payload.pop("instance")
    failure = {"event": "LIFECYCLE", "vir_domain_event": "STOPPED_FAILED"}
    return {"type": "VM", "hostname": host, "payload": {"instance_uuid": ids.get(name, name)} | failure | payload}


class Play:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, database_url: str, postgres: Postgres) -> None:
        self.scenario = scenario
        self.lines: list[str] = []
        self._postgres = postgres
        world, faults = scenario.world, scenario.faults
        options = CloudOptions(**world.get("cloud", {}))
        given = Faults(kill=list(faults.get("kill", [])), events=list(faults.get("events", [])))
        self.simulation = Simulation(database_url, world.get("settings", {}), options, given)
        self.simulation.urls.answers = world.get("urls", {})
        self.names: dict[str, str] = {}
        self.notifications: list[str] = []
        self._looked_at = 0
        self._answered = 0

    def run(self, monkeypatch: Any) -> None:
        """Set the world up, let things happen, and stop when all is over."""
        monkeypatch.syspath_prepend(THIRD_PARTY)
        monkeypatch.setattr(third_party_tasks(), "sleep", self.simulation.scheduler.sleep)
        self.simulation.load_functions(monkeypatch)
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, self._note]
        )
        self.simulation.scheduler.spawn("operator", self._build)
        limit = float(self.scenario.world.get("limit", 3600))
        assert self.simulation.scheduler.run(limit, self._over), f"not over after {limit} s:\n" + "\n".join(self.lines)

    def _build(self) -> None:
        """Have hosts, instances and segments; then the story begins at t+0."""
        cloud = self.simulation.cloud
        for host, about in self.scenario.world["hosts"].items():
            cloud.add_host(host, capacity=(about or {}).get("capacity"))
            for group in reversed((about or {}).get("instances", [])):
                self._boot(host, dict(group))
        self._register()
        for rule in self.scenario.faults.get("nova", []):
            cloud.faults.add(Rule(**rule))
        self.simulation.scheduler.begin()
        for happening in self.scenario.world["happenings"]:
            self._plan(happening)
        self.simulation.every(60.0, "sweep", lambda: self._sweep())

    def _boot(self, host: str, group: dict[str, Any]) -> None:
        """Nova lists the youngest first, so the last is booted first and they come in the order of the file."""
        count, prefix = group.pop("count", 0), group.pop("prefix", "vm")
        names = group.pop("names", None) or [f"{prefix}-{n}" for n in range(1, count + 1)] or [group.pop("name")]
        metadata = {"HA_Enabled": "True"} if group.pop("ha", False) else {}
        locked = group.pop("locked", False)
        for name in reversed(names):
            (server,) = self.simulation.cloud.boot(host, [name], metadata=metadata, **group)
            self.names[server.id] = name
            self.simulation.scheduler.sleep(1.0)
            if locked:
                with self.simulation.cloud.world() as world:
                    world.server(server.id).locked_by = "owner"

    def _register(self) -> None:
        for segment, about in self.scenario.world["segments"].items():
            body = {"name": segment, "service_type": "COMPUTE", "recovery_method": about.get("method", "auto")}
            created = self._api("api-segments", "/v1/segments", {"segment": body})["segment"]
            for host in about["hosts"]:
                body = {"name": host, "type": "COMPUTE", "control_attributes": "SSH"}
                self._api("api-hosts", f"/v1/segments/{created['uuid']}/hosts", {"host": body})

    def _api(self, function: str, path: str, body: dict[str, Any]) -> Any:
        answer = self.simulation.request(function, "POST", path, body)
        assert answer.status_code < 300, "\n".join(self.lines)
        return answer.get_json()

    def _plan(self, happening: dict[str, Any]) -> None:
        happening = dict(happening)
        at = float(happening.pop("at"))
        ((what, about),) = happening.items()
        self.simulation.scheduler.spawn(what, lambda: self._happen(what, about), at)

    def _happen(self, what: str, about: Any) -> None:
        cloud = self.simulation.cloud
        self._line("-", f"{what} {about}")
        if what == "notify":
            self._notify(about)
        elif what == "database":
            switch = {"stop": self._postgres.stop, "start": self._postgres.start}[about]
            assert switch is not None
            switch()
        elif what == "delete_server":
            cloud.delete_server(next(s.id for s in cloud.servers() if s.name == about))
        elif what in {"user_stops", "user_starts"}:
            self._power(about, {"user_stops": "os-stop", "user_starts": "os-start"}[what])
        else:
            {"kill_host": cloud.kill_host, "start_host": cloud.start_host}[what](about)

    def _power(self, name: str, action: str) -> None:
        """Let an instance's owner stop or start it."""
        with self.simulation.cloud.world() as world:
            server = next(s for s in world.servers.values() if s.name == name)
            actions.power(world, server, action)
        by = instance_actions.By(server.user_id, server.project_id)
        instance_actions.note(self.simulation.cloud, server.id, action, by)

    def _notify(self, about: str | dict[str, Any]) -> None:
        """Report a host by its name; an instance or a process by what the report holds (tests/scenarios/README.md)."""
        now = self.simulation.scheduler.now().replace(tzinfo=None).isoformat()
        body = report(about, {name: uuid for uuid, name in self.names.items()}) | {"generated_time": now}
        answer = self.simulation.request("api-notifications", "POST", "/v1/notifications", {"notification": body})
        if answer.status_code == 202:
            uuid = answer.get_json()["notification"]["notification_uuid"]
            self.notifications.append(uuid)
            self.names[uuid] = f"notification-{len(self.notifications)}"
        self._answered += 1
        self._line("-", f"answered {answer.status_code}")

    def _sweep(self) -> None:
        self.simulation.call("sweep", "/", b"", {})

    def _over(self) -> bool:
        if len(self.lines) == self._looked_at:
            return False
        self._looked_at = len(self.lines)
        planned = sum("notify" in happening for happening in self.scenario.world["happenings"])
        final = {"finished", "failed", "ignored"}
        try:
            return self._answered >= planned and all(self.show(uuid)["status"] in final for uuid in self.notifications)
        except StoreUnavailable:
            return False

    def show(self, uuid: str) -> dict[str, Any]:
        """Read a notification straight from the table."""
        query = text("SELECT status, message FROM notifications WHERE notification_uuid = :uuid")
        with self.simulation.world.database.begin() as connection:
            return dict(connection.execute(query, {"uuid": uuid}).mappings().one())

    def vmoves(self) -> list[dict[str, Any]]:
        """Read all vmoves, in order."""
        query = text("SELECT * FROM vmoves ORDER BY notification_uuid, attempt, position")
        with self.simulation.world.database.begin() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def _note(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        if level != "debug" and event["event"] not in _QUIET:
            words = [event["event"]]
            if "instance_uuid" in event and "instance" not in event:
                words.append(f"instance={event['instance_uuid']}")
            words += [f"{key}={value}" for key, value in event.items() if key not in _HIDDEN and value is not None]
            self._line(event.get("function", "-"), " ".join(words))
        raise structlog.DropEvent

    def _line(self, who: str, words: str) -> None:
        for uuid, name in self.names.items():
            words = words.replace(uuid, name)
        self.lines.append(f"t+{self.simulation.scheduler.elapsed:08.2f} {who} - {words}")
