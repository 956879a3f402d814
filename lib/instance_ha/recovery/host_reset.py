"""A failed host that is up again: what its reset has shut off is started, but nothing that its owner has stopped."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from instance_ha import log
from instance_ha.decide import reset
from instance_ha.decide.instances import choose
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.cloud import Server
from instance_ha.models.errors import CloudRefused
from instance_ha.models.rows import Notification, TaskRow
from instance_ha.planning.instances import instance_policy, servers_of
from instance_ha.recovery.claim import Claim
from instance_ha.recovery.recovery import NotYet, Recovery


@dataclass(frozen=True)
class ShutOff:
    """Instances that are off since their host's reset, by id and name, as a task remembers them."""

    to_start: dict[str, str]
    unclear: dict[str, str]  # whether the host was reset is not known: an owner may have shut them down from inside
    until: datetime  # when no more is waited for their start


@dataclass(frozen=True)
class Restarted:
    """What has become of them."""

    running: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()  # each with its reason
    unclear: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """Say so in a notification's message; nothing when nothing was off."""
        parts = []
        if self.running or self.failed:
            total = len(self.running) + len(self.failed)
            parts.append(f"{len(self.running)} of {total} instances that its reset had shut off run again")
        if self.failed:
            parts.append(f"not so {'; '.join(self.failed[:3])}")
        if self.unclear:
            names = ", ".join(self.unclear[:10])
            parts.append(f"not started, since whether a reset has shut them off is not known: {names}")
        return ", ".join(parts)


def find(claim: Claim[Notification], host: str) -> ShutOff:
    """Find the instances on a host that would have been evacuated and are off since its reset.

    Raises CloudUnavailable when Nova does not tell.
    """
    world, now = claim.world, claim.world.clock.now()
    until = now + timedelta(seconds=world.settings.wait_period_after_power_on)
    servers = servers_of(claim.nova, host)
    chosen = choose(servers.values(), instance_policy(world.settings)).chosen
    stopped = [server for server in chosen if server.vm_state == "stopped"]
    service = claim.nova.service(host) if stopped else None
    found = reset.reset(service, claim.nova.uptime(host), claim.row.created_at, now) if service else None
    if found is None:
        return ShutOff({}, {}, until)
    off = {
        server.id: server.name
        for server in stopped
        if reset.was_shut_off(server, claim.nova.last_power_action(server.id), found)
    }
    return ShutOff(off, {}, until) if found.is_certain else ShutOff({}, off, until)


def restart(recovery: Recovery, task: TaskRow) -> Restarted | None:
    """Start what the reset has shut off, and see it run; None when the invocation's time is up before."""
    known = recovery.recall(task, ShutOff)
    if known is None:
        known = find(recovery.claim, recovery.host.name)
        recovery.remember(task, known)
        recovery.world.breakpoint(Breakpoint.SHUT_OFF_FOUND)
    for server_id in known.to_start:
        if recovery.claim.out_of_time:
            return None
        start(recovery.claim, server_id)
        recovery.world.breakpoint(Breakpoint.SHUT_OFF_STARTED)
    running, failed = [], []
    for server_id, name in known.to_start.items():
        server = _at_rest(recovery, server_id, known.until)
        if isinstance(server, NotYet):
            return None
        if server is not None and server.vm_state == "active":
            running.append(name)
        elif server is not None and not _is_left_to_others(recovery, server):
            failed.append(f"{name} ({server_id}): {server.fault or server.vm_state}")
    return Restarted(tuple(running), tuple(failed), _named(known.unclear))


def start(claim: Claim[Notification], server_id: str) -> bool | CloudRefused:
    """Start an instance, unless somebody has acted on it since Nova has found it off; says whether it starts."""
    server, last = claim.nova.server(server_id), claim.nova.last_power_action(server_id)
    if server is None or server.vm_state != "stopped" or server.task_state is not None or last is None:
        return False
    if not last.by_nova:
        return False
    try:
        claim.nova.start(server_id)
    except CloudRefused as error:
        log.get().warning("instance not started", instance=server.name, reason=str(error))
        return error
    log.get().info("instance shut off by host reset started", instance=server.name)
    return True


def start_late(claim: Claim[Notification], host: str) -> list[str]:
    """Start what a host's reset has shut off and Nova has found off only now; returns what to say of it.

    Raises CloudUnavailable when Nova does not tell.
    """
    found = find(claim, host)
    asked = {server_id: start(claim, server_id) for server_id in found.to_start}
    started = {server_id: name for server_id, name in found.to_start.items() if asked[server_id] is True}
    names = ", ".join(_named(started)[:10])
    started_late = f"started afterwards, since the reset of the host had shut them off: {names}" if names else ""
    refused = [
        f"{name} ({server_id}), which the reset of the host has shut off, is not started: {asked[server_id]}"
        for server_id, name in found.to_start.items()
        if isinstance(asked[server_id], CloudRefused)
    ]
    return list(filter(None, (started_late, *refused[:3], Restarted(unclear=_named(found.unclear)).text)))


def _at_rest(recovery: Recovery, server_id: str, until: datetime) -> Server | NotYet | None:
    """Wait for the end of a start, and read the instance then."""
    while True:
        server = recovery.nova.server(server_id)
        is_starting = server is not None and server.vm_state == "stopped" and server.task_state is not None
        if not is_starting or recovery.world.clock.now() >= until:
            return server
        if not recovery.claim.pause():
            return NotYet()


def _is_left_to_others(recovery: Recovery, server: Server) -> bool:
    """Say whether somebody else has acted on an instance since we have started it."""
    last = recovery.nova.last_power_action(server.id)
    return last is not None and last.foreign


def _named(instances: dict[str, str]) -> tuple[str, ...]:
    return tuple(f"{name} ({server_id})" for server_id, name in instances.items())
