"""What a tick does: the same thing again and again, for the time of one invocation."""

from collections.abc import Callable
from datetime import datetime

from instance_ha import log
from instance_ha.models.errors import StoreUnavailable
from instance_ha.world import World


def repeat(world: World, what: str, once: Callable[[World], datetime | None], interval: float) -> None:
    """Call ``once`` until the next call would begin after the invocation's time.

    ``once`` is given the invocation's world and returns when it is due again; None: an interval after it began. While
    Postgres does not answer, it is called again each interval; ``what`` says in the log what did not happen.
    """
    machine = world.clock
    end = machine.monotonic() + world.settings.invocation_time
    opened: World | None = None
    while True:
        begun, due = machine.monotonic(), None
        try:
            opened = opened or world.for_invocation()
            due = once(opened)
        except StoreUnavailable as error:
            log.get().warning(f"{what} not done, will retry", reason=str(error))
        if due is None or opened is None:
            pause = begun + interval - machine.monotonic()
        else:
            pause = (due - opened.clock.now()).total_seconds()
        if machine.monotonic() + pause >= end:
            return
        machine.sleep(max(0.0, pause))
