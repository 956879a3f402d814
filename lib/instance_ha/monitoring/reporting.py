"""Posts notifications, several at once, and remembers the accepted ones; the others are due again while they hold."""

from collections.abc import Sequence
from datetime import timedelta

from instance_ha import log
from instance_ha.decide import guests, health
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import TryAgain
from instance_ha.models.health import NotificationRequest, NotificationResponse, RegisteredHost
from instance_ha.store import guest_health, host_health
from instance_ha.world import MonitorWorld

_PARALLEL = 8


def post(world: MonitorWorld, request: NotificationRequest) -> NotificationResponse | None:
    """Post one notification; None when the API has neither accepted it nor refused it for good."""
    about = {"host": request.hostname, "type": request.type, "payload": dict(request.payload)}
    try:
        response = world.notification_client.post(request)
    except TryAgain as error:
        log.get().warning("notification not accepted, will retry", reason=str(error), **about)
        return None
    if response.code < 300:
        log.get().info("notification accepted", **about)
    elif response.duplicate:
        log.get().info("notification duplicate", reason=response.text, **about)
    elif response.final:
        log.get().warning("notification refused", code=response.code, reason=response.text, **about)
    else:
        log.get().warning("notification not accepted, will retry", code=response.code, reason=response.text, **about)
    return response if response.final else None


def report_hosts(world: MonitorWorld, due: Sequence[tuple[RegisteredHost, NotificationRequest]]) -> None:
    """Report hosts, and remember each as soon as the API has answered."""

    def report(one: tuple[RegisteredHost, NotificationRequest]) -> None:
        host, request = one
        response = post(world, request)
        if response is None:
            return
        world.breakpoint(Breakpoint.HOST_REPORTED)
        state, text = health.report_state(request, response), f"{response.code} {response.text}"
        with world.database.begin() as connection:
            host_health.reported(connection, host.health.host_uuid, state, world.clock.now(), text)

    world.map_concurrent(report, due, _PARALLEL)


def report_guests(world: MonitorWorld, due: Sequence[NotificationRequest]) -> None:
    """Report guests, and remember each as soon as the API has answered."""
    mute = world.settings.duplicate_notification_detection_interval + 1

    def report(request: NotificationRequest) -> None:
        response, uuid = post(world, request), request.payload["instance_uuid"]
        if response is None:
            return
        world.breakpoint(Breakpoint.GUEST_REPORTED)
        with world.database.begin() as connection:
            if response.duplicate:
                guest_health.mute(connection, uuid, world.clock.now() + timedelta(seconds=mute))
            elif guests.is_about_agent(request):
                guest_health.agent_reported(connection, uuid)
            else:
                guest_health.fault_reported(connection, uuid)

    world.map_concurrent(report, due, _PARALLEL)
