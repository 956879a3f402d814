"""The one place that makes the real world: it alone knows which class stands behind which port.

Nothing here is kept for a process: a server of functions, or a command, composes a world and hands it in.
"""

import socket
from collections.abc import Mapping
from functools import cached_property, partial
from typing import TYPE_CHECKING, TypedDict

from instance_ha import world as worlds
from instance_ha.lazy import lazy
from instance_ha.metrics.recorder import Recorder
from instance_ha.models import ports
from instance_ha.settings import Settings, load
from instance_ha.store.database import Database
from instance_ha.world import SystemClock

if TYPE_CHECKING:
    from instance_ha.api_client import ApiClient
    from instance_ha.keystone.cloud import Cloud


# For commands that ask the API alone: hosts have no way to Postgres, whose address every function must know.
WITHOUT_DATABASE = {"DATABASE_URL": "postgresql://nowhere"}
_BESIDE = 1024  # triggers of one instance that are on their way while its callers have their answers already


class _Base(TypedDict):
    settings: Settings
    clock: ports.SteadyClock
    database: Database
    metrics: Recorder
    hostname: str


class _OfApi(TypedDict):
    publisher: ports.Publisher
    nova: ports.Nova
    tokens: ports.TokenCheck
    policy: ports.Policy


def of(environ: Mapping[str, str]) -> "Composition":
    """Read the settings of an environment.

    Raises:
        Misconfigured: one is wrong.

    """
    return Composition(load(environ), environ)


class Composition:
    """Makes worlds of settings and of the environment, which tells of the cloud; no client connects before its use."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ
        self._clock = SystemClock()
        self._metrics = Recorder()

    def sweep(self) -> worlds.SweepWorld:
        """Make the world of ``sweep``."""
        return worlds.SweepWorld(**self._base(), publisher=lazy(self._publisher))

    def recovery(self) -> worlds.RecoveryWorld:
        """Make the world of recoveries."""
        publisher, nova, remote = lazy(self._publisher), lazy(self._nova), lazy(self._remote)
        fences = lazy(self._fences)
        return worlds.RecoveryWorld(**self._base(), publisher=publisher, nova=nova, remote=remote, fences=fences)

    def api(self) -> worlds.ApiWorld:
        """Make the world of the REST API."""
        return worlds.ApiWorld(**self._base(), **self._of_api())

    def console(self) -> worlds.ConsoleWorld:
        """Make the world of ``console``."""
        return worlds.ConsoleWorld(**self._base(), **self._of_api(), logins=lazy(self._logins))

    def purge(self) -> worlds.PurgeWorld:
        """Make the world of ``purge``."""
        return worlds.PurgeWorld(**self._base(), **self._of_api(), archive=lazy(self._archive))

    def host_monitor(self) -> worlds.HostMonitorWorld:
        """Make the world of ``monitor-poll``."""
        client, source = lazy(self._notification_client), lazy(self._source)
        return worlds.HostMonitorWorld(**self._base(), notification_client=client, source=source)

    def guest_monitor(self) -> worlds.GuestMonitorWorld:
        """Make the world of ``monitor-guests``."""
        client, nova, hypervisors = lazy(self._notification_client), lazy(self._nova), lazy(self._hypervisors)
        return worlds.GuestMonitorWorld(**self._base(), notification_client=client, nova=nova, hypervisors=hypervisors)

    def readiness(self) -> worlds.ReadinessWorld:
        """Make the world of ``readiness``."""
        nova, placement, fences = lazy(self._nova), lazy(self._placement), lazy(self._fences)
        return worlds.ReadinessWorld(**self._base(), nova=nova, placement=placement, fences=fences)

    def relay(self) -> worlds.RelayWorld:
        """Make the world of ``relay``."""
        return worlds.RelayWorld(**self._base(), sinks=lazy(self._sinks))

    def whole(self) -> worlds.WholeWorld:
        """Make the world of an operator's command."""
        return worlds.WholeWorld(
            **self._base(),
            **self._of_api(),
            placement=lazy(self._placement),
            remote=lazy(self._remote),
            fences=lazy(self._fences),
            archive=lazy(self._archive),
            notification_client=lazy(self._notification_client),
            source=lazy(self._source),
            hypervisors=lazy(self._hypervisors),
            sinks=lazy(self._sinks),
        )

    def api_client(self) -> "ApiClient":
        """Make a client of the API, with the credentials of the environment."""
        from instance_ha.api_client import ApiClient

        settings = self._settings
        return ApiClient(self._cloud.adapter("instance-ha", settings.api_url), settings.notification_post_timeout)

    def _base(self) -> "_Base":
        settings = self._settings
        database = Database(settings.database_url.get_secret_value(), settings.database_pool_size)
        hostname = settings.host or socket.gethostname()
        return {
            "settings": settings,
            "clock": self._clock,
            "database": database,
            "metrics": self._metrics,
            "hostname": hostname,
        }

    def _of_api(self) -> "_OfApi":
        return {
            "publisher": lazy(self._publisher_beside),
            "nova": lazy(self._nova),
            "tokens": lazy(self._tokens),
            "policy": lazy(self._policy),
        }

    @cached_property
    def _cloud(self) -> "Cloud":
        from instance_ha.keystone.cloud import Cloud

        return Cloud(self._settings, self._environ)

    def _nova(self) -> ports.Nova:
        from instance_ha.nova import NovaClient

        settings = self._settings
        limits = settings.nova_timeout, settings.nova_list_timeout, settings.nova_page_size
        return NovaClient(self._cloud.adapter("compute"), self._clock, *limits, self._metrics)

    def _placement(self) -> ports.Placement:
        from instance_ha.placement import PlacementClient

        return PlacementClient(self._cloud.adapter("placement"), self._settings.nova_timeout)

    def _publisher_beside(self) -> ports.Publisher:
        return self._publisher(beside=_BESIDE)

    def _publisher(self, beside: int = 0) -> ports.Publisher:
        from instance_ha.triggers.publisher import HttpPublisher

        settings = self._settings
        assert settings.trigger_sink is not None  # a function that publishes does not start without
        timeouts = settings.trigger_timeout, settings.trigger_answer_timeout
        return HttpPublisher(settings.trigger_sink, settings.trigger_keys[0], *timeouts, self._metrics, beside=beside)

    def _tokens(self) -> ports.TokenCheck:
        if self._settings.auth_strategy == "noauth2":
            from instance_ha.keystone.noauth import NoAuth

            return NoAuth()
        from instance_ha.keystone.tokens import Tokens

        return Tokens(self._settings, self._cloud)

    def _logins(self) -> ports.Logins:
        if self._settings.auth_strategy == "noauth2":
            from instance_ha.keystone.noauth import AnyLogin

            return AnyLogin(self._clock)
        from instance_ha.keystone.logins import KeystoneLogins

        return KeystoneLogins(self._settings, self._cloud)

    def _policy(self) -> ports.Policy:
        from instance_ha.policy import enforcer

        return enforcer.Policy(self._settings.policy_file)

    def _remote(self) -> ports.Remote:
        from instance_ha.triggers.remote import HttpRemote

        return HttpRemote(self._settings.task_keys[0], self._settings.trigger_timeout)

    def _fences(self) -> ports.Fences:
        from instance_ha.fencing.fences import FileFences

        settings = self._settings
        ironic = partial(self._cloud.adapter, "baremetal")
        return FileFences(settings.fencing_path, settings.fence_timeout, settings.task_keys, ironic)

    def _source(self) -> ports.HostSource:
        if self._settings.monitoring_driver == "kubernetes":
            from instance_ha.kubernetes.source import KubernetesSource

            return KubernetesSource(self._settings, self._environ)
        from instance_ha.consul.source import ConsulSource

        return ConsulSource(self._settings)

    def _notification_client(self) -> ports.NotificationClient:
        from instance_ha.notification_client import HttpNotificationClient

        settings = self._settings
        adapter = self._cloud.adapter("instance-ha", settings.api_url)
        return HttpNotificationClient(adapter, settings.notification_post_timeout)

    def _hypervisors(self) -> ports.Hypervisors:
        from instance_ha.libvirt.hypervisors import LibvirtHypervisors

        return LibvirtHypervisors(self._settings)

    def _sinks(self) -> ports.Sinks:
        from instance_ha.sinks.senders import Senders

        return Senders(self._settings, self._environ)

    def _archive(self) -> ports.Archive:
        from instance_ha.archive.bucket import Bucket

        return Bucket(self._settings, self._environ)
