"""The one place that makes the real world: it alone knows which class stands behind which port.

Nothing here is kept for a process: who serves a function, or runs a command, composes a world and hands it in.
"""

import socket
from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING

from instance_ha.lazy import lazy
from instance_ha.metrics.recorder import Recorder
from instance_ha.models import ports
from instance_ha.settings import Settings, load
from instance_ha.store.database import Database
from instance_ha.world import SystemClock, World

if TYPE_CHECKING:
    from instance_ha.keystone.cloud import Cloud


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

    def world(self) -> World:
        """Make a world, with a pool of connections to Postgres of its own."""
        settings = self._settings
        return World(
            settings=settings,
            clock=self._clock,
            database=Database(settings.database_url.get_secret_value(), settings.database_pool_size),
            nova=lazy(self._nova),
            publisher=lazy(self._publisher),
            tokens=lazy(self._tokens),
            policy=lazy(self._policy),
            remote=lazy(self._remote),
            source=lazy(self._source),
            notification_client=lazy(self._notification_client),
            hypervisors=lazy(self._hypervisors),
            metrics=self._metrics,
            sinks=lazy(self._sinks),
            archive=lazy(self._archive),
            hostname=settings.host or socket.gethostname(),
        )

    @cached_property
    def _cloud(self) -> "Cloud":
        from instance_ha.keystone.cloud import Cloud

        return Cloud(self._settings, self._environ)

    def _nova(self) -> ports.Nova:
        from instance_ha.nova import NovaClient

        settings = self._settings
        limits = settings.nova_timeout, settings.nova_list_timeout, settings.nova_page_size
        return NovaClient(self._cloud.adapter("compute"), self._clock, *limits, self._metrics)

    def _publisher(self) -> ports.Publisher:
        from instance_ha.triggers.publisher import HttpPublisher

        settings = self._settings
        assert settings.trigger_sink is not None  # a function that publishes does not start without
        timeouts = settings.trigger_timeout, settings.trigger_answer_timeout
        return HttpPublisher(settings.trigger_sink, settings.trigger_keys[0], *timeouts, self._clock, self._metrics)

    def _tokens(self) -> ports.TokenCheck:
        if self._settings.auth_strategy == "noauth2":
            from instance_ha.keystone.noauth import NoAuth

            return NoAuth()
        from instance_ha.keystone.tokens import Tokens

        return Tokens(self._settings, self._cloud)

    def _policy(self) -> ports.Policy:
        from instance_ha.policy import enforcer

        return enforcer.Policy(self._settings.policy_file)

    def _remote(self) -> ports.Remote:
        from instance_ha.triggers.remote import HttpRemote

        return HttpRemote(self._settings.task_keys[0], self._settings.trigger_timeout, self._clock)

    def _source(self) -> ports.HostSource:
        if self._settings.monitoring_driver == "kubernetes":
            from instance_ha.kubernetes.source import KubernetesSource

            return KubernetesSource(self._settings)
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

        return Senders(self._settings)

    def _archive(self) -> ports.Archive:
        from instance_ha.archive.bucket import Bucket

        return Bucket(self._settings)
