"""Redfish, by sushy: each question is a connection of its own, so no session of ours expires midway."""

from collections.abc import Callable
from typing import TypeVar

import requests
import sushy
from sushy import exceptions
from sushy.auth import BasicAuth
from sushy.connector import Connector
from sushy.resources.system.system import System

from instance_ha.fencing.file import RedfishMethod
from instance_ha.http_limits import limit, within
from instance_ha.models.errors import FenceRefused, FenceUnavailable, TimeIsUp
from instance_ha.models.fencing import Power

T = TypeVar("T")

_ANSWERED_THAT_IT_CANNOT = frozenset({400, 409})  # HPE and Dell say so when the system is off already
_POWERS = {sushy.PowerState.OFF: Power.OFF, None: Power.UNKNOWN}


class Redfish:
    """One system behind one BMC."""

    def __init__(self, method: RedfishMethod, timeout: float) -> None:
        """Make one whose questions take ``timeout`` seconds each."""
        self._method = method
        self._timeout = timeout

    def off(self) -> str:
        """Ask for the power to be cut.

        Raises:
            FenceRefused: the BMC does not know us or the system, or is not who it should be.
            FenceUnavailable: no answer, or a trouble of its own.

        """
        try:
            self._ask(lambda system: system.reset_system(sushy.ResetType.FORCE_OFF))
        except _Declined as declined:
            return f"declined: {declined}"
        return "accepted"

    def power(self) -> Power:
        """Say what the power is now: whatever is neither off nor unknown is on."""
        try:
            return self._ask(lambda system: _POWERS.get(system.power_state, Power.ON))
        except _Declined as declined:
            raise FenceUnavailable(f"the BMC answered {declined}") from None

    def _ask(self, question: Callable[[System], T]) -> T:
        try:
            with within(self._timeout):
                return question(self._system())
        except (TimeIsUp, requests.Timeout):
            raise FenceUnavailable("the BMC did not answer in time") from None
        except exceptions.HTTPError as error:
            raise self._meaning(error) from None
        except exceptions.ConnectionError as error:
            raise _unreached(error) from None
        except exceptions.UnknownDefaultError:
            raise FenceRefused("there is not exactly one system behind this BMC: name it (system)") from None
        except exceptions.InvalidParameterValueError:
            raise FenceRefused("the BMC does not offer ForceOff for this system") from None
        except OSError as error:
            raise _of_files(error) from None
        except (exceptions.SushyError, AttributeError, KeyError, TypeError, ValueError) as error:
            raise FenceUnavailable(f"the BMC gave an answer that is not Redfish: {_words(error)}") from None

    def _system(self) -> System:
        method = self._method
        verify = str(method.ca_file) if method.ca_file else method.verify
        connector = _Connector(method.address, verify, self._timeout)
        auth = BasicAuth(method.username, method.password.get_secret_value())
        root = sushy.Sushy(method.address, connector=connector, auth=auth)
        return root.get_system(method.system)

    @staticmethod
    def _meaning(error: exceptions.HTTPError) -> Exception:
        words = f"{error.status_code}: {_words(error)}"
        if error.status_code in _ANSWERED_THAT_IT_CANNOT:
            return _Declined(words)
        if error.status_code >= 500 or error.status_code in {408, 429}:
            return FenceUnavailable(f"the BMC answered {words}")
        return FenceRefused(f"the BMC answered {words}")


class _Declined(Exception):
    """The BMC will not do that now; often since it is done."""


class _Connector(Connector):  # type: ignore[misc]
    """Sushy's, with our limits, without retries, and without what the environment says of proxies and authorities."""

    def __init__(self, url: str, verify: str | bool, timeout: float) -> None:
        super().__init__(url, verify=verify, server_side_retries=1, default_request_timeout=timeout)
        self._session.trust_env = False
        for scheme in ("http://", "https://"):
            limit(self._session.get_adapter(scheme).poolmanager)


def _unreached(error: exceptions.ConnectionError) -> Exception:
    if isinstance(error.__context__, requests.exceptions.SSLError):
        return FenceRefused(f"the BMC's certificate is not trusted: {_words(error)}")
    return FenceUnavailable(f"the BMC cannot be reached: {_words(error)}")


def _of_files(error: OSError) -> Exception:
    """Say what an error of requests or of the system means; a file of certificates is opened only for a question."""
    if isinstance(error, requests.RequestException):
        return FenceUnavailable(f"the BMC cannot be reached: {_words(error)}")
    return FenceRefused(f"the CA file cannot be read: {_words(error)}")


def _words(error: Exception) -> str:
    return " ".join(str(error).split())[:300]
