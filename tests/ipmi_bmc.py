"""Serves one IPMI BMC: ``python -m tests.ipmi_bmc PORT USERNAME PASSWORD``; it prints each change that it is asked."""

import sys

from pyghmi.ipmi.bmc import Bmc
from pyghmi.ipmi.private.serversession import ServerSession
from pyghmi.ipmi.private.session import Session


def _print(word: str) -> None:
    sys.stdout.write(f"{word}\n")
    sys.stdout.flush()


def _drop(_session: ServerSession, _data: bytes, _address: object) -> None:
    """Lose a packet of a session that has ended, as a BMC does; pyghmi's server would end with it."""


ServerSession.sessionless_data = _drop


class OneMachine(Bmc):  # type: ignore[misc]
    """A computer that is on until it is switched off, and stays off."""

    is_on = True

    def get_power_state(self) -> int:
        """Say what the power is."""
        return int(self.is_on)

    def power_off(self) -> None:
        """Cut the power."""
        _print("off")
        self.is_on = False

    def power_on(self) -> None:
        """Be caught at it."""
        _print("on")

    def power_reset(self) -> None:
        """Be caught at it."""
        _print("reset")

    power_cycle = power_shutdown = pulse_diag = power_reset


def main() -> None:
    """Serve for ever."""
    port, username, password = sys.argv[1:]
    OneMachine({username: password}, port=int(port), address="::ffff:127.0.0.1")
    _print("serving")
    while True:
        Session.wait_for_rsp(timeout=5)


if __name__ == "__main__":
    main()
