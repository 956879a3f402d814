"""Stopping a failed instance and starting it again: what is to be done next (reference, section 5.5)."""

from dataclasses import dataclass
from enum import Enum

from instance_ha.decide.instances import InstancePolicy, ha_enabled
from instance_ha.models.cloud import PowerAction, Server
from instance_ha.models.enums import NotificationStatus

_GONE = frozenset({"deleted", "soft-delete"})
_STOPPABLE = frozenset({"active", "error"})


class Step(Enum):
    """What is to be done next."""

    RESET = "reset to active"
    STOP = "stop"
    START = "start"
    WAIT = "wait"
    REACHED = "reached"


@dataclass(frozen=True)
class Leave:
    """The instance is left as it is, and the recovery ends."""

    status: NotificationStatus
    message: str


@dataclass(frozen=True)
class Broken:
    """It will not become what it should; waiting does not help."""

    message: str


Verdict = Step | Leave | Broken


def may_recover(server: Server | None, host: str, policy: InstancePolicy, process_all: bool) -> Leave | None:
    """Say why an instance that was reported on ``host`` is not to be touched; None when it may be."""
    if server is None or server.vm_state in _GONE:
        return gone()
    if server.host != host:
        return _ignored(f"instance {server.id} is on host {server.host or 'none'} now, not on {host}")
    if not process_all and not ha_enabled(server, policy):
        reason = f"instance {server.id} has no metadata {policy.metadata_key}: not recovered"
        return Leave(NotificationStatus.FINISHED, reason)
    return None


def gone() -> Leave:
    """Say that there is nothing any more that could be recovered."""
    return _ignored("the instance does not exist, or not any more")


def _ignored(message: str) -> Leave:
    return Leave(NotificationStatus.IGNORED, message)


def next_to_stop(server: Server | None) -> Verdict:
    """Stop what runs or has crashed; leave alone what its owner has put aside (paused, suspended, rescued …)."""
    if server is None or server.vm_state in _GONE:
        return gone()
    if server.vm_state == "stopped":
        return Step.REACHED
    if server.vm_state not in _STOPPABLE and server.vm_state != "resized":
        return _ignored(f"instance {server.id} is {server.vm_state}: left as it is")
    if server.task_state is not None:
        return Step.WAIT
    return Step.RESET if server.vm_state == "resized" else Step.STOP


def recovered_before(server: Server, last: PowerAction | None) -> Leave | None:
    """Say so when an earlier attempt of ours has started the instance and it came up too late to be seen."""
    if server.vm_state == "active" and last is not None and last.name == "start" and not last.foreign:
        return Leave(NotificationStatus.FINISHED, f"instance {server.id} is active again since the last attempt")
    return None


def stop_again(server: Server, last: PowerAction | None) -> Verdict:
    """Say what follows when we wrote down to stop it, but do not know whether we asked, and it is not stopped."""
    if last is not None and last.foreign and last.name != "stop":
        return _ignored(f"somebody else has started instance {server.id} meanwhile: left as it is")
    return Step.STOP


def next_to_start(server: Server | None, asked: bool) -> Verdict:
    """Start what is stopped; with ``asked`` we have asked already. START: only after a look at :func:`start`."""
    if server is None or server.vm_state in _GONE:
        return gone()
    if server.vm_state == "active" or (asked and server.task_state == "powering-on"):
        return Step.REACHED
    if server.vm_state != "stopped":
        return Broken(f"instance {server.id} is {server.vm_state}, not stopped")
    return Step.WAIT if server.task_state is not None else Step.START


def start(server: Server, last: PowerAction | None, asked: bool) -> Verdict:
    """Say whether a stopped instance is to be started: not when somebody else wanted it stopped."""
    if last is not None and last.foreign and last.name == "stop":
        return _ignored(f"instance {server.id} was stopped by a user: left stopped")
    if asked and last is not None and last.name == "start":
        return Broken(f"instance {server.id} did not start")
    return Step.START


def next_to_confirm(server: Server | None) -> Verdict:
    """Wait until the instance is active; START: it is stopped again, look at :func:`start`."""
    if server is None or server.vm_state in _GONE:
        return gone()
    if server.vm_state == "active":
        return Step.REACHED
    if server.task_state is not None:
        return Step.WAIT
    if server.vm_state == "stopped":
        return Step.START
    return Broken(f"instance {server.id} is {server.vm_state}{f': {server.fault}' if server.fault else ''}")
