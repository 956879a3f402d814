"""One simulated installation: our functions as they are, everything around them under control."""

import importlib.util
import itertools
from collections import Counter
from collections.abc import Callable, Collection, Mapping
from functools import cache, partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import flask
import requests
from instance_ha.consul.source import ConsulSource
from instance_ha.keystone.noauth import NoAuth
from instance_ha.kubernetes.source import KubernetesSource
from instance_ha.lazy import lazy
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.errors import TimeIsUp
from instance_ha.models.ports import HostSource, Hypervisors
from instance_ha.notification_client import HttpNotificationClient
from instance_ha.nova import NovaClient
from instance_ha.placement import PlacementClient
from instance_ha.policy.enforcer import Policy
from instance_ha.recovery import flows
from instance_ha.serving.function import give_world
from instance_ha.settings import Settings, load
from instance_ha.world import WholeWorld
from keystoneauth1.adapter import Adapter
from keystoneauth1.noauth import NoAuth as NoAuthPlugin
from keystoneauth1.session import Session
from requests import PreparedRequest, Response

from instance_ha_simulator.brokers import Broker
from instance_ha_simulator.cloud.adapter import URL, DirectSession, WsgiAdapter, environ
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.database import SimulatedDatabase, Stage, working
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.fences import SimulatedFences
from instance_ha_simulator.monitors import ReportsAdapter
from instance_ha_simulator.outside import HangsError, ScriptedTask, SimulatedBucket, SimulatedSinks, Unconfigured
from instance_ha_simulator.scheduler import KilledError, MachineClock, Scheduler, TimeLimitError, ahead
from instance_ha_simulator.tokens import SharedToken

ROOT = Path(__file__).parents[2]
FUNCTIONS = (
    "api-hosts",
    "api-notifications",
    "api-segments",
    "monitor-guests",
    "monitor-poll",
    "purge",
    "readiness",
    "recover-host",
    "recover-instance",
    "relay",
    "sweep",
)
KEY = "simulated-trigger-key"
_OURSELVES = "http://localhost"
REPORTS = "http://instance-ha.test"
_RESTART = 3.0  # seconds that the platform takes to have an instance again whose process has ended


class ImpatientAdapter(WsgiAdapter):
    """The way to the simulated cloud: the caller gives up after its time limit, in virtual time."""

    def __init__(self, app: flask.Flask, scheduler: Scheduler, pauses: float) -> None:
        super().__init__(app)
        self._scheduler, self._pauses = scheduler, pauses

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        """Answer, or let the client run out of patience."""
        timeout, random = options.get("timeout"), self._scheduler.random
        if random is not None and random.random() < self._pauses:
            self._scheduler.stand_still(random.uniform(0.0, 2.0))
        self._scheduler.patience(timeout[1] if isinstance(timeout, tuple) else timeout)
        try:
            return super().send(request, **options)
        except TimeLimitError as error:
            raise requests.ReadTimeout("timed out", request=request) from error
        finally:
            self._scheduler.patience(None)


class Simulation:
    """Functions, cloud, database and broker."""

    def __init__(
        self,
        database: str | Stage,
        settings: Mapping[str, str],
        options: CloudOptions,
        faults: Faults,
        hypervisors: Hypervisors | None = None,
        ladders: Mapping[str, list[dict[str, Any]]] = MappingProxyType({}),
    ) -> None:
        given = {
            "DATABASE_URL": "postgresql://simulated",
            "INSTANCE_HA_TRIGGER_SINK": "http://broker.test",
            "INSTANCE_HA_TRIGGER_KEY": KEY,
        }
        given["INSTANCE_HA_TASK_KEY"] = "simulated-task-key"
        given |= {f"INSTANCE_HA_{name.upper()}": str(value) for name, value in settings.items()}
        self.settings = load(given)
        flows.check(self.settings, {})
        self.faults = faults
        self.scheduler = Scheduler(faults.schedule.get("seed"))
        if isinstance(database, str):
            self.cloud = Cloud(self.scheduler, options)
            self.database, self._cloud_app = SimulatedDatabase(database), create_app(self.cloud)
        else:
            self.database, self.cloud, self._cloud_app = database.database, database.cloud, database.app
            self.cloud.begin_again(self.scheduler, options)
        self.sinks = SimulatedSinks(self.scheduler, faults.sinks)
        self.bucket = SimulatedBucket(self.scheduler, faults.bucket)
        self.killed: list[str] = []
        self.called: Counter[str] = Counter()
        self.reached: Counter[str] = Counter()
        self.broker = Broker(self.scheduler, faults, KEY, self.call)
        self.on_crash: Callable[[], None] = lambda: None
        self.database.join(self.scheduler, faults.database, faults.schedule.get("pauses", 0.0))
        self.fences = SimulatedFences(self.scheduler, self.cloud, ladders, self.settings.fence_timeout)
        self.remote = ScriptedTask(faults.tasks or ["done"])
        self._hypervisors = hypervisors or Unconfigured("hypervisors")
        shared = None if isinstance(database, str) else database.metrics
        self.metrics = Recorder(self._later) if shared is None else shared
        self.world = self._world(self.settings)

    def _later(self, seconds: float, work: Callable[[], None]) -> None:
        self.scheduler.spawn("later", work, seconds)

    def _world(self, settings: Settings) -> WholeWorld:
        return WholeWorld(
            settings=settings,
            clock=MachineClock(self.scheduler),
            database=self.database,
            nova=self._nova(settings),
            placement=self._placement(settings),
            publisher=self.broker,
            tokens=NoAuth(),
            policy=_policy(),
            remote=self.remote,
            fences=self.fences,
            with_timeout=self._with_timeout,
            beside=self.scheduler.beside,
            source=_source(settings) if settings.monitoring_driver else Unconfigured("source"),
            notification_client=lazy(partial(self._notification_client, settings)),  # an application to route requests
            hypervisors=self._hypervisors,
            metrics=self.metrics,
            sinks=self.sinks,
            archive=self.bucket,
            hostname="simulated",
            map_concurrent=self.scheduler.map_concurrent,
            breakpoint=self._breakpoint,
        )

    def _nova(self, settings: Settings) -> NovaClient:
        limits = settings.nova_timeout, settings.nova_list_timeout, settings.nova_page_size
        return NovaClient(self._adapter("compute", "compute/v2.1"), MachineClock(self.scheduler), *limits, self.metrics)

    def _placement(self, settings: Settings) -> PlacementClient:
        return PlacementClient(self._adapter("placement", "placement"), settings.nova_timeout)

    def _adapter(self, service_type: str, path: str) -> Adapter:
        pauses = self.faults.schedule.get("pauses", 0.0)
        http = DirectSession(ImpatientAdapter(self._cloud_app, self.scheduler, pauses))
        auth = SharedToken(self.cloud.identity.users["masakari"], self.scheduler)
        session = Session(auth=auth, session=http)
        return Adapter(session, service_type=service_type, endpoint_override=f"{URL}{path}")

    def _with_timeout(self, work: Callable[[], None], seconds: float) -> None:
        """Call a custom task; one that hangs takes its whole time limit, of virtual time."""
        try:
            work()
        except HangsError:
            self.scheduler.sleep(seconds)
            raise TimeIsUp from None

    def _notification_client(self, settings: Settings) -> HttpNotificationClient:
        http = DirectSession(ReportsAdapter(self.call, self.faults.reports))
        return HttpNotificationClient(
            Adapter(Session(auth=NoAuthPlugin(), session=http), endpoint_override=REPORTS),
            settings.notification_post_timeout,
        )

    def _breakpoint(self, name: str) -> None:
        self.reached[name] += 1
        for fault in self.faults.freeze:
            if fault["breakpoint"] == name and fault.get("nth", 1) == self.reached[name]:
                self.scheduler.stand_still(fault["seconds"])
        for fault in self.faults.kill:
            if fault["breakpoint"] == name and fault.get("nth", 1) == self.reached[name]:
                self.killed.append(name)
                if fault.get("everything"):
                    self._crash(fault.get("but", []))
                raise KilledError(name)

    def _crash(self, survivors: Collection[str]) -> None:
        """Kill all invocations, and lose what a broker without a disk holds; sweep's new instance ticks by itself."""
        self.broker.lose_all()
        self.scheduler.kill({*FUNCTIONS} - {*survivors})
        if "sweep" not in survivors:
            self.scheduler.spawn("sweep", lambda: self.call("sweep", "/", b"", {}), _RESTART)
        self.on_crash()

    def call(self, function: str, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Any:
        """Invoke a function over (in-process) HTTP."""
        give_world(_app(), self.world)
        self.called[function] += 1
        wrong = (f for f in self.faults.clocks if f["function"] == function)
        seconds = next((f["ahead"] for f in wrong if f.get("nth", self.called[function]) == self.called[function]), 0.0)
        token, at_work = ahead.set(seconds), working.set(True)
        try:
            with _app().request_context(environ(method, f"{_OURSELVES}{path}", headers, body)):
                return _function(function)(flask.request)
        finally:
            ahead.reset(token)
            working.reset(at_work)

    def request(self, function: str, method: str, path: str, body: Any = None) -> Any:
        """Call the API; returns the answer."""
        text = b"" if body is None else flask.json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "OpenStack-API-Version": "instance-ha 1.3"}
        return self.call(function, path, text, headers, method)

    def every(self, seconds: float, name: str, work: Callable[[], None]) -> None:
        """Run something again and again, as cron does: mostly once, and in time."""
        numbers = itertools.count(1)

        def tick() -> None:
            self.scheduler.spawn(name, tick, seconds)
            number = next(numbers)
            fault = next((f["do"] for f in self.faults.ticks if (f["function"], f["nth"]) == (name, number)), None)
            for delay in {None: (), "miss": (), "late": (seconds / 2,), "twice": (0.0,)}[fault]:
                self.scheduler.spawn(name, work, delay)
            if fault in (None, "twice"):
                work()

        self.scheduler.spawn(name, tick, seconds)


def _source(settings: Settings) -> HostSource:
    return ConsulSource(settings) if settings.monitoring_driver == "consul" else KubernetesSource(settings, {})


@cache
def _app() -> flask.Flask:
    return flask.Flask("simulation")  # its world is given with each call


@cache
def _policy() -> Policy:
    return Policy(None)  # the defaults never change


@cache
def _function(name: str) -> Callable[[flask.Request], flask.Response]:
    """Load what a function's main.py declares; it holds nothing of any world."""
    target = name.replace("-", "_")
    spec = importlib.util.spec_from_file_location(f"function_{target}", ROOT / "functions" / name / "main.py")
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    function: Callable[[flask.Request], flask.Response] = getattr(module, target)
    return function
