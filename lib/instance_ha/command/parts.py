"""The parts that an installation stands on, each asked one harmless question."""

import socket
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from instance_ha.fencing.probe import Readiness, probe
from instance_ha.http_limits import within
from instance_ha.lazy import lazy
from instance_ha.models.errors import InstanceHAError, Misconfigured
from instance_ha.models.events import Sink
from instance_ha.models.triggers import RECOVER_HOST, RECOVER_INSTANCE
from instance_ha.posting import reach
from instance_ha.recovery import flows
from instance_ha.settings import Settings
from instance_ha.store import hosts, migrate
from instance_ha.world import WholeWorld

if TYPE_CHECKING:
    from instance_ha.keystone.cloud import Cloud

_ASKED_AT_ONCE = 32
_NAMED = 5  # hosts in one line
_TIMEOUT = 10.0  # seconds for a connection
_MEMCACHED = 11211


@dataclass(frozen=True)
class Part:
    """Something that the functions need; ``ask`` returns what is worth a word, and raises whatever is wrong."""

    name: str
    port: str  # of the world: what stands behind it
    ask: Callable[[], str]


def parts(world: WholeWorld, environ: Mapping[str, str]) -> list[Part]:
    """List the parts that the settings name."""
    cloud = lazy(lambda: _made_cloud(world.settings, environ))
    return [*_always(world, cloud), *_monitors(world, cloud), *_others(world, environ)]


def _made_cloud(settings: Settings, environ: Mapping[str, str]) -> "Cloud":
    from instance_ha.keystone.cloud import Cloud

    return Cloud(settings, environ)


def _always(world: WholeWorld, cloud: "Cloud") -> Iterator[Part]:
    settings = world.settings
    yield Part("database", "database", lambda: _database(world))
    yield Part("cloud", "nova", lambda: _cloud(world))
    if settings.auth_strategy != "noauth2":  # a cloud without Keystone has no catalog that names Placement
        yield Part("placement", "placement", lambda: f"{len(world.placement.providers())} resource providers")
    if settings.auth_strategy == "keystone":
        yield Part("callers' tokens", "tokens", lambda: _tokens(world, cloud))
        for server in filter(None, (settings.memcached_servers or "").split(",")):
            yield Part(f"memcached {server.strip()}", "tokens", partial(_memcached, server.strip()))
    if settings.trigger_sink:
        yield Part("trigger sink", "publisher", partial(_trigger_sink, settings.trigger_sink))


def _monitors(world: WholeWorld, cloud: "Cloud") -> Iterator[Part]:
    settings = world.settings
    if settings.monitoring_driver == "consul":
        yield from _agents(settings)
    if settings.monitoring_driver == "kubernetes":
        yield Part("kubernetes", "source", lambda: f"{len(world.source.poll(frozenset()).hosts)} nodes")
    if settings.guest_monitoring:
        yield Part("libvirt", "hypervisors", lambda: _libvirt(world))
    if settings.monitoring_driver or settings.guest_monitoring:
        yield Part("instance HA API", "notification_client", lambda: _api(settings, cloud))


def _others(world: WholeWorld, environ: Mapping[str, str]) -> Iterator[Part]:
    settings = world.settings
    for sink in settings.sinks:
        yield Part(f"event sink {sink.name}", "sinks", partial(_sink, sink, settings, environ))
    for url in flows.urls(settings):
        yield Part(f"task {urlsplit(url).netloc}", "remote", partial(_reach, url))
    if settings.archive_bucket:
        yield Part("archive", "archive", lambda: _archive(world))
    if settings.fencing_path is not None:
        yield Part("fencing", "fences", lambda: _fencing(world))


def _database(world: WholeWorld) -> str:
    world.database.ping()
    revision, newest = migrate.version(world.settings.database_url.get_secret_value()), migrate.newest()
    if revision != newest:
        raise Misconfigured(f"its schema is {revision or 'empty'}, not {newest}: run instance-ha db upgrade")
    return f"schema {revision}"


def _cloud(world: WholeWorld) -> str:
    world.nova.service("instance-ha-check-config")  # a question that needs a token, the catalog, and our user's rights
    return "Nova lets us list services"


def _tokens(world: WholeWorld, cloud: "Cloud") -> str:
    """Have our own token checked, as that of a caller."""
    from webob import Request

    token = cloud.session.get_token()
    world.tokens.check(Request.blank("/", headers={"X-Auth-Token": token}).environ)
    return "Keystone lets us check them"


def _memcached(server: str) -> str:
    """Ask for the version; without memcached the check of tokens goes on in silence, and asks Keystone more often."""
    host, _, port = server.rpartition(":") if server.rpartition(":")[2].isdecimal() else (server, "", str(_MEMCACHED))
    with socket.create_connection((host.strip("[]"), int(port)), timeout=_TIMEOUT) as connection:
        connection.sendall(b"version\r\n")
        answer = connection.recv(100).decode("latin-1").strip()
    if not answer.startswith("VERSION "):
        raise Misconfigured(f"it is not a memcached server: it answers {answer[:40]!r}")
    return answer.lower()


def _trigger_sink(sink: str) -> str:
    """Connect to where each function that gets triggers is, and send nothing."""
    return [_reach(address) for address in trigger_addresses(sink)][-1]


def trigger_addresses(sink: str) -> list[str]:
    """List the URLs that triggers go to: the name of a function may stand in the path, or in the host."""
    return [sink.replace("{function}", kind.function) for kind in (RECOVER_HOST, RECOVER_INSTANCE)]


def _sink(sink: Sink, settings: Settings, environ: Mapping[str, str]) -> str:
    from instance_ha.sinks import senders

    return senders.make(sink, settings, environ).probe()


def _reach(address: str) -> str:
    return reach(address, _TIMEOUT)


def _agents(settings: Settings) -> list[Part]:
    from instance_ha.consul.client import Agent
    from instance_ha.consul.clusters import read

    def ask(agent: Agent) -> Callable[[], str]:
        return lambda: f"{len(agent.members())} members"

    return [Part(f"consul {cluster.network}", "source", ask(Agent(cluster))) for cluster in read(settings)[0]]


def _api(settings: Settings, cloud: "Cloud") -> str:
    """Ask the API that the monitors post to for a list that may be empty; whether it shows it is for its policy."""
    adapter = cloud.adapter("instance-ha", settings.api_url)
    with within(settings.notification_post_timeout):
        answer = adapter.get("/notifications?limit=1", raise_exc=False, connect_retries=0, status_code_retries=0)
    if answer.status_code not in {200, 403}:
        raise Misconfigured(f"it answers {answer.status_code} to GET /notifications")
    return "takes our token; nothing was posted"


def _libvirt(world: WholeWorld) -> str:
    """Connect to the libvirt of each registered host that is polled from here, and count its domains."""
    with world.database.read() as connection:
        names = world.hypervisors.here(hosts.names(connection))

    def trouble(name: str) -> str | None:
        try:
            with world.hypervisors.open(name) as hypervisor:
                hypervisor.domains()
        except InstanceHAError as error:
            return f"{name}: {error}"
        return None

    troubles = list(filter(None, world.map_concurrent(trouble, names, _ASKED_AT_ONCE)))
    if troubles:
        more = f"; and {len(troubles) - _NAMED} more" if len(troubles) > _NAMED else ""
        raise Misconfigured(f"{len(troubles)} of {len(names)} hosts: {'; '.join(troubles[:_NAMED])}{more}")
    return f"{len(names)} hosts answer"


def _archive(world: WholeWorld) -> str:
    world.archive.holds(f"{world.settings.archive_prefix}check-config", b"")
    return ""


def _fencing(world: WholeWorld) -> str:
    """Ask what would fence each registered host for its power."""
    with world.database.read() as connection:
        names = hosts.names(connection)
    now = world.database.now()
    asked: list[Readiness] = world.map_concurrent(lambda name: probe(world.fences, name, now), names, _ASKED_AT_ONCE)
    troubles = [trouble for readiness in asked for trouble in readiness.troubles]
    shared = world.fences.shared(names).items()
    troubles += [f"{one} would be fenced at the same machine as {other}" for one, other in shared]
    if troubles:
        raise Misconfigured("; ".join(troubles))
    return f"each of {len(names)} hosts can be fenced; {sum(len(one.answers) for one in asked)} ways answer in all"
