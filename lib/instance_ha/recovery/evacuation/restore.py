"""The state that an instance had before its host failed is given back to it."""

from datetime import timedelta

from instance_ha.decide.evacuation import End, Moved
from instance_ha.decide.restoration import Restoration, restoration_of
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.enums import VMoveStatus
from instance_ha.models.errors import CloudRefused
from instance_ha.models.triggers import EVACUATE_INSTANCE, Trigger
from instance_ha.recovery.evacuation.claimed import Evacuation

_STATE_AFTER = {"start": "active", "stop": "stopped", "pause": "paused", "suspend": "suspended", "reset_error": "error"}


class _TimeIsUpError(Exception):
    """The invocation has no more time to wait."""


def restore(work: Evacuation, moved: Moved) -> None:
    """Give the instance the state back that it had; it has moved, whatever comes of this."""
    restoration = restoration_of(work.move.facts)
    message = restoration.message
    if restoration.actions:
        if work.move.dest_host is None:
            work.claim.write(dest_host=moved.dest_host, moved_at=work.world.clock.now())
        try:
            message = _act(work, restoration) or message
        except _TimeIsUpError:
            work.claim.hand_over(Trigger(EVACUATE_INSTANCE, work.move.uuid), instance=work.move.instance_name)
            return
        work.world.breakpoint(Breakpoint.INSTANCE_RESTORED)
    work.close(End(VMoveStatus.SUCCEEDED, message or "", moved.dest_host))


def _act(work: Evacuation, restoration: Restoration) -> str | None:
    """Run the actions; returns what did not work."""
    try:
        server = work.server()
        if server is None or server.vm_state == _STATE_AFTER[restoration.actions[-1]]:
            return None  # deleted, or done by an invocation that died then
        for action in restoration.actions:
            if not _bring(work, action):
                return f"evacuated, but it was not {_STATE_AFTER[action]} again in time"
    except CloudRefused as error:
        return f"evacuated, but its state could not be given back: {error}"
    return None


def _bring(work: Evacuation, action: str) -> bool:
    """Ask for an action once and wait until it has worked, or the instance is gone."""
    world, nova = work.world, work.nova
    actions = {"start": nova.start, "stop": nova.stop, "pause": nova.pause, "suspend": nova.suspend}
    ask = {**actions, "reset_error": nova.reset_to_error}[action]
    since = work.move.updated_at or world.clock.now()  # when it was found to have moved, in whichever invocation
    until = since + timedelta(seconds=world.settings.wait_period_after_power_off)
    asked = False
    while world.clock.now() < until:
        server = work.server()
        if server is None or server.vm_state == _STATE_AFTER[action]:
            return True
        if not asked and server.task_state is None:
            ask(work.move.instance_uuid)
            asked = True
        if not work.claim.pause():
            raise _TimeIsUpError
    return False
