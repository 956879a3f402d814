"""Sends reports, several at once, and remembers which were taken; the others are sent again while they still hold."""

from collections.abc import Sequence

from instance_ha import log
from instance_ha.decide import guests, health
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
        world.step("host reported")
        what, text = health.told_by(report), f"{answer.code} {answer.text}"
        with world.database.begin() as connection:
            host_health.told(connection, host.health.host_uuid, what, world.clock.now(), text)

    world.at_once(tell, due, _AT_ONCE)


def tell_guests(world: World, due: Sequence[Report]) -> None:
    """Report guests, and remember each as soon as it has been taken."""

    def tell(report: Report) -> None:
        if send(world, report) is None:
            return
        world.step("guest reported")
        remember = guest_health.agent_told if guests.is_about_agent(report) else guest_health.fault_told
        with world.database.begin() as connection:
            remember(connection, report.payload["instance_uuid"])

    world.at_once(tell, due, _AT_ONCE)
