"""The REST API: failures that are reported, lists and details of very many, beside `SELECT 1` over the same stack."""

import json
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Any
from uuid import uuid4

from instance_ha.store import migrate
from instance_ha.store.database import Database
from instance_ha_simulator.cloud.app import create_app
from instance_ha_simulator.cloud.clock import RealClock
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.clouds import clouds_yaml
from instance_ha_simulator.cloud.server import LoopbackServer
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.files import temporary_state_dir, write_secret

import stack
from bench import crowd, environment, history, recovery
from bench.children import Served, Started, serving
from bench.figures import Row, Samples, markdown
from bench.load import Load, Request, put
from local.clients import connect
from local.files import repository

_CONNECTIONS, _HOSTS, _TASKS, _PAGE = 8, 64, 60, 1000
_REQUESTS = {"SELECT 1": 400, "POST": 400, "show": 200, "first page": 16, "middle page": 16}
_SELECT_1 = Request("GET", "/_/ready", {})  # by the way of all requests, and Postgres is asked
_INSTANCES, _UNTIL_IT_EVACUATES, _PAUSE = 200, 10.0, 1.0  # of the recovery beside; seconds
_BESIDE = f"POST beside a recovery of {_INSTANCES} instances"
_AIMS = {"POST": 5.0, "show": 8.0, "first page": 80.0, "middle page": 80.0}  # times the CPU of SELECT 1


def measure(runs: int, notifications: int) -> tuple[list[Row], str]:
    """Ask one process of api-notifications, served as in its image, by some connections at once."""
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        url = resources.enter_context(EmbeddedPostgres(folder, durable=False)).dsn
        detail, middle = _fill(url, notifications)
        values, token = resources.enter_context(_outside(folder, url))
        output = resources.enter_context((folder / "output").open("ab"))
        function = next(one for one in stack.read(repository() / "stack.yml") if one.name == "api-notifications")
        served = Served(function.target, function.folder / "main.py", as_image=True)
        started = resources.enter_context(serving(served, values | {"THREADS": "8"}, output))
        asked = _requests({"X-Auth-Token": token, "OpenStack-API-Version": "instance-ha 1.1"}, detail, middle)
        loads: dict[str, list[Load]] = {name: [] for name in asked}
        for number in range(runs + 1):
            for name, ask in asked.items():
                load = _put(started, name, ask)
                loads[name] += [load] if number else []  # the first round only warms caches
        beside = _while_a_host_is_recovered(partial(_put, started, "POST", asked["POST"]))
    loads[_BESIDE] = beside
    return _rows(loads, notifications), _table(loads)


def _while_a_host_is_recovered(put_once: Callable[[], Load]) -> list[Load]:
    """Go on with the same requests while a recovery takes its part of the machine, in processes of its own."""
    loads = []
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        recovered = pool.submit(recovery.run, _INSTANCES)
        time.sleep(_UNTIL_IT_EVACUATES)
        while not recovered.done():
            loads.append(put_once())
            time.sleep(_PAUSE)
        recovered.result()
    return loads[:-1]  # during the last one it has ended


def _put(started: Started, name: str, ask: Callable[[int], Request]) -> Load:
    return put(started.port, started.pid, _CONNECTIONS, _REQUESTS[name], ask)


def _requests(headers: dict[str, str], detail: str, middle: str) -> dict[str, Callable[[int], Request]]:
    path = "/v1/notifications"
    page = f"{path}?limit={_PAGE}"
    return {
        "SELECT 1": lambda _: _SELECT_1,
        "POST": partial(_report, path, headers | {"Content-Type": "application/json"}),
        "show": lambda _: Request("GET", f"{path}/{detail}", headers),
        "first page": lambda _: Request("GET", page, headers),
        "middle page": lambda _: Request("GET", f"{page}&marker={middle}", headers),
    }


def _report(path: str, headers: dict[str, str], number: int) -> Request:
    """Report an instance that has died, on each host in turn."""
    payload = {"instance_uuid": str(uuid4()), "vir_domain_event": "LIFECYCLE", "event": "STOPPED_FAILED"}
    host = f"crowd-compute-{1 + number % _HOSTS}"
    about = {"type": "VM", "hostname": host, "generated_time": "2026-11-28T10:00:00", "payload": payload}
    return Request("POST", path, headers, json.dumps({"notification": about}), 202)


def _fill(url: str, notifications: int) -> tuple[str, str]:
    """Have hosts, a recovery with much progress, and many notifications; returns its uuid, and that of their middle."""
    migrate.upgrade(url)
    database = Database(url)
    with database.begin() as connection:
        detail = crowd.add(connection, _HOSTS, 1, 0)
        history.add_tasks(connection, detail, _TASKS)
        middle = history.add(connection, notifications, _HOSTS)
    database.close()
    return detail, middle


@contextmanager
def _outside(folder: Path, url: str) -> Iterator[tuple[dict[str, str], str]]:
    """Simulate Keystone, and a receiver of triggers that takes all; gives a function's environment, and a token."""
    with ExitStack() as resources:
        cloud = Cloud(RealClock())
        values = environment.of_functions(folder, url)
        servers = [LoopbackServer(create_app(cloud)), LoopbackServer(_take)]
        for server in servers:
            server.start()
            resources.callback(server.stop)
        clouds = Path(values["OS_CLIENT_CONFIG_FILE"])
        write_secret(clouds, clouds_yaml(cloud, servers[0].url))
        values["INSTANCE_HA_TRIGGER_SINK"] = f"{servers[1].url}/{{function}}"
        yield values, str(connect(clouds, "admin").auth_token)


def _take(environ: Any, start_response: Any) -> list[bytes]:
    environ["wsgi.input"].read()
    start_response("202 Accepted", [("Content-Length", "0")])
    return [b""]


def _rows(loads: dict[str, list[Load]], notifications: int) -> list[Row]:
    names = {
        "POST": "report of a failure",
        "show": f"detail with the progress of {_TASKS} tasks",
        "first page": f"first {_PAGE:,} of {notifications:,} notifications",
        "middle page": f"middle {_PAGE:,} of {notifications:,} notifications",
    }
    bare = _cpu(loads["SELECT 1"])
    rates = {name: _samples(loads[name], lambda load: load.rate, "", 0) for name in ("POST", _BESIDE)}
    reports = [Row(f"API, {name} a second", rate) for name, rate in rates.items()]
    return reports + [
        Row(f"API, {what}: CPU", _cpu(loads[name]), "SELECT 1", bare, _AIMS[name]) for name, what in names.items()
    ]


def _cpu(loads: list[Load]) -> Samples:
    return _samples(loads, lambda load: load.cpu_each, "ms", 1)


def _samples(loads: list[Load], of: Callable[[Load], float], unit: str, digits: int) -> Samples:
    return Samples(tuple(of(load) for load in loads), unit, digits)


def _table(loads: dict[str, list[Load]]) -> str:
    head = ("request", "a second", "p50", "p99", "CPU each")
    rows = [
        (
            name,
            str(_samples(found, lambda load: load.rate, "", 1)),
            str(_samples(found, lambda load: load.percentile(50), "ms", 1)),
            str(_samples(found, lambda load: load.percentile(99), "ms", 1)),
            str(_cpu(found)),
        )
        for name, found in loads.items()
    ]
    return f"One process of api-notifications, {_CONNECTIONS} connections:\n\n{markdown(head, rows)}"
