"""The whole product on one machine: Postgres, a cloud (given or simulated), the functions, gateway, events, cron."""

import logging
import os
import secrets
from collections.abc import Iterable, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import structlog
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.embedded import EmbeddedPostgres, PostgresError
from instance_ha_simulator.files import make_state_dir, write_secret

import stack
from local.cron import Cron
from local.events import Queue
from local.files import repository
from local.gateway import NOT_READY, Gateway
from local.hosting import Backend, Hosting, InProcess

_THREADS = 48
_EVENT_THREADS = 8  # an event is only put into a queue
_WORKING_THREADS = 64  # an event that goes straight to its function holds a thread while it works


@dataclass(frozen=True)
class Options:
    """How to run."""

    state_dir: Path
    port: int = 15868  # 0: a free one
    hosting: Hosting = InProcess  # or Isolated
    durable: bool = True
    direct_events: bool = False  # straight to the functions, without a queue between: as we are installed on OpenFaaS
    sim: dict[str, Any] = field(default_factory=dict)  # CloudOptions of the simulated cloud
    settings: dict[str, str] = field(default_factory=dict)  # settings of the functions, by their names
    environ: Mapping[str, str] = field(default_factory=lambda: os.environ)  # what the functions find beside ours
    stack: Path = field(default_factory=lambda: repository() / "stack.yml")


class Runtime:
    """Starts everything, and stops it in the opposite order."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.cloud: Any = None  # the simulated cloud, if there is one
        self.database_url = ""
        self.backend: Backend | None = None
        self.postgres: EmbeddedPostgres | None = None
        self.port = options.port  # the real one after start()
        self._stack = ExitStack()
        self._gateway: Gateway | None = None
        self.environ = dict(options.environ)  # of the functions
        self.clouds_yaml = options.state_dir / "clouds.yaml"

    @property
    def url(self) -> str:
        """The base URL of the API."""
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start; stops what it has started if a part fails."""
        try:
            self._start()
        except BaseException:
            self.stop()
            raise

    def stop(self) -> None:
        """Stop."""
        self._stack.close()

    def __enter__(self) -> "Runtime":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    def _start(self) -> None:
        # It warns of queues and of threads still busy at the end; neither is anything that a user has to act on.
        logging.getLogger("waitress").setLevel(logging.ERROR)
        functions = stack.read(self.options.stack)
        make_state_dir(self.options.state_dir)
        direct = self.options.direct_events
        public = self._listen(self.options.port, _THREADS)
        events = self._listen(0, _WORKING_THREADS if direct else _EVENT_THREADS)
        self.port = int(public.url.rsplit(":", 1)[1])
        self._start_database()
        self._write_secrets()
        for name, value in self.options.settings.items():
            self.environ[f"INSTANCE_HA_{name.upper()}"] = value
        if self.environ.get("OS_CLOUD") or self.environ.get("OS_AUTH_URL"):
            self._check_cloud()
        else:
            self._start_cloud(noauth=self.environ.get("INSTANCE_HA_AUTH_STRATEGY") == "noauth2")
        # Functions send events while they hold a thread of the public port: without a port of their own for that,
        # as many callers as there are threads would wait for each other.
        path = "function" if direct else "async-function"
        self.environ["INSTANCE_HA_TRIGGER_SINK"] = f"{events.url}/{path}/{{function}}"
        backend = self.options.hosting(functions, self.environ)
        self.backend = backend
        self._stack.callback(backend.stop)
        queue = Queue(backend)
        self._stack.callback(queue.stop)
        self._gateway = Gateway(functions, backend, queue)
        self._stack.callback(setattr, self, "_gateway", None)
        token = (self.options.state_dir / "secrets/cron-token").read_text().strip()
        cron = Cron(functions, backend.call, token=token, at_once=backend.tick_at_start)
        self._stack.callback(cron.stop)
        cron.start()
        structlog.get_logger().info("ready", url=self.url, functions=len(functions), hosting=type(backend).__name__)

    def _listen(self, port: int, threads: int) -> LoopbackServer:
        """Take a port, before anything else is started: a port that is not free is found at once."""
        try:
            server = LoopbackServer(self._answer, port, threads)
        except OSError as error:
            raise OSError(error.errno, f"port {port} cannot be used: {error.strerror}") from None
        server.start()
        self._stack.callback(server.stop)
        return server

    def _answer(self, environ: Any, start_response: Any) -> Iterable[bytes]:
        return (self._gateway or NOT_READY)(environ, start_response)

    def _start_database(self) -> None:
        from instance_ha.settings import load
        from instance_ha.store import migrate
        from sqlalchemy.exc import SQLAlchemyError

        if self.environ.get("DATABASE_URL"):
            self.database_url = load(self.environ).database_url.get_secret_value()
        else:
            self.postgres = EmbeddedPostgres(self.options.state_dir, durable=self.options.durable)
            self.database_url = self.postgres.start()
            self._stack.callback(self.postgres.stop)
        try:
            migrate.upgrade(self.database_url)
        except SQLAlchemyError as error:
            reason = " ".join(str(getattr(error, "orig", None) or error).split())
            raise PostgresError(f"the database cannot be used: {reason}") from None

    def _write_secrets(self) -> None:
        """Hand the secrets over as the platforms do: files in a folder."""
        folder = self.options.state_dir / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        for name in ("trigger-key", "task-key", "console-key", "metrics-token", "cron-token"):
            if not (folder / name).exists():
                write_secret(folder / name, secrets.token_hex(32))
        write_secret(folder / "database-url", self.database_url)
        self.environ["INSTANCE_HA_SECRETS_DIR"] = str(folder)
        self.environ.setdefault("INSTANCE_HA_CONSOLE_OVER_HTTP", "true")  # as the gateway is

    def _start_cloud(self, *, noauth: bool) -> None:
        from instance_ha_simulator.cloud.app import create_app
        from instance_ha_simulator.cloud.clock import RealClock
        from instance_ha_simulator.cloud.cloud import Cloud
        from instance_ha_simulator.cloud.clouds import clouds_yaml
        from instance_ha_simulator.cloud.model import CloudOptions

        options: dict[str, Any] = {"instance_ha_url": f"{self.url}/v1", "noauth": noauth} | self.options.sim
        self.cloud = Cloud(RealClock(), CloudOptions(**options))
        server = LoopbackServer(create_app(self.cloud), 0, _THREADS)
        server.start()
        self._stack.callback(server.stop)
        if noauth:
            self.environ["OS_AUTH_TYPE"] = "none"
            self.environ["OS_COMPUTE_ENDPOINT_OVERRIDE"] = f"{server.url}/compute/v2.1"
        else:
            write_secret(self.clouds_yaml, clouds_yaml(self.cloud, server.url))
            self.environ["OS_CLIENT_CONFIG_FILE"] = str(self.clouds_yaml)
            self.environ["OS_CLOUD"] = "masakari"
        structlog.get_logger().info("simulated cloud", url=server.url)

    def _check_cloud(self) -> None:
        """Read the configuration of the given cloud now; a function would do so only when it needs it."""
        from instance_ha.keystone.cloud import Cloud
        from instance_ha.settings import load
        from instance_ha.startup import check_cloud

        settings = load(self.environ)
        check_cloud(settings, self.environ)
        _ = Cloud(settings, self.environ).region


def without_cloud(environ: Mapping[str, str]) -> dict[str, str]:
    """Return an environment in which nothing names somebody's cloud or database, nor any of our settings."""
    foreign = ("OS_", "INSTANCE_HA_", "DATABASE_URL", "K_SINK")
    return {name: value for name, value in environ.items() if not name.startswith(foreign)}
