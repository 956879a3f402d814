"""What the functions of the scheduler need where there is very much, beside a tenth of it: time, CPU, memory."""

import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from multiprocessing import get_context
from typing import Any
from uuid import uuid4

import flask
from instance_ha import log, purge, relay
from instance_ha.decide.purge import PurgeRequest
from instance_ha.models.events import Event, Sink
from instance_ha.models.guests import Channel, Domain
from instance_ha.models.health import NODE, Observation, Reading, Snapshot, Strategy
from instance_ha.models.triggers import Trigger
from instance_ha.monitoring import guests, hosts, readiness
from instance_ha.recovery import sweep
from instance_ha.store import migrate, outbox, schema
from instance_ha_simulator.cloud.model import CloudOptions
from instance_ha_simulator.embedded import EmbeddedPostgres
from instance_ha_simulator.faults import Faults
from instance_ha_simulator.files import temporary_state_dir
from instance_ha_simulator.simulation import Simulation

from bench import crowd, history
from bench.figures import Row, Samples, markdown
from bench.peak import peak

_MEMORY = 256.0  # MB, of the smallest instance that stack.yml allows
_AIM = 15.0  # times the time, and the CPU, for ten times as much
_GUESTS, _INSTANCES = 20, 5  # on a host


@dataclass(frozen=True)
class Cost:
    """What something has needed, without the simulated cloud, of a process that did nothing else."""

    cpu: float  # seconds, without Postgres
    seconds: float  # with Postgres
    statements: int
    memory: float  # MB that it has had at most


def measure(rows: int, parts: Iterable[str] = ()) -> tuple[list[Row], str]:
    """Do each thing once where there is much, and once where there is a tenth of it, in processes of their own."""
    most = {"monitor-poll": 10_000, "monitor-guests": 200, "sweep": 100_000, "purge": rows, "relay": 5_000}
    most["readiness"] = 1_000
    found = {name: [_in_process(name, most[name] // part) for part in (10, 1)] for name in parts or most}
    of = {"monitor-poll": "hosts", "monitor-guests": f"hosts with {_GUESTS} guests each", "sweep": "rows"}
    of |= {"purge": "rows, with archive", "relay": "events", "readiness": f"hosts with {_INSTANCES} instances each"}
    figures = []
    for name, (few, many) in found.items():
        what = f"{name}, {most[name]:,} {of[name]}"
        for which, ours, tenth in (("", many.seconds, few.seconds), (": CPU", many.cpu, few.cpu)):
            compared = "a tenth of it", Samples((tenth,), "s")
            figures.append(Row(what + which, Samples((ours,), "s"), *compared, _AIM))
        memory = Samples((many.memory,), "MB", 0)
        figures.append(Row(f"{what}: memory", memory, aim=_MEMORY, aim_is_ratio=False))
    return figures, _table(found)


def _table(found: dict[str, list[Cost]]) -> str:
    head = ("function", "how much", "seconds", "CPU", "statements", "memory")
    lines = [
        (name, much, f"{one.seconds:.2f} s", f"{one.cpu:.2f} s", str(one.statements), f"{one.memory:.0f} MB")
        for name, costs in found.items()
        for much, one in zip(("a tenth", "all"), costs, strict=True)
    ]
    return f"One process each, without the simulated cloud; Postgres is in the seconds:\n\n{markdown(head, lines)}"


def _in_process(name: str, much: int) -> Cost:
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(cost, name, much).result()


def cost(name: str, much: int) -> Cost:
    """Do it once in this process, on a Postgres of its own."""
    log.configure("ERROR")
    with ExitStack() as resources:
        folder = resources.enter_context(temporary_state_dir())
        url = resources.enter_context(EmbeddedPostgres(folder, durable=False)).dsn
        migrate.upgrade(url)
        return measured(name, much, url)


def measured(name: str, much: int, url: str) -> Cost:
    """Do it once, on an empty database."""
    settings = {"guest_monitoring": "true", "event_sinks": "one=http://one.test", "archive_bucket": "bucket"}
    simulation = Simulation(url, settings, CloudOptions(max_limit=1000), Faults())
    work = _WORK[name](simulation, much)
    before, watch = simulation.database.statements, _Watch()
    with watch.without_cloud():
        watch.go()
        work()
        watch.stop()
    statements = simulation.database.statements - before
    simulation.database.close()
    return Cost(watch.cpu, watch.seconds, statements, peak())


@dataclass
class _Watch:
    """Adds up what passes between going and stopping."""

    cpu: float = 0.0
    seconds: float = 0.0

    def go(self, *_: object, **__: object) -> None:
        """Begin to count."""
        self.cpu -= time.process_time()
        self.seconds -= time.perf_counter()

    def stop(self, *_: object, **__: object) -> None:
        """Count no more."""
        self.cpu += time.process_time()
        self.seconds += time.perf_counter()

    @contextmanager
    def without_cloud(self) -> Iterator[None]:
        """Stop while the simulated cloud, which is in our process, answers; only ours is of interest."""
        with flask.request_started.connected_to(self.stop), flask.request_finished.connected_to(self.go):
            yield


class _Answering:
    """Hypervisors, all of whose guests answer."""

    def __init__(self) -> None:
        self.domains_of: dict[str, list[Domain]] = {}

    def here(self, names: Iterable[str]) -> list[str]:
        """All can be reached."""
        return list(names)

    @contextmanager
    def open(self, host: str) -> Iterator["_Host"]:
        """Connect."""
        yield _Host(self.domains_of[host])


@dataclass(frozen=True)
class _Host:
    """A connection to one host."""

    of_host: list[Domain]

    def domains(self) -> list[Domain]:
        """List its domains."""
        return self.of_host

    def ping(self, _uuid: str) -> bool | None:
        """Ask an agent."""
        return True


class _AllUp:
    """A source that knows all hosts, and calls them up."""

    strategy = Strategy((NODE,), frozenset({(Reading.DOWN,)}))

    def __init__(self, names: Iterable[str]) -> None:
        self._hosts = {name: Observation({NODE: Reading.UP}) for name in names}

    def poll(self, _listed: frozenset[str]) -> Snapshot:
        """Answer."""
        return Snapshot(self._hosts)


class _Taken:
    """Takes triggers, events and archived rows, and keeps none."""

    def publish(self, triggers: Iterable[Trigger], _now: datetime) -> None:
        """Take triggers."""

    def send(self, _sink: Sink, _event: Event) -> None:
        """Take an event."""

    def holds(self, _key: str, _data: bytes) -> bool:
        """Say that an object is there and right."""
        return True

    def write(self, _key: str, _data: bytes) -> None:
        """Take an object."""


def _poll(simulation: Simulation, much: int) -> Callable[[], object]:
    """Poll hosts that are remembered already."""
    with simulation.database.begin() as connection:
        crowd.add(connection, much, 0, 0)
    world: Any = replace(simulation.world, source=_AllUp(f"crowd-compute-{n}" for n in range(1, much + 1)))
    hosts.poll_once(world)
    _wait(simulation, world.settings.monitoring_interval)
    return lambda: hosts.poll_once(world)


def _poll_guests(simulation: Simulation, much: int) -> Callable[[], object]:
    """Poll the guests of all hosts, that are remembered already."""
    with simulation.database.begin() as connection:
        crowd.add(connection, much, 0, 0)
    answering = _Answering()
    for host in (f"crowd-compute-{number}" for number in range(1, much + 1)):
        simulation.cloud.add_host(host)
        booted = simulation.cloud.boot(host, _GUESTS)
        answering.domains_of[host] = [Domain(uuid=one.id, id=1, running=True, channel=Channel.OPEN) for one in booted]
    world: Any = replace(simulation.world, hypervisors=answering)

    def poll() -> None:
        while guests.poll_once(world, world.deadline()):
            pass

    poll()
    _wait(simulation, 60.0)
    return poll


def _sweep(simulation: Simulation, much: int) -> Callable[[], object]:
    """Find 100 that are due among all that have ended."""
    with simulation.database.begin() as connection:
        crowd.add(connection, 100, 100, much // 100)
        history.make_due(connection, simulation.scheduler.now())
    world: Any = replace(simulation.world, publisher=_Taken())

    def once() -> None:
        assert sweep.sweep_once(world, (schema.notifications, schema.vmoves, schema.returns)) == history.DUE

    return once


def _purge(simulation: Simulation, much: int) -> Callable[[], object]:
    """Archive and delete all that has ended."""
    with simulation.database.begin() as connection:
        crowd.add(connection, 64, 0, 0)
        history.add(connection, much, 64)
        history.end_long_ago(connection, simulation.scheduler.now())
    world: Any = replace(simulation.world, archive=_Taken())

    def all_of_it() -> None:
        assert purge.purge(world, PurgeRequest(30, -1), None).total == much

    return all_of_it


def _relay(simulation: Simulation, much: int) -> Callable[[], object]:
    """Send what waits for one sink."""
    world: Any = replace(simulation.world, sinks=_Taken())
    (sink,), now = world.settings.sinks, world.clock.now()
    about = {"event_type": "vmove.end", "created_at": now, "body": "x" * 1000}
    events = [Event(event_id=str(uuid4()), subject=f"instance-{n % 1000}", **about) for n in range(much)]
    with simulation.database.begin() as connection:
        outbox.register(connection, [sink.name])
        for begin in range(0, much, 1000):
            outbox.add(connection, [sink.name], events[begin : begin + 1000])

    def send() -> None:
        while relay.deliver_batch(world, sink, world.deadline()):
            pass

    return send


def _readiness(simulation: Simulation, much: int) -> Callable[[], object]:
    """Find out what each segment of twenty hosts survives."""
    with simulation.database.begin() as connection:
        crowd.add(connection, much, 0, 0)
    for number in range(1, much + 1):
        simulation.cloud.add_host(f"crowd-compute-{number}")
        simulation.cloud.boot(f"crowd-compute-{number}", _INSTANCES)
    return lambda: readiness.check(simulation.world)


def _wait(simulation: Simulation, seconds: float) -> None:
    simulation.scheduler.spawn("wait", lambda: None, seconds)
    simulation.scheduler.run(seconds, lambda: False)


_WORK = {
    "monitor-poll": _poll,
    "monitor-guests": _poll_guests,
    "sweep": _sweep,
    "purge": _purge,
    "relay": _relay,
    "readiness": _readiness,
}
