"""Sends reports, several at once, and remembers which were taken; the others are sent again while they still hold."""

from collections.abc import Sequence
from datetime import timedelta

from instance_ha import log
from instance_ha.decide import guests, health
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import TryAgain
from instance_ha.models.health import Answer, Report, Watched
from instance_ha.store import guest_health, host_health
from instance_ha.world import World

_AT_ONCE = 8


def send(world: World, report: Report) -> Answer | None:
    """Send one report; None when the API has not taken it, and has not refused it for good."""
    about = {"host": report.hostname, "type": report.type, "payload": dict(report.payload)}
    try:
        answer = world.reporter.send(report)
    except TryAgain as error:
        log.get().warning("report not taken: it is sent again", reason=str(error), **about)
        return None
    if answer.code < 300:
        log.get().info("reported", **about)
    elif answer.known:
        log.get().info("report not taken: it is known", reason=answer.text, **about)
    elif answer.final:
        log.get().warning("report refused for good", code=answer.code, reason=answer.text, **about)
    else:
        log.get().warning("report not taken: it is sent again", code=answer.code, reason=answer.text, **about)
    return answer if answer.final else None


def tell_hosts(world: World, due: Sequence[tuple[Watched, Report]]) -> None:
    """Report hosts, and remember each as soon as it has been taken."""

    def tell(one: tuple[Watched, Report]) -> None:
        host, report = one
        answer = send(world, report)
        if answer is None:
            return
        world.breakpoint(Breakpoint.HOST_REPORTED)
        what, text = health.told_by(report, answer), f"{answer.code} {answer.text}"
        with world.database.begin() as connection:
            host_health.told(connection, host.health.host_uuid, what, world.clock.now(), text)

    world.map_concurrent(tell, due, _AT_ONCE)


def tell_guests(world: World, due: Sequence[Report]) -> None:
    """Report guests, and remember each as soon as it has been taken."""
    quiet = world.settings.duplicate_notification_detection_interval

    def tell(report: Report) -> None:
        answer, uuid = send(world, report), report.payload["instance_uuid"]
        if answer is None:
            return
        world.breakpoint(Breakpoint.GUEST_REPORTED)
        with world.database.begin() as connection:
            if answer.known:
                guest_health.known(connection, uuid, world.clock.now() + timedelta(seconds=quiet + 1))
            elif guests.is_about_agent(report):
                guest_health.agent_told(connection, uuid)
            else:
                guest_health.fault_told(connection, uuid)

    world.map_concurrent(tell, due, _AT_ONCE)
