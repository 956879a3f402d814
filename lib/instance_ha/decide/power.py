"""Stopping a failed instance and starting it again: what is next, by what Nova shows and by the last action."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum

from instance_ha.models.cloud import CLOCKS_APART, PowerAction, Server


class Step(Enum):
    """What is to be done next."""

    RESET = "reset to active"
    STOP = "stop"
    START = "start"
    WAIT = "wait"
    REACHED = "reached"


@dataclass(frozen=True)
class Leave:
    """Somebody else has acted: the instance is left as it is, and the recovery ends."""

    message: str


@dataclass(frozen=True)
class Broken:
    """It will not become what it should; waiting does not help."""

    message: str


@dataclass(frozen=True)
class StopRecorded:
    """What a restart remembers: the stop was written down, after this last action of anybody."""

    last_action: str


Decision = Step | Leave | Broken


_RUNNING, _SHUTDOWN, _CRASHED = 1, 4, 6  # power states of Nova


def is_dead(server: Server) -> bool:
    """Whether Nova itself shows that an instance does not run, wherever it is and whatever was reported of it."""
    return server.vm_state in {"stopped", "error"} or server.power_state in {_SHUTDOWN, _CRASHED}


def is_started_since(server: Server, last: PowerAction, reported_at: datetime) -> bool:
    """Say whether an instance that was reported runs, since somebody has started it after its report.

    After it by more than Nova's clock may differ from ours: an instance that was not started again is not left.
    """
    runs = (server.vm_state, server.task_state, server.power_state) == ("active", None, _RUNNING)
    is_new = last.at is not None and last.at > reported_at + CLOCKS_APART
    return runs and is_new and not last.ours and last.name != "stop"


def mark(last: PowerAction | None) -> str:
    """Return what tells later whether there has been an action since this one."""
    return last.request_id if last is not None else ""


def next_to_stop(server: Server, last: PowerAction | None, written_at: str | None) -> Decision:
    """Stop what runs or has crashed.

    ``written_at`` is the mark of the last action when the stop was written down (None: it was not yet). Nova shows
    at once that it is stopping an instance: if it does not, it has not heard of it, or a user has acted since then.
    """
    if server.vm_state == "stopped":
        return Step.REACHED
    if server.task_state is not None:
        return Step.WAIT
    if server.vm_state == "resized":
        return Step.RESET
    if written_at is None or last is None or mark(last) == written_at:
        return Step.STOP
    if last.foreign and last.name != "stop":
        return Leave("another user has started the instance meanwhile: it is left as it is")
    return Step.WAIT


def next_to_start(server: Server, last: PowerAction | None, *, start_stopped: bool = False) -> Decision:
    """Start what is stopped, but what its owner has stopped only with ``start_stopped``."""
    if server.vm_state == "active" or (server.vm_state == "stopped" and server.task_state == "powering-on"):
        return Step.REACHED
    if server.vm_state != "stopped":
        return Broken(f"instance {server.id} is {server.vm_state}, which cannot be started")
    if server.task_state is not None:
        return Step.WAIT
    return Step.START if start_stopped else _stopped_by_owner(last) or Step.START


def next_to_confirm(server: Server, last: PowerAction | None) -> Decision:
    """Wait until the instance is active, unless its owner has stopped it again."""
    if server.vm_state == "active":
        return Step.REACHED
    if server.vm_state == "error":
        return Broken(f"the instance failed to start: {server.fault or 'state error'}")
    if server.vm_state == "stopped" and server.task_state is None:
        return _stopped_by_owner(last) or Broken(f"instance {server.id} did not start")
    return Step.WAIT


def carried_out_late(server: Server, last: PowerAction | None) -> Step | None:
    """Say what undoes a request of ours that Nova has carried out after the end of a restart, if it has.

    A stop of ours is never the last action after a restart. A start of ours never follows a stop by the owner, since it
    is not sent then. What Nova has stopped itself its owner has shut down from inside, or it has failed again.
    """
    if server.task_state is not None or last is None or not last.ours:
        return None
    if server.vm_state == "stopped" and last.name == "stop":
        return Step.START
    if server.vm_state == "active" and last.name == "start" and _stopped_by_owner(last.before):
        return Step.STOP
    return None


def _stopped_by_owner(last: PowerAction | None) -> Leave | None:
    if last is not None and last.foreign and last.name == "stop":
        return Leave("the instance was stopped by its owner: it is left stopped")
    return None
