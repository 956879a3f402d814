"""What a tick does: the same thing again and again, for a bounded time."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import TypeVar

from instance_ha import log
from instance_ha.models.errors import StoreUnavailable
from instance_ha.world import World

_AWAY = 5.0  # seconds between two tries while Postgres is away

W = TypeVar("W", bound=World)
Once = Callable[[W, datetime], datetime | None]


def repeat(world: W, what: str, once: Once[W], interval: float, *, lasts: float | None = None) -> None:
    """Call ``once`` until the next call would begin after ``lasts`` seconds, or the instance is about to end.

    ``lasts`` is the time of an invocation by default.
    ``once`` is given the invocation's world and the time at which the invocation ends; it returns when it is due again
    (None: an interval of seconds after it began). While Postgres does not answer, it is called again after 5 s, or the
    interval if that is longer; ``what`` says in the log what failed.
    """
    machine = world.clock
    opened: W | None = None
    end = machine.monotonic() + (lasts or world.settings.invocation_time)
    while True:
        begun, due, wait = machine.monotonic(), None, interval
        try:
            opened = opened or world.for_invocation()
            due = once(opened, opened.clock.now() + timedelta(seconds=end - machine.monotonic()))
        except StoreUnavailable as error:
            log.get().error(f"{what} failed", reason=str(error))
            wait = max(interval, _AWAY)
        if opened is None or due is None:
            pause = begun + wait - machine.monotonic()
        else:
            pause = (due - opened.clock.now()).total_seconds()
        if world.ending() or machine.monotonic() + pause >= end:
            return
        machine.sleep(max(0.0, pause))
