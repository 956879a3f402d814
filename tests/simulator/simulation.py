"""One simulated installation: our functions as they are, everything around them under control."""

import importlib.util
from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType
from typing import Any

import flask
import requests
from instance_ha.entry import wiring
from instance_ha.events.codec import encode
from instance_ha.events.url_tasks import encode as encode_task
from instance_ha.events.url_tasks import parse as parse_answer
from instance_ha.keystone.noauth import NoAuth
from instance_ha.models.custom import TaskFacts, UrlAnswer
from instance_ha.models.errors import TaskUnavailable
from instance_ha.models.work import Work
from instance_ha.nova import NovaClient
from instance_ha.policy.enforcer import Policy
from instance_ha.settings import Settings, load
from instance_ha.store.database import Database
from instance_ha.world import World
from keystoneauth1.adapter import Adapter
from keystoneauth1.identity.v3 import Password
from keystoneauth1.session import Session
from requests import PreparedRequest, Response

from sim.adapter import URL, WsgiAdapter
from sim.app import create_app
from sim.cloud import Cloud
from sim.model import CloudOptions
from tests.simulator.scheduler import KilledError, Scheduler, TimeLimitError

ROOT = Path(__file__).parents[2]
FUNCTIONS = ("api-hosts", "api-notifications", "api-segments", "recover-host", "recover-instance", "sweep")
KEY = "simulated-event-key"
_RETRIED = frozenset({404, 408, 409, 429})


@dataclass
class Faults:
    """What goes wrong with events and invocations; what goes wrong in the cloud is told to the cloud."""

    kill: list[dict[str, Any]] = field(default_factory=list)  # {step, nth}
    events: list[dict[str, Any]] = field(default_factory=list)  # {do: lose|double|delay, function, nth|every, seconds}


class ImpatientAdapter(WsgiAdapter):
    """The way to the simulated cloud: who asked gives up after its time limit, in virtual time."""

    def __init__(self, app: flask.Flask, scheduler: Scheduler) -> None:
        super().__init__(app)
        self._scheduler = scheduler

    def send(self, request: PreparedRequest, **options: Any) -> Response:  # type: ignore[override]
        """Answer, or let the client run out of patience."""
        timeout = options.get("timeout")
        self._scheduler.patience(timeout[1] if isinstance(timeout, tuple) else timeout)
        try:
            return super().send(request, **options)
        except TimeLimitError as error:
            raise requests.ReadTimeout("timed out", request=request) from error
        finally:
            self._scheduler.patience(None)


class Broker:
    """Delivers events as brokers do: soon, mostly once, again after an error."""

    def __init__(self, simulation: "Simulation") -> None:
        self._simulation = simulation
        self._seen: Counter[str] = Counter()

    def publish(self, works: Iterable[Work]) -> None:
        """Send events, or lose them, as the faults say."""
        for work in works:
            headers, body = encode(work, self._simulation.scheduler.now(), KEY.encode())
            for delay in self._deliveries(work.kind.function):
                self._deliver(work.kind.function, headers, body, delay, 0)

    def _deliveries(self, function: str) -> list[float]:
        self._seen[function] += 1
        for fault in self._simulation.faults.events:
            of_it = fault.get("function", function) == function
            if of_it and ("every" in fault or fault.get("nth") == self._seen[function]):
                return {"lose": [], "double": [0.01, 0.02], "delay": [fault.get("seconds", 30.0)]}[fault["do"]]
        return [0.01]

    def _deliver(self, function: str, headers: dict[str, str], body: bytes, delay: float, tries: int) -> None:
        def run() -> None:
            code = self._simulation.call(function, "/", body, headers).status_code
            if (code >= 500 or code in _RETRIED) and tries < 10:
                self._deliver(function, headers, body, 0.2 * 2**tries, tries + 1)

        self._simulation.scheduler.spawn(function, run, delay)


class Urls:
    """Owners of tasks that are URLs: what each answers, one after the other, the last one for ever."""

    def __init__(self) -> None:
        self.answers: dict[str, list[dict[str, Any]]] = {}  # {code, state, message}, or {} for no answer
        self.asked: list[tuple[str, str]] = []

    def ask(self, url: str, event_id: str, facts: TaskFacts) -> UrlAnswer:
        """Answer as the next line says, through the code that makes and reads the real messages."""
        _, body = encode_task(event_id, facts, "2026-11-22T03:00:00+00:00", KEY.encode())
        assert flask.json.loads(body)["notification_uuid"] == facts.notification_uuid
        self.asked.append((url, event_id))
        lines = self.answers[url]
        line = dict(lines.pop(0) if len(lines) > 1 else lines[0])
        if not line:
            raise TaskUnavailable("no answer: ConnectionError")
        return parse_answer(line.pop("code", 200), flask.json.dumps(line).encode())


class Simulation:
    """Functions, cloud, database and broker."""

    def __init__(self, database_url: str, settings: Mapping[str, str], options: CloudOptions, faults: Faults) -> None:
        environ = {"DATABASE_URL": database_url, "EVENT_SINK": "http://broker.test", "INSTANCE_HA_EVENT_KEY": KEY}
        environ |= {f"INSTANCE_HA_{name.upper()}": str(value) for name, value in settings.items()}
        self.environ = environ | {"OS_AUTH_URL": f"{URL}identity/v3"}
        self.settings = load(environ)
        self.faults = faults
        self.scheduler = Scheduler()
        self.cloud = Cloud(self.scheduler, options)
        self.killed: list[str] = []
        self.steps: Counter[str] = Counter()
        self._database_url = database_url
        self.urls = Urls()
        self.world = self._world(self.settings)
        self._app = flask.Flask("simulation")
        self._handlers: dict[str, Callable[[flask.Request], flask.Response]] = {}

    def _world(self, settings: Settings) -> World:
        return World(
            settings=settings,
            clock=self.scheduler,
            database=Database(self._database_url, 8),
            nova=self._nova(settings),
            publisher=Broker(self),
            tokens=NoAuth(),
            policy=Policy(None),
            url_tasks=self.urls,
            beside=lambda work: self.scheduler.spawn("third-party task", work),
            step=self._step,
        )

    def _nova(self, settings: Settings) -> NovaClient:
        http = requests.Session()
        http.mount(URL, ImpatientAdapter(create_app(self.cloud), self.scheduler))
        user = self.cloud.identity.users["masakari"]
        auth = Password(
            f"{URL}identity/v3",
            username=user.name,
            password=user.password,
            project_name=user.project.name,
            user_domain_id="default",
            project_domain_id="default",
        )
        adapter = Adapter(
            Session(auth=auth, session=http), service_type="compute", endpoint_override=f"{URL}compute/v2.1"
        )
        return NovaClient(
            adapter, self.scheduler, settings.nova_timeout, settings.nova_list_timeout, settings.nova_page_size
        )

    def _step(self, name: str) -> None:
        self.steps[name] += 1
        for fault in self.faults.kill:
            if fault["step"] == name and fault.get("nth", 1) == self.steps[name]:
                self.killed.append(name)
                raise KilledError(name)

    def load_functions(self, monkeypatch: Any) -> None:
        """Load every function's main.py, in this world."""
        for name, value in self.environ.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setattr(wiring, "load_settings", lambda: self.settings)
        monkeypatch.setattr(wiring, "world", lambda: self.world)
        for name in FUNCTIONS:
            self._handlers[name] = getattr(_load(name), name.replace("-", "_"))

    def call(self, function: str, path: str, body: bytes, headers: Mapping[str, str], method: str = "POST") -> Any:
        """Invoke a function over (in-process) HTTP."""
        with self._app.test_request_context(path, method=method, data=body, headers=dict(headers)):
            return self._handlers[function](flask.request)

    def request(self, function: str, method: str, path: str, body: Any = None) -> Any:
        """Call the API; returns the answer."""
        text = b"" if body is None else flask.json.dumps(body).encode()
        headers = {"Content-Type": "application/json", "OpenStack-API-Version": "instance-ha 1.3"}
        return self.call(function, path, text, headers, method)

    def every(self, seconds: float, name: str, work: Callable[[], None]) -> None:
        """Run something again and again, as cron does."""

        def tick() -> None:
            self.scheduler.spawn(name, tick, seconds)
            work()

        self.scheduler.spawn(name, tick, seconds)


def _load(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(
        f"function_{name.replace('-', '_')}", ROOT / "functions" / name / "main.py"
    )
    assert spec is not None and spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
