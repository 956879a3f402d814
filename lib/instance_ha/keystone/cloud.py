"""Our own access to the cloud, configured as every OpenStack client is: ``OS_CLOUD`` and clouds.yaml, or ``OS_*``.

openstacksdk reads the configuration; of its clients none is used, since their import costs more than all else here.
"""

from collections.abc import Mapping
from functools import cached_property
from typing import Any

from keystoneauth1.adapter import Adapter
from keystoneauth1.exceptions import ClientException

from instance_ha import masking
from instance_ha.keystone.transport import mount
from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings

_NAME = "masakari-functions"
_CONNECTIONS = 64  # kept to one server: as many as a function serves requests at once


class Cloud:
    """One cloud, one session: its token serves all requests of a function instance until shortly before it expires."""

    def __init__(self, settings: Settings, environ: Mapping[str, str]) -> None:
        self._settings = settings
        self._environ = environ

    @cached_property
    def region(self) -> Any:
        """The cloud's configuration.

        Raises:
            Misconfigured: there is none, or it lacks something.

        """
        from openstack import exceptions

        try:
            region = _read(self._environ)
        except (exceptions.SDKException, ClientException) as error:
            raise Misconfigured(
                f"no usable cloud: set OS_CLOUD and clouds.yaml, or OS_AUTH_URL and OS_*: {error}"
            ) from None
        _check(region.config)
        auth = (region.config.get("auth") or {}).items()
        masking.hide(
            {f"the cloud's {name}": (str(value),) for name, value in auth if name in masking.IN_CLOUDS_YAML and value}
        )
        return region

    @cached_property
    def session(self) -> Any:
        """The session."""
        session = self.region.get_session()
        session.timeout = self._settings.nova_timeout
        mount(session, _CONNECTIONS)
        return session

    def adapter(self, service_type: str, url: str | None = None) -> Adapter:
        """Speak to one service of the catalog, or to the one at this URL."""
        region = self._settings.os_region_name or self.region.config.get("region_name") or None
        return Adapter(
            session=self.session,
            service_type=service_type,
            interface=self._settings.os_interface,
            region_name=region,
            endpoint_override=url or self.region.get_endpoint(service_type),
            user_agent=_NAME,
        )


def _read(environ: Mapping[str, str]) -> Any:
    """Read the cloud that the environment names, as openstacksdk would if it were the one of this process."""
    from openstack.config import OpenStackConfig

    if cloud := environ.get("OS_CLOUD"):
        files = {"config_files": "OS_CLIENT_CONFIG_FILE", "secure_files": "OS_CLIENT_SECURE_FILE"}
        named = {option: [environ[name]] for option, name in files.items() if environ.get(name)}
        return OpenStackConfig(app_name=_NAME, load_envvars=False, **named).get_one(cloud)
    given = {name: value for name, value in environ.items() if name.startswith("OS_") and value}
    options = {name.removeprefix("OS_").lower(): value for name, value in given.items()}
    return OpenStackConfig(app_name=_NAME, load_envvars=False, load_yaml_config=False).get_one(**options)


def _check(config: dict[str, Any]) -> None:
    """Find now what Keystone would refuse later."""
    if config.get("auth_type") == "none":  # a simulated cloud, which composition allows with noauth2 alone
        return
    auth = config.get("auth") or {}
    if not str(auth.get("auth_url") or "").startswith(("http://", "https://")):
        raise Misconfigured("no cloud: set OS_CLOUD (with a clouds.yaml), or OS_AUTH_URL to Keystone's http(s) URL")
    if str(config.get("auth_type") or "password") not in {"password", "v3password"}:
        return
    for what, names in {"user": ("username", "user_id"), "password": ("password",)}.items():
        if not any(auth.get(name) for name in names):
            raise Misconfigured(f"the cloud's {what} is missing: set OS_{names[0].upper()}, or it in clouds.yaml")
