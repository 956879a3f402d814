"""Our own access to the cloud, configured as every OpenStack client is: ``OS_CLOUD`` and clouds.yaml, or ``OS_*``.

openstacksdk reads the configuration; of its clients none is used, since their import costs more than all else here.
"""

from functools import cached_property
from typing import Any

from keystoneauth1.adapter import Adapter

from instance_ha.models.errors import Misconfigured
from instance_ha.settings import Settings


class Cloud:
    """One cloud, one session: its token serves all requests of a function instance until shortly before it expires."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings

    @cached_property
    def region(self) -> Any:
        """The cloud's configuration.

        Raises:
            Misconfigured: there is none, or it lacks something.

        """
        from openstack import config, exceptions

        try:
            region = config.OpenStackConfig(app_name="masakari-functions").get_one()
        except (exceptions.ConfigException, exceptions.SDKException) as error:
            raise Misconfigured(
                f"no usable cloud: set OS_CLOUD and clouds.yaml, or OS_AUTH_URL and OS_*: {error}"
            ) from None
        if not region.config.get("auth", {}).get("auth_url"):
            raise Misconfigured("no cloud is configured: set OS_CLOUD (with a clouds.yaml) or OS_AUTH_URL")
        return region

    @cached_property
    def session(self) -> Any:
        """The session."""
        session = self.region.get_session()
        session.timeout = self._settings.nova_timeout
        return session

    def adapter(self, service_type: str) -> Adapter:
        """Speak to one service of the catalog."""
        region = self._settings.os_region_name or self.region.config.get("region_name") or None
        return Adapter(
            session=self.session,
            service_type=service_type,
            interface=self._settings.os_interface,
            region_name=region,
            user_agent="masakari-functions",
        )
