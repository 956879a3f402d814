"""The guests of a host that was reset: which of them are off for that alone, and may be started again."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha.models.cloud import ComputeService, PowerAction, Server

# A boot is the failure's when it was no longer before the report than this.
_DETECTED_WITHIN = timedelta(minutes=10)
_ROUNDED = timedelta(minutes=1)  # uptimes are rounded down, so a boot may be earlier than it seems


@dataclass(frozen=True)
class Reset:
    """The boot of a failed host that is up again."""

    since: datetime  # by Nova's clock: what has happened on the host since then has happened after the boot
    is_certain: bool  # whether the host was reset is known


def reset(service: ComputeService, uptime: timedelta | None, reported_at: datetime, now: datetime) -> Reset | None:
    """Say when a failed host was reset, by its uptime (None: Nova does not tell); None: it was not.

    Nova's clock is told by the last report of the host's nova-compute, which is a few seconds old.
    """
    if service.updated_at is None:
        return None
    longest = now - reported_at + _DETECTED_WITHIN
    if uptime is None:
        return Reset(service.updated_at - longest, is_certain=False)
    return Reset(service.updated_at - uptime - _ROUNDED, is_certain=True) if uptime <= longest else None


def was_shut_off(server: Server, last: PowerAction | None, found: Reset) -> bool:
    """Say whether a stopped instance is off since the reset and ran before, by the last action on it.

    Only Nova's own stop after the boot tells so: nova-compute has found that a guest which should run is off. What was
    paused is left: it would run, which its owner did not want.
    """
    if server.vm_state != "stopped" or server.task_state is not None or last is None or last.name != "stop":
        return False
    was_paused = last.before is not None and last.before.name == "pause"
    return last.by_nova and not was_paused and last.at is not None and last.at >= found.since
