"""Recovery of a host full of instances, beside what a cloud that takes so long allows at best."""

import os
import time
from collections import Counter
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import datetime
from statistics import mean
from typing import Any

import psutil
import psycopg
from instance_ha_simulator.files import temporary_state_dir

from bench.client import DEAD, HOSTS, Operator
from bench.figures import Row, Samples, markdown
from local.hosting import InProcess
from local.runtime import Options, Runtime, without_cloud

AIM = 1.2
LATENCY = 0.05
EVACUATE_SECONDS = 2.0
IN_FLIGHT = 10
REQUESTS_EACH = 4  # lock, evacuate, confirm, unlock: one after the other
_FINAL = frozenset({"finished", "failed", "ignored", "error"})
_POLL = 0.1
_LIMIT_FACTOR = 5


class NotRecovered(Exception):
    """The recovery did not end well; the text says how."""


@dataclass(frozen=True)
class Run:
    """What one recovery took."""

    seconds: float
    bound: float
    statements: float  # an instance
    cpu: float  # of one core
    requests: Counter[tuple[str, str]] = field(repr=False)
    phases: dict[str, float] = field(repr=False)  # mean seconds an instance


def best(instances: int) -> float:
    """How long the cloud alone takes: so many at once, each with its requests one after the other."""
    return instances / IN_FLIGHT * (EVACUATE_SECONDS + REQUESTS_EACH * LATENCY)


def measure(runs: int, instances: int) -> tuple[list[Row], str]:
    """Recover hosts; returns the figures, and what a mean instance went through."""
    done = [run(instances) for _ in range(runs)]
    bound = Samples(tuple(run.bound for run in done), "s", 1)
    rows = [
        Row(f"recovery of {instances} instances", _of(done, "seconds", "s", 1), "bound", bound, AIM),
        Row("SQL statements per instance", _of(done, "statements", "", 1)),
        Row("CPU meanwhile, functions and simulated cloud", _of(done, "cpu", "cores", 2)),
    ]
    return rows, f"{_requests(done[-1], instances)}\n\n{_phases(done[-1])}"


def _of(runs: list[Run], name: str, unit: str, digits: int) -> Samples:
    return Samples(tuple(getattr(run, name) for run in runs), unit, digits)


def run(instances: int) -> Run:
    """Recover a host full of so many instances, with a Postgres and a simulated cloud of its own."""
    cloud_options = {"latency": LATENCY, "evacuate_seconds": EVACUATE_SECONDS}
    settings = {
        "force_down": "true",  # Nova's own down time does not count
        "host_failure_recovery_threads": str(IN_FLIGHT),
        "log_level": "ERROR",
    }
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        options = Options(folder, 0, sim=cloud_options, settings=settings, environ=without_cloud(os.environ))
        return _recover(resources.enter_context(Runtime(options)), instances)


def _recover(runtime: Runtime, instances: int) -> Run:
    assert isinstance(runtime.backend, InProcess)
    cloud, operator, backend = runtime.cloud, Operator(runtime.clouds_yaml), runtime.backend
    for host in HOSTS:
        cloud.add_host(host)
    operator.register()
    doomed = [server.id for server in cloud.boot(DEAD, instances)]
    cloud.kill_host(DEAD)
    cloud.requests.clear()
    process, before = psutil.Process(), backend.statements()
    cpu, begun = _cpu(process), time.perf_counter()
    notification = operator.report()
    with psycopg.connect(runtime.database_url, autocommit=True) as connection:
        _await_end(connection, notification, best(instances) * _LIMIT_FACTOR)
        seconds = time.perf_counter() - begun
        used = _cpu(process) - cpu
        statements = backend.statements() - before
        phases = _measure_phases(_times(connection, notification), cloud)
    _check(cloud, doomed)
    return Run(seconds, best(instances), statements / instances, used / seconds, Counter(cloud.requests), phases)


def _cpu(process: psutil.Process) -> float:
    times = process.cpu_times()
    return float(times.user + times.system)


def _await_end(connection: psycopg.Connection[Any], notification: str, limit: float) -> None:
    """Read the row itself, so that polling costs the functions nothing."""
    until = time.monotonic() + limit
    status = ""
    while time.monotonic() < until and status not in _FINAL:
        time.sleep(_POLL)
        query = "SELECT status, message FROM notifications WHERE notification_uuid = %s"
        status, message = connection.execute(query, [notification]).fetchone() or ("", "")
    if status != "finished":
        raise NotRecovered(f"the notification is {status}: {message}")


def _check(cloud: Any, doomed: list[str]) -> None:
    """Make sure that each server moved, by exactly one request."""
    asked = Counter(request.server_id for request in cloud.evacuation_requests)
    if asked != Counter(doomed):
        raise NotRecovered(f"{len(asked)} of {len(doomed)} servers evacuated, {asked.total()} requests")
    left = [server.id for server in cloud.servers() if server.host == DEAD or server.status != "ACTIVE"]
    if left:
        raise NotRecovered(f"{len(left)} servers are not ACTIVE elsewhere")


def _times(connection: psycopg.Connection[Any], notification: str) -> dict[str, tuple[datetime, datetime]]:
    """Read when each instance got its slot, and when it was closed."""
    query = "SELECT instance_uuid, start_time, end_time FROM vmoves WHERE notification_uuid = %s"
    return {str(uuid): (start, end) for uuid, start, end in connection.execute(query, [notification])}


def _measure_phases(times: dict[str, tuple[datetime, datetime]], cloud: Any) -> dict[str, float]:
    nova = {m.instance_uuid: (m.created_at, m.updated_at) for m in cloud.migrations()}
    done = sorted(end for _, end in nova.values())
    later = sorted(start for start, _ in times.values())[IN_FLIGHT:]
    again = [(start - end).total_seconds() for start, end in zip(later, done, strict=False)]
    return {
        "slot taken until Nova has the request": mean((nova[i][0] - t[0]).total_seconds() for i, t in times.items()),
        "Nova at work": mean((end - begin).total_seconds() for begin, end in nova.values()),
        "Nova done until the slot is taken again": mean(again) if again else 0.0,
        "Nova done until the instance is closed": mean((t[1] - nova[i][1]).total_seconds() for i, t in times.items()),
    }


def _requests(run: Run, instances: int) -> str:
    rows = [(method, route, f"{count / instances:.3f}") for (method, route), count in run.requests.most_common()]
    return "Nova requests per instance:\n\n" + markdown(("method", "route", "per instance"), rows)


def _phases(run: Run) -> str:
    rows = [(name, f"{seconds:.2f}") for name, seconds in run.phases.items()]
    return "A mean instance (the first three make a slot's round):\n\n" + markdown(("phase", "s"), rows)
