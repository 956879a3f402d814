"""The real world of a function instance, made once; expensive clients connect at their first use."""

import os
import socket
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from instance_ha import settings as settings_module
from instance_ha.metrics.recorder import Recorder
from instance_ha.models.errors import Misconfigured
from instance_ha.models.ports import Metrics
from instance_ha.settings import Settings
from instance_ha.store.database import Database
from instance_ha.world import SystemClock, World

_making = threading.Lock()


class Lazy:
    """Stands for a client that is made when it is first asked for something; imports of SDKs take half a second."""

    def __init__(self, make: Callable[[], Any]) -> None:
        self._make = make
        self._lock = threading.Lock()
        self._made: Any = None

    def __getattr__(self, name: str) -> Any:
        with self._lock:
            if self._made is None:
                self._made = self._make()
        return getattr(self._made, name)


@cache
def load_settings() -> Settings:
    """Read the settings of this process.

    Raises:
        Misconfigured: a setting is wrong.

    """
    return settings_module.load(os.environ)


def check(settings: Settings, environ: Mapping[str, str], *, cloud: bool, events: bool) -> None:
    """Check at start what a function will need later.

    Raises:
        Misconfigured: something is missing.

    """
    if events and not settings.trigger_sink:
        raise Misconfigured("nowhere to send triggers: set INSTANCE_HA_TRIGGER_SINK")
    if events and not settings.trigger_keys:
        raise Misconfigured(f"no trigger key: mount the secret trigger-key in {settings.secrets_dir}")
    if cloud:
        check_cloud(settings, environ)


def check_policy(settings: Settings) -> None:
    """Check an operator's policy file; without one nothing can be wrong, and nothing is imported.

    Raises:
        Misconfigured: it makes no sense.

    """
    if settings.policy_file is not None:
        _policy(settings)


def check_cloud(settings: Settings, environ: Mapping[str, str]) -> None:
    """Check that there is a cloud, as far as that shows without asking it.

    Raises:
        Misconfigured: there is none, or one that callers would reach without a token.

    """
    if settings.auth_strategy == "noauth2":
        if environ.get("OS_CLOUD") or environ.get("OS_AUTH_URL"):
            raise Misconfigured("INSTANCE_HA_AUTH_STRATEGY=noauth2 lets everybody in: not where a cloud is configured")
        if environ.get("OS_AUTH_TYPE") != "none" or not environ.get("OS_COMPUTE_ENDPOINT_OVERRIDE"):
            raise Misconfigured("no Nova for noauth2: set OS_AUTH_TYPE=none and OS_COMPUTE_ENDPOINT_OVERRIDE")
        return
    if not environ.get("OS_CLOUD") and not environ.get("OS_AUTH_URL"):
        raise Misconfigured("no cloud: set OS_CLOUD (with a clouds.yaml), or OS_AUTH_URL and the other OS_* of a user")
    file = environ.get("OS_CLIENT_CONFIG_FILE")
    if environ.get("OS_CLOUD") and file and not Path(file).is_file():
        raise Misconfigured(f"OS_CLIENT_CONFIG_FILE names {file}, which is not there")


def check_monitoring(settings: Settings) -> None:
    """Check what monitor-poll will poll.

    Raises:
        Misconfigured: something is wrong or missing.

    """
    if settings.monitoring_driver == "consul":
        from instance_ha.consul.clusters import read

        read(settings)
    if settings.monitoring_driver == "kubernetes":
        from instance_ha.kubernetes.names import check

        check(settings)


def check_guests(settings: Settings) -> None:
    """Check how monitor-guests will reach the hosts.

    Raises:
        Misconfigured: it cannot.

    """
    if settings.guest_monitoring:
        from instance_ha.libvirt.addresses import check

        check(settings)


def world() -> World:
    """Return the world of this process."""
    with _making:  # two first requests at once would make one each, and a pool of connections each
        return _world()


def forget() -> None:
    """Close the world and forget it, with its settings: for the local runtime, which runs one after the other."""
    with _making:
        if _world.cache_info().currsize:
            _world().database.close()
        _world.cache_clear()
        load_settings.cache_clear()


@cache
def _world() -> World:
    settings, clock, recorder = load_settings(), SystemClock(), Recorder()
    cloud = Lazy(lambda: _cloud(settings))
    return World(
        settings=settings,
        clock=clock,
        database=Database(settings.database_url.get_secret_value(), settings.database_pool_size),
        nova=Lazy(lambda: _nova(settings, clock, cloud, recorder)),
        publisher=Lazy(lambda: _publisher(settings, clock, recorder)),
        tokens=Lazy(lambda: _tokens(settings, cloud)),
        policy=Lazy(lambda: _policy(settings)),
        remote=Lazy(lambda: _remote(settings, clock)),
        source=Lazy(lambda: _source(settings)),
        notification_client=Lazy(lambda: _notification_client(settings, cloud)),
        hypervisors=Lazy(lambda: _hypervisors(settings)),
        metrics=recorder,
        sinks=Lazy(lambda: _sinks(settings)),
        archive=Lazy(lambda: _archive(settings)),
        hostname=settings.host or socket.gethostname(),
    )


def _cloud(settings: Settings) -> Any:
    from instance_ha.keystone.cloud import Cloud

    return Cloud(settings)


def _nova(settings: Settings, clock: SystemClock, cloud: Any, metrics: Metrics) -> Any:
    from instance_ha.nova import NovaClient

    adapter = cloud.adapter("compute")
    limits = settings.nova_timeout, settings.nova_list_timeout, settings.nova_page_size
    return NovaClient(adapter, clock, *limits, metrics)


def _publisher(settings: Settings, clock: SystemClock, metrics: Metrics) -> Any:
    from instance_ha.triggers.publisher import HttpPublisher

    assert settings.trigger_sink is not None  # a function that publishes does not start without (check)
    timeouts = settings.trigger_timeout, settings.trigger_answer_timeout
    return HttpPublisher(settings.trigger_sink, settings.trigger_keys[0], *timeouts, clock, metrics)


def _remote(settings: Settings, clock: SystemClock) -> Any:
    from instance_ha.triggers.remote import HttpRemote

    return HttpRemote(settings.task_keys[0], settings.trigger_timeout, clock)


def _source(settings: Settings) -> Any:
    if settings.monitoring_driver == "kubernetes":
        from instance_ha.kubernetes.source import KubernetesSource

        return KubernetesSource(settings)
    from instance_ha.consul.source import ConsulSource

    return ConsulSource(settings)


def _notification_client(settings: Settings, cloud: Any) -> Any:
    from instance_ha.notification_client import HttpNotificationClient

    return HttpNotificationClient(cloud.adapter("instance-ha", settings.api_url), settings.notification_post_timeout)


def _hypervisors(settings: Settings) -> Any:
    from instance_ha.libvirt.hypervisors import LibvirtHypervisors

    return LibvirtHypervisors(settings)


def _policy(settings: Settings) -> Any:
    from instance_ha.policy.enforcer import Policy

    return Policy(settings.policy_file)


def _sinks(settings: Settings) -> Any:
    from instance_ha.sinks.senders import Senders

    return Senders(settings)


def _archive(settings: Settings) -> Any:
    from instance_ha.archive.bucket import Bucket

    return Bucket(settings)


def _tokens(settings: Settings, cloud: Any) -> Any:
    if settings.auth_strategy == "noauth2":
        from instance_ha.keystone.noauth import NoAuth

        return NoAuth()
    from instance_ha.keystone.tokens import Tokens

    return Tokens(settings, cloud)
