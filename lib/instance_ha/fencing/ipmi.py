"""IPMI 2.0 over LAN, by pyghmi: the standard's two chassis commands, and nothing of a vendor's."""

import socket
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha1
from secrets import randbelow
from time import monotonic
from typing import Any

from pyghmi.exceptions import IpmiException
from pyghmi.ipmi.private import session as pyghmi_session
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
_NAP = 0.2  # seconds
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
        until = monotonic() + self._timeout

        def ask() -> dict[str, Any]:
            method = self._method
            user, password = method.username.encode(), method.password.get_secret_value().encode()
            level = _LEVELS[method.privilege]
            with _awake():
                session = _Session(method.address, user, password, method.port, level, until)
                try:
                    return dict(session.raw_command(_CHASSIS, command, data=data))
                finally:
                    session.logout()

        try:
            return with_timeout(ask, self._timeout)
        except TimeIsUp:
            raise FenceUnavailable("the BMC did not answer in time") from None
        except (IpmiException, OSError, struct.error, LookupError) as error:
            words = " ".join(str(error).split())[:300]
            if any(one in words.lower() for one in _REFUSALS):
                raise FenceRefused(f"the BMC refuses the login: {words}") from None
            raise FenceUnavailable(f"the BMC does not answer: {words}") from None


def _receive(sock: socket.socket, size: int) -> Any:
    """Take a packet in, if there is one.

    Pyghmi's own makes the socket one that does not block, and who sends makes it one that does: when both happened at
    once, its only reader waited on one silent socket for ever, and every question of this process with it.
    """
    try:
        return sock.recvfrom(size, socket.MSG_DONTWAIT)
    except OSError:
        return None


pyghmi_session._io_recvfrom = _receive


@contextmanager
def _awake() -> Iterator[None]:
    """Let no question sleep that was answered: pyghmi wakes all who wait when anybody's time is over.

    An answer may be taken in by the thread of another question right before its own one goes to sleep, for as long as
    a session may be idle.
    """
    ended = threading.Event()

    def nap() -> None:
        while not ended.is_set():
            if pyghmi_session.iosockets:
                pyghmi_session._io_wait(_NAP)
            else:  # there is no session yet
                ended.wait(_NAP)

    threading.Thread(target=nap, daemon=True, name="ipmi-awake").start()
    try:
        yield
    finally:
        ended.set()


class _Session(Session):  # type: ignore[misc]
    """Pyghmi's, with three things more.

    It is one question's alone: pyghmi hands all who ask one BMC the same session, so that one question ended another's,
    and one that was given up spoilt the next.

    It sends nothing when the question's time is over: pyghmi works on for all its sessions while anybody waits, so that
    a request to cut the power would go out after everybody has gone on.

    It is for more BMCs: those that answer its offer of SHA-256 with SHA-1 (VirtualBMC), which it would not read; and
    those that lose every second packet: a lost one of the login is sent again, where pyghmi begins anew, and so never
    comes to its end.
    """

    _lost = 0

    def __new__(cls, *_: Any) -> "_Session":
        made = super(Session, cls).__new__(cls)
        others = [one for sessions in list(cls.bmc_handlers.values()) for one in list(sessions.values())]
        made.forbidsock = [one.socket for one in others]  # an answer is told from another's by the socket
        return made  # type: ignore[no-any-return]

    def __init__(self, address: str, user: bytes, password: bytes, port: int, level: int, until: float) -> None:
        self._until = until
        super().__init__(address, user, password, port, privlevel=level, keepalive=False)

    def _initsession(self) -> None:
        super()._initsession()
        # Pyghmi's is the same in all sessions: a late answer to another one would be taken for ours.
        self.localsid = 1 + randbelow(2**31)

    def _xmit_packet(self, *given: Any, **named: Any) -> None:
        if monotonic() < self._until:
            super()._xmit_packet(*given, **named)
        else:
            self._give_up()

    def _give_up(self) -> None:
        self.logged = 0  # or it would say goodbye
        self._mark_broken()

    def _mark_broken(self, error: str | None = None) -> None:
        super()._mark_broken(error or "no usable answer")

    def _timedout(self) -> None:
        if monotonic() >= self._until:
            self._give_up()
            return
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
