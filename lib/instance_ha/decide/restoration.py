"""What gives an evacuated instance the state back that its owner wanted."""

from dataclasses import dataclass

from instance_ha.models.rows import InstanceFacts

SHUT_DOWN = 4  # power_state of a domain that does not run


@dataclass(frozen=True)
class Restoration:
    """What gives an evacuated instance the state back that it had, and what of it cannot be given back."""

    actions: tuple[str, ...] = ()
    settled: frozenset[str] = frozenset({"active"})  # vm_states that are right before the actions
    message: str | None = None


_LEADS_TO = {  # what its owner had asked for when the host died, by the task_state
    "powering-off": "stopped",
    "powering-on": "active",
    "pausing": "paused",
    "unpausing": "active",
    "suspending": "suspended",
    "resuming": "active",
    **dict.fromkeys(("rebooting_hard", "reboot_pending_hard", "reboot_started_hard"), "active"),  # whatever it was
}


def intended(facts: InstanceFacts) -> str:
    """Return the vm_state that an instance's owner wanted when its host died."""
    return _LEADS_TO.get(facts.task_state or "", facts.vm_state)


def restoration_of(facts: InstanceFacts) -> Restoration:
    """Choose the actions after an evacuation; Nova itself leaves an instance active, or stopped as it was.

    What its owner had asked for, and Nova had accepted, counts for more than what it was.
    """
    state = intended(facts)
    if state == "stopped" and facts.task_state is None and not facts.left_in_error:
        return Restoration(settled=frozenset({"stopped"}))
    if state == "active":
        return Restoration(("start",), settled=frozenset({"stopped"})) if facts.stopped_by_us else Restoration()
    if state == "stopped" or (state == "resized" and facts.power_state == SHUT_DOWN):
        return Restoration(("stop",))
    if state == "resized":
        return Restoration(message="was resized and not confirmed; runs now without the choice to go back")
    if state == "paused":
        return Restoration(("pause",))
    if state == "suspended":
        return Restoration(("suspend",), message="was suspended; its memory died with the host, so it booted first")
    if state == "error":
        return Restoration(("stop", "reset_error"))
    return Restoration(("stop",), message=f"was {state}, which cannot be given back; it is stopped")
