"""What an owner can ask of a server that its nova-compute carries out, and what it leads to."""

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType


@dataclass(frozen=True)
class PowerAction:
    """An action that the server's nova-compute carries out: a state before, during and after."""

    verb: str
    allowed: tuple[str, ...]
    task: str
    result: str


_WARM = ("active", "stopped", "paused", "suspended", "error")
POWER_ACTIONS: Mapping[str, PowerAction] = MappingProxyType(
    {
        "os-stop": PowerAction("stop", ("active", "error"), "powering-off", "stopped"),
        "os-start": PowerAction("start", ("stopped",), "powering-on", "active"),
        "pause": PowerAction("pause", ("active",), "pausing", "paused"),
        "unpause": PowerAction("unpause", ("paused",), "unpausing", "active"),
        "suspend": PowerAction("suspend", ("active",), "suspending", "suspended"),
        "resume": PowerAction("resume", ("suspended",), "resuming", "active"),
        "reboot-soft": PowerAction("reboot", ("active",), "rebooting", "active"),
        "reboot-hard": PowerAction("reboot", _WARM, "rebooting_hard", "active"),
    }
)
