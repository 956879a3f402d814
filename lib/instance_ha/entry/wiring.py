"""The real world of a function instance, made once; expensive clients connect at their first use."""

import os
import threading
from collections.abc import Callable, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from instance_ha import settings as settings_module
from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings
from instance_ha.store.database import Database
from instance_ha.world import SystemClock, World


class Later:
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
    if events and not settings.event_sink:
        raise Misconfigured("no event sink: set EVENT_SINK, or run under a SinkBinding that sets K_SINK")
    if events and not settings.event_keys:
        raise Misconfigured(f"no event key: mount the secret event-key in {settings.secrets_dir}")
    if cloud:
        check_cloud(settings, environ)


def check_policy(settings: Settings) -> None:
    """Check an operator's policy file; without one nothing can be wrong, and nothing is imported.

    Raises:
        Misconfigured: it makes no sense.

    """
    if settings.policy_file is not None:
        _policy(settings)


def check_flows(settings: Settings) -> None:
    """Check the operator's flows and the tasks in them; without a file of his nothing can be wrong.

    Raises:
        Misconfigured: what is wrong with them.

    """
    from instance_ha.recovery import flows

    flows.load(settings)


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


@cache
def world() -> World:
    """Return the world of this process."""
    settings, clock = load_settings(), SystemClock()
    cloud = Later(lambda: _cloud(settings))
    return World(
        settings=settings,
        clock=clock,
        database=Database(settings.database_url.get_secret_value(), settings.database_pool_size),
        nova=Later(lambda: _nova(settings, clock, cloud)),
        publisher=Later(lambda: _publisher(settings, clock)),
        tokens=Later(lambda: _tokens(settings, cloud)),
        policy=Later(lambda: _policy(settings)),
        url_tasks=Later(lambda: _url_tasks(settings, clock)),
    )


def _cloud(settings: Settings) -> Any:
    from instance_ha.keystone.cloud import Cloud

    return Cloud(settings)


def _nova(settings: Settings, clock: SystemClock, cloud: Any) -> Any:
    from instance_ha.nova import NovaClient

    adapter = cloud.adapter("compute")
    return NovaClient(adapter, clock, settings.nova_timeout, settings.nova_list_timeout, settings.nova_page_size)


def _publisher(settings: Settings, clock: SystemClock) -> Any:
    from instance_ha.events.publisher import HttpPublisher

    assert settings.event_sink is not None  # a function that publishes does not start without (check)
    return HttpPublisher(settings.event_sink, settings.event_keys[0], settings.event_timeout, clock)


def _url_tasks(settings: Settings, clock: SystemClock) -> Any:
    from instance_ha.events.url_tasks import HttpUrlTasks

    return HttpUrlTasks(settings.event_keys[0], settings.url_task_timeout, clock)


def _policy(settings: Settings) -> Any:
    from instance_ha.policy.enforcer import Policy

    return Policy(settings.policy_file)


def _tokens(settings: Settings, cloud: Any) -> Any:
    if settings.auth_strategy == "noauth2":
        from instance_ha.keystone.noauth import NoAuth

        return NoAuth()
    from instance_ha.keystone.tokens import Tokens

    return Tokens(settings, cloud)
