"""IPMI 2.0 over LAN, by pyghmi: the standard's two chassis commands, and nothing of a vendor's."""

import struct
from hashlib import sha1
from typing import Any

from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.private.session import Session

from instance_ha.fencing.file import IpmiMethod
from instance_ha.models.errors import FenceRefused, FenceUnavailable, TimeIsUp
from instance_ha.models.fencing import Power
from instance_ha.timeouts import with_timeout

_CHASSIS, _STATUS, _CONTROL = 0x00, 0x01, 0x02
_POWER_DOWN = 0x00  # of the control command: hard; all its other values are never sent
_LEVELS = {"operator": 3, "administrator": 4}
_SHA1 = 1  # among the authentication algorithms
_LOGGING_IN = frozenset({"EXPECTINGRAKP2", "EXPECTINGRAKP4"})
_MOST_LOST = 6  # packets of one login that are sent again
_REFUSALS = (
    "password",
    "username",
    "incorrect",
    "unauthorized",
    "privilege",
)  # in pyghmi's texts, which are all it gives


class Ipmi:
    """One BMC; each question logs in and out."""

    def __init__(self, method: IpmiMethod, timeout: float) -> None:
        """Make one whose questions take ``timeout`` seconds each."""
        self._method = method
        self._timeout = timeout

    def off(self) -> str:
        """Ask for the power to be cut.

        Raises:
            FenceRefused: the BMC does not let us in.
            FenceUnavailable: no answer, or a trouble of its own.

        """
        answer = self._ask(_CONTROL, _POWER_DOWN)
        return "accepted" if "error" not in answer else f"declined: {answer['error']}"

    def power(self) -> Power:
        """Say what the power is now."""
        answer = self._ask(_STATUS)
        if "error" in answer:
            raise FenceUnavailable(f"the BMC answered: {answer['error']}")
        data = answer.get("data")
        if not data:
            return Power.UNKNOWN
        return Power.ON if data[0] & 1 else Power.OFF

    def _ask(self, command: int, *data: int) -> dict[str, Any]:
        def ask() -> dict[str, Any]:
            method = self._method
            # As bytes: pyghmi finds a session that has ended by its user and password, and only if these are bytes.
            user, password = method.username.encode(), method.password.get_secret_value().encode()
            level = _LEVELS[method.privilege]
            session = _Session(method.address, user, password, method.port, privlevel=level, keepalive=False)
            try:
                return dict(session.raw_command(_CHASSIS, command, data=data))
            finally:
                session.logout()

        try:
            return with_timeout(ask, self._timeout)
        except TimeIsUp:
            raise FenceUnavailable("the BMC did not answer in time") from None
        except (IpmiException, OSError, struct.error) as error:
            words = " ".join(str(error).split())[:300]
            if any(one in words.lower() for one in _REFUSALS):
                raise FenceRefused(f"the BMC does not let us in: {words}") from None
            raise FenceUnavailable(f"the BMC does not answer: {words}") from None


class _Session(Session):  # type: ignore[misc]
    """Pyghmi's, for more BMCs.

    Those that answer its offer of SHA-256 with SHA-1 (VirtualBMC), which it would not read; and those that lose every
    second packet: a lost one of the login is sent again, where pyghmi begins anew, and so never comes to its end.
    """

    _lost = 0

    def _timedout(self) -> None:
        if not self.lastpayload or self.sessioncontext not in _LOGGING_IN or self._lost >= _MOST_LOST:
            super()._timedout()
            return
        self._lost += 1
        self.nowait = True
        self.send_payload()
        self.nowait = False

    def _got_rmcp_response(self, data: bytes) -> Any:
        if len(data) > 16 and data[1] == 0 and data[16] == _SHA1:
            self.attemptedhash, self.currhashlib, self.currhashlen = 1, sha1, 12
        return super()._got_rmcp_response(data)
