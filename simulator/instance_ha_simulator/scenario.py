"""Plays a scenario folder: README.md (the promise), world.yaml, faults.yaml, and the decision log it must give."""

from collections.abc import Callable, MutableMapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import structlog
from instance_ha.models.errors import StoreUnavailable
from instance_ha.store import hosts
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from instance_ha_simulator import cloud_happenings
from instance_ha_simulator.cloud import people
from instance_ha_simulator.cloud.errors import ApiError, not_found
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.cloud.model import Aggregate, CloudOptions, Course, LiveCourse
from instance_ha_simulator.database import Stage
from instance_ha_simulator.folder.read import read
from instance_ha_simulator.monitors import Sources
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.simulation import Faults, Simulation

_HIDDEN = {"level", "event", "function", "request_id", "global_request_id", "notification_uuid", "instance_uuid"}
_HIDDEN |= {"subject", "task", "return_uuid", "vmove_uuid", "exc_info", "log_level"}
_HOSTS = {  # by the words of at_the_end
    "reserved": text("SELECT name FROM hosts WHERE reserved ORDER BY name"),
    "maintenance": text("SELECT name FROM hosts WHERE on_maintenance ORDER BY name"),
}
_OF_THE_CLOUD = frozenset({"nova", "evacuations", "live_migrations"})  # faults
_RETURNS = "/v1/x-instance-ha/returns"
_PAUSES = "/v1/x-instance-ha/pauses"
_QUIET = {"request to Nova retried", "custom task raised"}


@dataclass
class Scenario:
    """What a folder says."""

    folder: Path
    world: dict[str, Any]
    faults: dict[str, Any] = field(default_factory=dict)

    @classmethod
    def read(cls, folder: Path) -> "Scenario":
        """Read a folder.

        Raises:
            FolderError: the folder cannot be used.

        """
        return cls(folder, *read(folder))

    def in_order(self, seed: int | None) -> "Scenario":
        """Have what happens at about the same time in the random order of a seed; None: as the folder says."""
        if seed is None:
            return self
        schedule = {"pauses": 0.1, "jitter": 1.0} | self.faults.get("schedule", {}) | {"seed": seed}
        return replace(self, faults=self.faults | {"schedule": schedule})


class NotServedError(Exception):
    """The API has refused what an operator has asked for."""


class NotOverError(Exception):
    """A story has not ended within its limit."""


class Play:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, database: str | Stage, postgres: Postgres | None, folder: Path) -> None:
        self.scenario = scenario
        self.lines: list[str] = []
        self.watchers: list[Callable[[MutableMapping[str, Any]], None]] = []  # of what our functions log
        self._postgres, self._url = postgres, database if isinstance(database, str) else ""
        world, faults = scenario.world, scenario.faults
        options = CloudOptions(**world.get("cloud", {}))
        given = Faults(**{kind: value for kind, value in faults.items() if kind not in _OF_THE_CLOUD})
        self.sources = Sources(world, folder)
        settings = world.get("settings", {}) | self.sources.settings
        if (scenario.folder / "flows.conf").exists():
            settings["recovery_flows_file"] = str(scenario.folder / "flows.conf")
        self.simulation = Simulation(database, settings, options, given, self.sources.guests, world.get("bmcs", {}))
        self.sources.guests.servers = self.simulation.cloud.servers
        self.sources.guests.is_fenced = self.simulation.fences.is_off
        self.sources.guests.sleep = self.simulation.scheduler.sleep
        self.names: dict[str, str] = {}
        self.segments: dict[str, str] = {}
        self.notifications: list[str] = []
        self.answers: list[Any] = []  # to the scenario's own requests to the API
        self._paused = "none"  # the last pause
        self.reported: dict[str, str] = {}  # the last notification of each host
        self.watched: set[str] = set()  # rows in work at a crash of everything, and
        self.left_idle: list[str] = []  # those of them on which nobody went on in time
        self.simulation.on_crash = self._watch_rows
        self._lines_checked = 0
        self._answered = 0
        self._lasting = "lasts" in world  # the monitors go on for ever, so the folder says how long it is worth looking

    def run(self) -> None:
        """Set the world up, let things happen, and stop when all is over."""
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, self._note],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )
        self.simulation.scheduler.spawn("operator", self._build)
        limit = float(self.scenario.world.get("limit", 3600))
        try:
            over = self.simulation.scheduler.run(limit, self._over)
        finally:
            self.sources.close()
        if not over:
            raise NotOverError(f"it is not over after {limit:.0f} s")

    def _build(self) -> None:
        """Have hosts, instances and segments; then the story begins at t+0."""
        cloud = self.simulation.cloud
        for host, about in self.scenario.world["hosts"].items():
            cloud.add_host(host, **{key: value for key, value in (about or {}).items() if key != "instances"})
            for group in reversed((about or {}).get("instances", [])):
                self._boot(host, dict(group))
        self._arrange()
        self._register()
        for statement in self.scenario.world.get("sql", []):
            with self.simulation.world.database.begin() as connection:
                connection.execute(text(statement))
        for rule in self.scenario.faults.get("nova", []):
            cloud.faults.add(Rule(**rule))
        with cloud.world() as world:
            world.courses += [Course(**course) for course in self.scenario.faults.get("evacuations", [])]
            world.live_courses += [LiveCourse(**one) for one in self.scenario.faults.get("live_migrations", [])]
        self.simulation.scheduler.begin()
        for happening in self.scenario.world["happenings"]:
            self._plan(happening)
        self._start_ticks()
        if self._lasting:
            self.simulation.scheduler.spawn("the end", self._end, float(self.scenario.world["lasts"]))

    def _start_ticks(self) -> None:
        self.simulation.scheduler.spawn("sweep", partial(self._tick, "sweep"))  # a new instance ticks by itself
        relays = ["relay"] if self.simulation.settings.sinks else []
        for function in ["sweep", *self.sources.functions, *relays]:
            self.simulation.every(60.0, function, partial(self._tick, function))

    def _arrange(self) -> None:
        for name, about in self.scenario.world.get("aggregates", {}).items():
            self._aggregate(name, about)
        for host in self.scenario.world.get("disabled", []):
            people.operator_switches(self.simulation.cloud, host, enabled=False)

    def _boot(self, host: str, group: dict[str, Any]) -> None:
        """Nova lists the youngest first, so the last is booted first and they come in the order of the file."""
        count, prefix = group.pop("count", 0), group.pop("prefix", "vm")
        names = group.pop("names", None) or [f"{prefix}-{n}" for n in range(1, count + 1)] or [group.pop("name")]
        metadata = group.pop("metadata", {}) | ({"HA_Enabled": "True"} if group.pop("ha", False) else {})
        locked = group.pop("locked", False)
        for name in reversed(names):
            (server,) = self.simulation.cloud.boot(host, [name], metadata=metadata, **group)
            self.names[server.id] = name
            if not self.scenario.world.get("boot_at_once"):
                self.simulation.scheduler.sleep(1.0)
            if locked:
                with self.simulation.cloud.world() as world:
                    world.server(server.id).locked_by = "owner"
                    world.history.locked[server.id] = world.now

    def _register(self) -> None:
        for segment, about in self.scenario.world["segments"].items():
            body = {"name": segment, "service_type": "COMPUTE", "recovery_method": about.get("method", "auto")}
            created = self._api("api-segments", "/v1/segments", {"segment": body})["segment"]
            self.segments[segment] = created["uuid"]
            if policy := about.get("policy"):
                self._change_policy({"segment": segment, "change": policy})
            reserved = about.get("reserved", [])
            for host in [*about["hosts"], *reserved]:
                self._host(segment, host, reserved=host in reserved)

    def _host(self, segment: str, name: str, *, reserved: bool) -> None:
        values = {"name": name, "type": "COMPUTE", "control_attributes": "SSH", "reserved": reserved}
        self._api("api-hosts", f"/v1/segments/{self.segments[segment]}/hosts", {"host": values})

    def _aggregate(self, name: str, about: dict[str, Any]) -> None:
        with self.simulation.cloud.world() as world:
            world.aggregate_count += 1
            number = world.aggregate_count
            made = Aggregate(number, str(uuid4()), name, world.now, about.get("zone"), hosts=list(about["hosts"]))
            world.aggregates[number] = made

    def _api(self, function: str, path: str, body: dict[str, Any], method: str = "POST") -> Any:
        answer = self.simulation.request(function, method, path, body)
        if answer.status_code >= 300:
            raise NotServedError("\n".join([*self.lines, f"{method} {path} was answered by {answer.status_code}"]))
        return answer.get_json()

    def _plan(self, happening: dict[str, Any]) -> None:
        happening = dict(happening)
        at = float(happening.pop("at"))
        ((what, about),) = happening.items()
        self.simulation.scheduler.spawn(what, lambda: self._happen(what, about), at)

    def _happen(self, what: str, about: Any) -> None:
        self._line("-", f"{what} {about}")
        cloud = self.simulation.cloud
        try:
            if self.sources.happen(what, about) or cloud_happenings.happen(cloud, self._server, what, about):
                return
        except ApiError as error:
            self._line("-", f"Nova answered {error.status} {error.message}")
            return
        do: dict[str, Callable[[Any], object]] = {
            "notify": self._notify,
            "database": self._switch_database,
            "tick": self._tick,
            "api": self._call_api,
            "sql_admin": self._administer,
            "maintenance": lambda about: self._change_host(
                about["host"], on_maintenance=about["is"], on_maintenance_for=None
            ),
            "postgres_away": self._send_postgres_away,
            "standby_falls_behind": lambda _: self.simulation.database.fall_behind(),
            "standby_is_promoted": self._fail_over,
            "reserve_host": lambda host: self._host(next(iter(self.segments)), host, reserved=True),
            "disable_segment": partial(self._change_segment, enabled=False),
            "enable_segment": partial(self._change_segment, enabled=True),
            "policy": self._change_policy,
            "pause": self._pause,
            "unpause": self._unpause,
            "approve": partial(self._approve, verdict="approve"),
            "deny": partial(self._approve, verdict="deny"),
            "return_host": self._return_host,
            "stop_return": self._stop_return,
            "purge": self._purge,
            "kill_host": cloud.kill_host,
            "start_host": self._start_host,
        }
        do[what](about)

    def _call_api(self, about: dict[str, Any]) -> None:
        """Send a request to the API, whatever it answers."""
        path = about["path"].replace("NOTIFICATION", self.notifications[-1] if self.notifications else "")
        answer = self.simulation.request(about["function"], about.get("method", "GET"), path, about.get("body"))
        self.answers.append(answer.get_json(silent=True))
        self._line("-", f"answered {answer.status_code}")

    def _administer(self, statement: str) -> None:
        """Run SQL as the administrator of the database, whose name stands for DBNAME."""
        writable = {"options": "-c default_transaction_read_only=off"}
        url = self._url.replace("postgresql://", "postgresql+psycopg://")
        engine = create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args=writable)
        with engine.connect() as connection:
            name = connection.execute(text("SELECT current_database()")).scalar_one()
            connection.execute(text(statement.replace("DBNAME", name)))

    def _switch_database(self, to: str) -> None:
        assert self._postgres is not None
        switch = {"stop": self._postgres.stop, "start": self._postgres.start}[to]
        assert switch is not None
        switch()

    def _send_postgres_away(self, seconds: float) -> None:
        simulation = self.simulation
        simulation.database.go_away(simulation.scheduler.now() + timedelta(seconds=seconds))

    def _fail_over(self, seconds: float) -> None:
        self.simulation.database.promote_standby()
        self._send_postgres_away(seconds)

    def _start_host(self, name: str) -> None:
        self.simulation.fences.start(name)
        self.simulation.cloud.start_host(name)

    def _change_segment(self, name: str, *, enabled: bool) -> None:
        change = {"segment": {"enabled": enabled}}
        self._api("api-segments", f"/v1/segments/{self.segments[name]}", change, "PUT")

    def _change_policy(self, about: dict[str, Any]) -> None:
        path = f"/v1/x-instance-ha/policies/{self.segments[about['segment']]}"
        self._api("api-notifications", path, {"policy": about["change"]}, "PUT")

    def _pause(self, about: dict[str, Any]) -> None:
        until = self.simulation.scheduler.now() + timedelta(seconds=about["seconds"])
        pause = {"scope": "cloud", "reason": "works on it", "until": until.isoformat()}
        if host := about.get("host"):
            pause |= {"scope": "host", "host": host}
        elif segment := about.get("segment"):
            pause |= {"scope": "segment", "segment_uuid": self.segments[segment]}
        self._paused = self._api("api-notifications", _PAUSES, {"pause": pause})["pause"]["uuid"]

    def _unpause(self, _: bool) -> None:
        self._call_api({"function": "api-notifications", "method": "DELETE", "path": f"{_PAUSES}/{self._paused}"})

    def _approve(self, host: str, verdict: str) -> None:
        """Say something of the recovery of a host's last report, whatever the API answers."""
        uuid = self.reported.get(host, "none")
        approval = {"notification_uuid": uuid, "verdict": verdict, "reason": "the operator says so"}
        path, body = "/v1/x-instance-ha/approvals", {"approval": approval}
        self._call_api({"function": "api-notifications", "method": "POST", "path": path, "body": body})

    def _return_host(self, about: dict[str, Any]) -> None:
        """Ask for the return of a host, whatever the API answers."""
        body = {"return": about}
        self._call_api({"function": "api-notifications", "method": "POST", "path": _RETURNS, "body": body})
        self._answered += 1

    def _stop_return(self, _: bool) -> None:
        """Stop the newest return."""
        newest = self.returns()[-1]["uuid"]
        self._call_api({"function": "api-notifications", "method": "DELETE", "path": f"{_RETURNS}/{newest}"})

    def returns(self) -> list[dict[str, Any]]:
        """Read all returns of hosts, in order."""
        with self.simulation.world.database.begin() as connection:
            return [dict(row) for row in connection.execute(text("SELECT * FROM returns ORDER BY id")).mappings()]

    def _server(self, name: str) -> str:
        for server in self.simulation.cloud.servers():
            if server.name == name:
                return server.id
        raise not_found(f"Instance {name} could not be found.")

    def _notify(self, about: str | dict[str, Any]) -> None:
        """Report a host by its name, or what ``about`` says: a ``process`` or an ``instance`` of a host."""
        now = self.simulation.scheduler.now().replace(tzinfo=None).isoformat()
        about = {"host": about} if isinstance(about, str) else about
        if "process" in about:
            kind, payload = "PROCESS", {"event": "STOPPED", "process_name": about["process"]}
        elif "instance" in about:
            instance = next(uuid for uuid, name in self.names.items() if name == about["instance"])
            event = about.get("event", "LIFECYCLE")
            kind, payload = "VM", {"event": event, "vir_domain_event": "STOPPED_FAILED", "instance_uuid": instance}
        else:
            kind = "COMPUTE_HOST"
            payload = {"event": "STOPPED", "host_status": "NORMAL", "cluster_status": "OFFLINE"}
        payload |= about.get("payload", {})
        body = {"type": kind, "hostname": about["host"], "generated_time": now, "payload": payload}
        answer = self.simulation.request("api-notifications", "POST", "/v1/notifications", {"notification": body})
        if answer.status_code == 202:
            uuid = answer.get_json()["notification"]["notification_uuid"]
            self.notifications.append(uuid)
            self.reported[about["host"]] = uuid
        self._answered += 1
        self._line("-", f"answered {answer.status_code}")

    def _tick(self, function: str) -> None:
        self.simulation.call(function, "/", b"", {})

    def _purge(self, about: dict[str, Any]) -> None:
        try:
            answer = self.simulation.request("purge", "POST", "/v1/x-instance-ha/purge", {"purge": about})
            shown = answer.get_json().get("purge") or answer.get_json()
            self._line("-", f"answered {answer.status_code} {shown}")
        finally:  # killed or not
            self._answered += 1

    def _end(self) -> None:
        self._lasting = False
        self._line("-", "the end")

    def _change_host(self, name: str, **values: Any) -> None:
        with self.simulation.world.database.begin() as connection:
            host = hosts.by_name(connection, name)
            assert host is not None
            hosts.change(connection, host.uuid, values, self.simulation.scheduler.now())

    def _over(self) -> bool:
        if self._lasting or len(self.lines) == self._lines_checked:
            return False
        self._lines_checked = len(self.lines)
        happenings = self.scenario.world["happenings"]
        planned = sum(bool(happening.keys() & {"notify", "purge", "return_host"}) for happening in happenings)
        final = {"finished", "failed", "ignored"}
        try:
            if self._answered < planned or self.waiting():
                return False
            if any(row["status"] in {"waiting", "running"} for row in self.returns()):
                return False
            return all(self.show(uuid)["status"] in final for uuid in self.names_of_notifications())
        except StoreUnavailable:
            return False

    def names_of_notifications(self) -> dict[str, str]:
        """Return all notifications by their uuids."""
        return {uuid: name for uuid, name in self.names.items() if name.startswith("notification-")}

    def name_of(self, server_id: str) -> str:
        """Return the name of an instance, also of one that is gone."""
        return self.names[server_id]

    def show(self, uuid: str) -> dict[str, Any]:
        """Read a notification straight from the table."""
        query = text("SELECT status, message FROM notifications WHERE notification_uuid = :uuid")
        with self.simulation.world.database.begin() as connection:
            return dict(connection.execute(query, {"uuid": uuid}).mappings().one())

    def waiting(self) -> int:
        """Count the events that wait to be sent."""
        with self.simulation.world.database.begin() as connection:
            return int(connection.execute(text("SELECT count(*) FROM outbox WHERE state = 'pending'")).scalar_one())

    def outbox_rows(self) -> int:
        """Count all that was ever written to the outbox."""
        with self.simulation.world.database.begin() as connection:
            return int(connection.execute(text("SELECT count(*) FROM outbox")).scalar_one())

    def outbox(self, sink: str) -> list[dict[str, Any]]:
        """Read all messages to a sink, in order."""
        query = text("SELECT * FROM outbox WHERE sink = :sink ORDER BY id")
        with self.simulation.world.database.begin() as connection:
            return [dict(row) for row in connection.execute(query, {"sink": sink}).mappings()]

    def _watch_rows(self) -> None:
        """Check a while after a crash that each row in work at that time was claimed by somebody else."""
        before = self._rows_in_work()
        self.watched |= before.keys()

        def check() -> None:
            self.left_idle += sorted(uuid for uuid, state in self._rows_in_work().items() if before.get(uuid) == state)

        self.simulation.scheduler.spawn("watcher", check, self.simulation.settings.idle_after_crash + 2.0)

    def _rows_in_work(self) -> dict[str, tuple[object, ...]]:
        """Read which rows are claimed or due, by their uuids, with their owners and how far they are."""
        now = self.simulation.scheduler.now()
        rows = "SELECT {} FROM {} WHERE (lease_owner IS NOT NULL OR due_at <= :now) AND due_at IS NOT NULL"
        queries = (
            rows.format("notification_uuid, lease_owner, status, attempt", "notifications"),
            rows.format("uuid, lease_owner, status, step", "vmoves"),
        )
        with self.simulation.world.database.begin() as connection:
            found = [row for query in queries for row in connection.execute(text(query), {"now": now})]
            found += connection.execute(text("SELECT uuid, lease_owner FROM returns WHERE lease_owner IS NOT NULL"))
        return {row[0]: tuple(row[1:]) for row in found}

    def vmoves(self) -> list[dict[str, Any]]:
        """Read all vmoves, in order."""
        query = text("SELECT * FROM vmoves ORDER BY id")
        with self.simulation.world.database.begin() as connection:
            return [dict(row) for row in connection.execute(query).mappings()]

    def ends(self, what: str) -> Any:
        """Say how the world is at the end, as far as a scenario makes a promise about it."""
        cloud = self.simulation.cloud
        if what in _HOSTS:
            with self.simulation.world.database.begin() as connection:
                return list(connection.execute(_HOSTS[what]).scalars())
        if what in ("disabled", "forced_down", "states", "aggregates"):
            return self._ends_in_nova(what)
        find: dict[str, Callable[[], object]] = {
            "notifications": lambda: [self.show(uuid)["status"] for uuid in self.notifications],
            "vmoves": lambda: {move["instance_name"]: move["status"] for move in self.vmoves()},
            "returns": lambda: [row["status"] for row in self.returns()],
            "places": lambda: {server.name: server.host for server in cloud.servers()},
            "locked": lambda: sorted(server.name for server in cloud.servers() if server.locked_by),
        }
        return find[what]()

    def _ends_in_nova(self, what: str) -> Any:
        with self.simulation.cloud.world() as world:
            if what == "disabled":
                return sorted(name for name, host in world.hosts.items() if not host.enabled)
            if what == "forced_down":
                return sorted(name for name, host in world.hosts.items() if host.forced_down)
            if what == "states":
                return {server.name: server.vm_state for server in world.servers.values()}
            return {one.name: sorted(one.hosts) for one in world.aggregates.values()}

    def _note(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        for watcher in self.watchers:
            watcher(event)
        if (uuid := event.get("notification_uuid")) and uuid not in self.names:
            self.names[uuid] = f"notification-{len(self.names_of_notifications()) + 1}"
        shown = self.scenario.world.get("only", [event["event"]])
        if level != "debug" and event["event"] not in _QUIET and event["event"] in shown:
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
