"""The whole product on one machine: Postgres, a cloud (given or simulated), the functions, gateway, events, cron."""

import os
import secrets
import sys
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

import structlog

from local import stack
from local.cron import Cron
from local.events import Queue
from local.gateway import Gateway
from local.hosting import Backend, InProcess, Isolated, free_port, repository
from local.postgres import EmbeddedPostgres
from sim.server import LoopbackServer

_THREADS = 48


@dataclass(frozen=True)
class Options:
    """How to run."""

    state_dir: Path
    port: int = 15868  # 0: a free one
    isolate: bool = False
    durable: bool = True
    sim: dict[str, Any] | None = None  # CloudOptions of the simulated cloud
    log: IO[bytes] | None = None  # where isolated functions write


class Runtime:
    """Starts everything, and stops it in the opposite order."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.cloud: Any = None  # the simulated cloud, if there is one
        self.database_url = ""
        self.backend: Backend | None = None
        self.postgres: EmbeddedPostgres | None = None
        self._stack = ExitStack()
        self.port = options.port or free_port()
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
        self.options.state_dir.mkdir(parents=True, exist_ok=True)
        functions = stack.read(repository() / "stack.yml")
        self._start_database()
        self._write_secrets()
        if not (os.environ.get("OS_CLOUD") or os.environ.get("OS_AUTH_URL")):
            self._start_cloud()
        self._set("EVENT_SINK", f"{self.url}/async-function/{{function}}")
        backend = Isolated(functions, self.options.log) if self.options.isolate else InProcess(functions)
        self.backend = backend
        self._stack.callback(backend.stop)
        queue = Queue(backend)
        self._stack.callback(queue.stop)
        self._serve(Gateway(functions, backend, queue), self.port)
        cron = Cron(functions, backend.call)
        self._stack.callback(cron.stop)
        cron.start()
        structlog.get_logger().info("ready", url=self.url, functions=len(functions), isolated=self.options.isolate)

    def _serve(self, application: Any, port: int) -> str:
        """Serve an application on the loopback interface; returns its URL."""
        server = LoopbackServer(application, port, _THREADS)
        server.start()
        self._stack.callback(server.stop)
        return server.url

    def _set(self, name: str, value: str) -> None:
        """Set a variable for the functions, and put the old value back at the end."""
        before = os.environ.get(name)
        os.environ[name] = value
        self._stack.callback(lambda: os.environ.pop(name, None))
        if before is not None:
            self._stack.callback(lambda: os.environ.update({name: before}))

    def _start_database(self) -> None:
        from instance_ha.store import migrate

        if given := os.environ.get("DATABASE_URL"):
            self.database_url = given
        else:
            self.postgres = EmbeddedPostgres(self.options.state_dir, durable=self.options.durable)
            self.database_url = self.postgres.start()
            self._stack.callback(self.postgres.stop)
        migrate.upgrade(self.database_url)

    def _write_secrets(self) -> None:
        """Hand the secrets over as the platforms do: files in a folder."""
        folder = self.options.state_dir / "secrets"
        folder.mkdir(mode=0o700, exist_ok=True)
        key = folder / "event-key"
        if not key.exists():
            write_secret(key, secrets.token_hex(32))
        write_secret(folder / "database-url", self.database_url)
        self._set("INSTANCE_HA_SECRETS_DIR", str(folder))

    def _start_cloud(self) -> None:
        from sim.app import create_app
        from sim.clock import RealClock
        from sim.cloud import Cloud
        from sim.clouds import clouds_yaml
        from sim.model import CloudOptions

        options = {"instance_ha_url": f"{self.url}/v1"} | (self.options.sim or {})
        self.cloud = Cloud(RealClock(), CloudOptions(**options))
        url = self._serve(create_app(self.cloud), 0)
        write_secret(self.clouds_yaml, clouds_yaml(self.cloud, url))
        self._set("OS_CLIENT_CONFIG_FILE", str(self.clouds_yaml))
        self._set("OS_CLOUD", "masakari")
        structlog.get_logger().info("simulated cloud", url=url)


def write_secret(path: Path, text: str) -> None:
    """Write a file that only its owner may read."""
    with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
        file.write(text)


def reset_function_state() -> None:
    """Forget the settings and the connections of functions that ran in this process before."""
    wiring = sys.modules.get("instance_ha.entry.wiring")
    if wiring is not None:
        wiring.world.cache_clear()
        wiring.load_settings.cache_clear()
