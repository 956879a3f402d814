"""What keeps the runtime from starting: its commands say so in one line, and read this without reading the runtime."""

from instance_ha.models.errors import Misconfigured
from instance_ha_simulator.binaries import PostgresError

from stack import StackError


class HostingError(Exception):
    """A function does not start; the text says which."""


TROUBLES = (PostgresError, StackError, HostingError, Misconfigured, OSError)
