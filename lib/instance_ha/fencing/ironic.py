"""Ironic, over its API: a node of the same cloud, whose BMC Ironic speaks to."""

from typing import Any

from keystoneauth1 import exceptions as ksa
from keystoneauth1.adapter import Adapter

from instance_ha.fencing.file import IronicMethod
from instance_ha.http_limits import within
from instance_ha.models.errors import FenceRefused, FenceUnavailable, TimeIsUp
from instance_ha.models.fencing import Power

_MICROVERSION = "1.1"  # the first; what is asked here is as old
_POWERS = {"power off": Power.OFF, "power on": Power.ON, "rebooting": Power.ON}
_CONFLICT = 409  # another request holds the node's lock
_PASSING = frozenset({401, 408, 429})


class Ironic:
    """One node."""

    def __init__(self, method: IronicMethod, adapter: Adapter, timeout: float) -> None:
        """Make one whose questions take ``timeout`` seconds each."""
        self._path = f"/v1/nodes/{method.node}/states"
        self._adapter = adapter
        self._timeout = timeout

    def off(self) -> str:
        """Ask for the power to be cut.

        Raises:
            FenceRefused: Ironic does not know the node, or may not do this for us.
            FenceUnavailable: no answer, or a trouble of its own.

        """
        response = self._ask("PUT", f"{self._path}/power", json={"target": "power off"})
        return f"declined: {_reason(response)}" if response.status_code == _CONFLICT else "accepted"

    def power(self) -> Power:
        """Say what the power is now; while Ironic is about to change it, it is not known."""
        response = self._ask("GET", self._path)
        try:
            states = response.json()
            if states.get("target_power_state"):
                return Power.UNKNOWN
            return _POWERS.get(states.get("power_state"), Power.UNKNOWN)
        except (ValueError, AttributeError):
            raise FenceUnavailable("the answer is not Ironic's") from None

    def _ask(self, verb: str, path: str, **how: Any) -> Any:
        try:
            with within(self._timeout):
                response = self._adapter.request(
                    path, verb, raise_exc=False, redirect=False, connect_retries=0, microversion=_MICROVERSION, **how
                )
        except TimeIsUp:
            raise FenceUnavailable("Ironic did not answer in time") from None
        except (ksa.EndpointNotFound, ksa.MissingAuthPlugin) as error:
            raise FenceRefused(f"there is no Ironic in this cloud: {error}") from None
        except ksa.ClientException as error:
            raise FenceUnavailable(f"Ironic cannot be reached: {error}") from None
        if response.status_code >= 500 or response.status_code in _PASSING:
            raise FenceUnavailable(f"Ironic answered {response.status_code}: {_reason(response)}")
        if response.status_code >= 300 and response.status_code != _CONFLICT:
            raise FenceRefused(f"Ironic answered {response.status_code}: {_reason(response)}")
        return response


def _reason(response: Any) -> str:
    return " ".join(str(response.text).split())[:300]
