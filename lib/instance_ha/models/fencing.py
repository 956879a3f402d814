"""The power of a host, and the ways in which it can be cut off."""

from dataclasses import dataclass
from enum import StrEnum


class Power(StrEnum):
    """What a method says of the power of a host; only ``off`` says anything of its instances."""

    ON = "on"
    OFF = "off"
    UNKNOWN = "unknown"


@dataclass(frozen=True)
class Rung:
    """One way to cut a host's power, as a place in the host's ladder; it carries no secret."""

    position: int  # from 0; a lower rung is tried first
    method: str
    address: str
    time_limit: float = 60.0  # seconds from its first request, until the next rung is tried

    @property
    def name(self) -> str:
        """What people call it."""
        return f"{self.method} at {self.address}"
