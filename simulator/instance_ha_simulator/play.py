"""Plays a scenario: builds its world, lets things happen, and writes down the log of decisions that comes of it."""

from collections.abc import Callable, MutableMapping
from functools import partial
from pathlib import Path
from typing import Any

import structlog
from instance_ha.models.errors import StoreUnavailable
from sqlalchemy import text

from instance_ha_simulator.building import build, set_faults
from instance_ha_simulator.callers import Callers
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.database import Stage
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.happenings import Happenings
from instance_ha_simulator.monitors import Sources
from instance_ha_simulator.postgres import Postgres
from instance_ha_simulator.scenario import Scenario
from instance_ha_simulator.simulation import Simulation
from instance_ha_simulator.tables import Tables

_HIDDEN = {"level", "event", "function", "request_id", "global_request_id", "notification_uuid", "instance_uuid"}
_HIDDEN |= {"subject", "task", "return_uuid", "vmove_uuid", "exc_info", "log_level"}
_OF_THE_CLOUD = frozenset({"nova", "evacuations", "live_migrations"})  # faults
_ANSWERED = frozenset({"notify", "purge", "return_host"})  # happenings that Callers counts
_QUIET = {"request to Nova retried", "custom task raised"}
_FINAL = frozenset({"finished", "failed", "ignored"})


class NotOverError(Exception):
    """A story has not ended within its limit."""


class Play:
    """One run of a scenario."""

    def __init__(self, scenario: Scenario, database: str | Stage, postgres: Postgres | None, folder: Path) -> None:
        self.scenario = scenario
        self.lines: list[str] = []
        self.watchers: list[Callable[[MutableMapping[str, Any]], None]] = []  # of what our functions log
        self.names: dict[str, str] = {}  # of instances and notifications, by their uuids
        self.sources = Sources(scenario.world, folder)
        self.simulation = self._simulation(database)
        self.tables = Tables(self.simulation.database)
        self.callers = self._callers()
        self.happenings = Happenings(
            self.simulation,
            self.sources,
            self.callers,
            self._tell,
            postgres,
            database if isinstance(database, str) else "",
        )
        self.watched: set[str] = set()  # rows in work at a crash of everything, and
        self.left_idle: list[str] = []  # those of them on which nobody went on in time
        self._lines_checked = 0
        self._last_error: str | None = None
        self._lasting = "lasts" in scenario.world  # monitors never end: the folder says how long it is worth looking

    def _simulation(self, database: str | Stage) -> Simulation:
        world, guests = self.scenario.world, self.sources.guests
        given = {kind: value for kind, value in self.scenario.faults.items() if kind not in _OF_THE_CLOUD}
        settings = world.get("settings", {}) | self.sources.settings
        if (self.scenario.folder / "flows.conf").exists():
            settings["recovery_flows_file"] = str(self.scenario.folder / "flows.conf")
        options = CloudOptions(**world.get("cloud", {}))
        made = Simulation(database, settings, options, Faults(**given), guests, world.get("bmcs", {}))
        guests.servers, guests.is_fenced, guests.sleep = made.cloud.servers, made.fences.is_off, made.scheduler.sleep
        made.on_crash = self._watch_rows
        return made

    def _callers(self) -> Callers:
        return Callers(self.simulation, self.tables, self.names, self._tell)

    def run(self) -> None:
        """Set the world up, let things happen, and stop when all is over.

        Raises:
            NotOverError: it is not over when its limit has passed.

        """
        structlog.configure(
            processors=[structlog.contextvars.merge_contextvars, structlog.processors.format_exc_info, self._note],
            wrapper_class=structlog.make_filtering_bound_logger(0),
        )
        self.simulation.scheduler.spawn("operator", self._begin)
        limit = float(self.scenario.world.get("limit", 3600))
        try:
            over = self.simulation.scheduler.run(limit, self._over)
        finally:
            self.sources.close()
        if not over:
            error = f"; the last error: {self._last_error}" if self._last_error else ""
            raise NotOverError(f"it is not over after {limit:.0f} s{error}")

    def _begin(self) -> None:
        """Have hosts, instances and segments; then the story begins at t+0."""
        world, simulation = self.scenario.world, self.simulation
        self.names |= build(simulation.cloud, simulation.scheduler, world)
        self._register()
        for statement in world.get("sql", []):
            with simulation.world.database.begin() as connection:
                connection.execute(text(statement))
        set_faults(simulation.cloud, self.scenario.faults)
        simulation.scheduler.begin()
        for happening in world["happenings"]:
            self.happenings.plan(happening)
        self._start_ticks()
        if self._lasting:
            simulation.scheduler.spawn("the end", self._end, float(world["lasts"]))

    def _register(self) -> None:
        self.callers.register(self.scenario.world["segments"])

    def _start_ticks(self) -> None:
        simulation = self.simulation
        tick = partial(simulation.call, path="/", body=b"", headers={})
        simulation.scheduler.spawn("sweep", partial(tick, "sweep"))  # a new instance ticks by itself
        relays = ["relay"] if simulation.settings.sinks else []
        for function in ["sweep", *self.sources.functions, *relays]:
            simulation.every(60.0, function, partial(tick, function))

    def _end(self) -> None:
        self._lasting = False
        self._tell("the end")

    def _over(self) -> bool:
        if self._lasting or len(self.lines) == self._lines_checked:
            return False
        self._lines_checked = len(self.lines)
        planned = sum(bool(happening.keys() & _ANSWERED) for happening in self.scenario.world["happenings"])
        try:
            if self.callers.answered < planned or self.tables.unsent():
                return False
            if any(row["status"] in {"waiting", "running"} for row in self.tables.returns()):
                return False
            return all(self.tables.notification(uuid)["status"] in _FINAL for uuid in self.names_of_notifications())
        except StoreUnavailable:
            return False

    def names_of_notifications(self) -> dict[str, str]:
        """Return all notifications by their uuids."""
        return {uuid: name for uuid, name in self.names.items() if name.startswith("notification-")}

    def _watch_rows(self) -> None:
        """Check a while after a crash that each row in work at that time was claimed by somebody else."""
        scheduler = self.simulation.scheduler
        before = self.tables.in_work(scheduler.now())
        self.watched |= before.keys()

        def check() -> None:
            left = self.tables.in_work(scheduler.now())
            self.left_idle += sorted(uuid for uuid, state in left.items() if before.get(uuid) == state)

        scheduler.spawn("watcher", check, self.simulation.settings.idle_after_crash + 2.0)

    def ends(self, what: str) -> Any:
        """Say how the world is at the end, as far as a scenario makes a promise about it."""
        tables, cloud = self.tables, self.simulation.cloud
        find: dict[str, Callable[[], object]] = {
            "reserved": lambda: tables.hosts("reserved"),
            "maintenance": lambda: tables.hosts("maintenance"),
            "notifications": lambda: [tables.notification(uuid)["status"] for uuid in self.callers.notifications],
            "vmoves": lambda: {move["instance_name"]: move["status"] for move in tables.vmoves()},
            "returns": lambda: [row["status"] for row in tables.returns()],
            "places": lambda: {server.name: server.host for server in cloud.servers()},
            "states": lambda: {server.name: server.vm_state for server in cloud.servers()},
            "locked": lambda: sorted(server.name for server in cloud.servers() if server.locked_by),
            "disabled": lambda: sorted(host.name for host in cloud.hosts() if not host.enabled),
            "forced_down": lambda: sorted(host.name for host in cloud.hosts() if host.forced_down),
            "aggregates": self._aggregates,
        }
        return find[what]()

    def _aggregates(self) -> dict[str, list[str]]:
        with self.simulation.cloud.world() as world:
            return {one.name: sorted(one.hosts) for one in world.aggregates.values()}

    def _note(self, _logger: Any, level: str, event: MutableMapping[str, Any]) -> Any:
        for watcher in self.watchers:
            watcher(event)
        if "exception" in event:
            self._last_error = event["exception"].splitlines()[-1]
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

    def _tell(self, words: str) -> None:
        self._line("-", words)

    def _line(self, who: str, words: str) -> None:
        for uuid, name in self.names.items():
            words = words.replace(uuid, name)
        self.lines.append(f"t+{self.simulation.scheduler.elapsed:08.2f} {who} - {words}")
