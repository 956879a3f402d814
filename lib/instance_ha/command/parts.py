"""The parts that an installation stands on, each asked one harmless question."""

import socket
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from instance_ha.fencing.probe import Readiness, probe
from instance_ha.models.errors import Misconfigured
from instance_ha.models.events import SinkKind
from instance_ha.settings import Settings
from instance_ha.store import hosts, migrate
from instance_ha.world import WholeWorld

_FENCED_AT_ONCE = 32
_PORTS = {"http": 80, "https": 443}


@dataclass(frozen=True)
class Part:
    """Something that the functions need; ``ask`` returns what is worth a word, and raises whatever is wrong."""

    name: str
    ask: Callable[[], str]


def parts(world: WholeWorld) -> list[Part]:
    """List the parts that the settings name."""
    settings = world.settings
    found = [Part("database", lambda: _database(world)), Part("cloud", lambda: _cloud(world))]
    if settings.trigger_sink:
        found.append(Part("trigger sink", lambda: _connect(settings.trigger_sink or "")))
    if settings.monitoring_driver == "consul":
        found += _agents(settings)
    if settings.monitoring_driver == "kubernetes":
        found.append(Part("kubernetes", lambda: f"{len(world.source.poll(frozenset()).hosts)} nodes"))
    for sink in settings.sinks:
        if sink.kind is SinkKind.HTTP:
            found.append(Part(f"event sink {sink.name}", lambda address=sink.address: _connect(address)))  # type: ignore[misc]
    if settings.archive_bucket:
        found.append(Part("archive", lambda: _archive(world)))
    if settings.fencing_path is not None:
        found.append(Part("fencing", lambda: _fencing(world)))
    return found


def _database(world: WholeWorld) -> str:
    world.database.ping()
    revision, newest = migrate.version(world.settings.database_url.get_secret_value()), migrate.newest()
    if revision != newest:
        raise Misconfigured(f"its schema is {revision or 'empty'}, not {newest}: run instance-ha db upgrade")
    return f"schema {revision}"


def _cloud(world: WholeWorld) -> str:
    world.nova.service("instance-ha-check-config")  # a question that needs a token, the catalog, and our user's rights
    return "Nova lets us list services"


def _agents(settings: Settings) -> list[Part]:
    from instance_ha.consul.client import Agent
    from instance_ha.consul.clusters import read

    def ask(agent: Agent) -> Callable[[], str]:
        return lambda: f"{len(agent.members())} members"

    return [Part(f"consul {cluster.network}", ask(Agent(cluster))) for cluster in read(settings)[0]]


def _archive(world: WholeWorld) -> str:
    world.archive.holds(f"{world.settings.archive_prefix}check-config", b"")
    return ""


def _fencing(world: WholeWorld) -> str:
    """Ask what would fence each registered host for its power."""
    with world.database.read() as connection:
        names = hosts.names(connection)
    asked: list[Readiness] = world.map_concurrent(lambda name: probe(world.fences, name), names, _FENCED_AT_ONCE)
    troubles = [trouble for readiness in asked for trouble in readiness.troubles]
    if troubles:
        raise Misconfigured("; ".join(troubles))
    return f"each of {len(names)} hosts could be fenced in {sum(len(one.answers) for one in asked)} ways altogether"


def _connect(address: str) -> str:
    """Connect to where a URL leads, and send nothing: an event would be taken for one."""
    url = urlsplit(address)
    with socket.create_connection((url.hostname or "", url.port or _PORTS[url.scheme]), timeout=10):
        return "takes connections; nothing was sent"
