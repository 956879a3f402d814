"""monitor-guests: asks each host's libvirt about its domains, and pings the domains' guest agents.

The poll of a host is claimed, so several invocations may share the hosts. A host that is not reachable is left to
monitor-poll: nothing follows for its guests.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instance_ha import log
from instance_ha.decide import guests, witnesses
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import CloudRefused, HostSilent, SourceUnavailable, StoreUnavailable, TryAgain
from instance_ha.models.evidence import Evidence
from instance_ha.models.guests import Channel, Domain, GuestHealth, GuestPolicy, GuestState
from instance_ha.models.health import RegisteredHost
from instance_ha.models.ports import Hypervisor
from instance_ha.models.uuids import HostUuid
from instance_ha.monitoring import reporting
from instance_ha.store import evidence, guest_health, host_health, vmoves, watches
from instance_ha.ticks import repeat
from instance_ha.world import GuestMonitorWorld, new_owner

_CLAIM = 60.0  # seconds in which the poll of a host must be made
_SOON = timedelta(seconds=0.1)  # before asking again whether another invocation has made its poll
_POLLS = 3  # for so many intervals counts what a hypervisor has answered
_PINGS = 4  # at once on one connection; libvirt handles five requests of a client at a time


def poll(world: GuestMonitorWorld) -> None:
    """Poll the guests of hosts that are due for the time of one invocation."""
    if not world.settings.guest_monitoring:
        log.get().debug("guest monitoring disabled", setting="guest_monitoring")
        return

    def once(world: GuestMonitorWorld, end: datetime) -> datetime:
        poll_once(world, end)
        with world.database.begin() as connection:
            hosts = _reachable(world, host_health.registered(connection))
            due = watches.next_due(connection, list(hosts))
        return max(due, world.clock.now() + _SOON) if due else end  # without hosts there is nothing to wait for

    repeat(world, "guest poll", once, world.settings.guest_monitoring_interval)


def poll_once(world: GuestMonitorWorld, deadline: datetime) -> list[str]:
    """Poll as many hosts as are due, and may be polled at once; returns their names."""
    owner, now, limit = new_owner(), world.clock.now(), world.settings.libvirt_parallel
    with world.database.begin() as connection:
        registered = host_health.registered(connection)
        hosts = _reachable(world, registered)
        watches.register(connection, hosts, now)
        # Those that cannot be reached from here others may reach.
        watches.forget(connection, [host.health.host_uuid for host in registered if _is_polled(host)])
        guest_health.forget(connection, [host.health.host_uuid for host in registered if _has_monitored_guests(host)])
        taken = watches.claim(connection, list(hosts), owner, now, _CLAIM, limit)
    world.breakpoint(Breakpoint.GUESTS_CLAIMED)
    polls = [_HostPoll(world, hosts[uuid], owner, now, deadline) for uuid in taken]
    world.map_concurrent(_HostPoll.run, polls, limit)
    return [poll.host.name for poll in polls]


def _has_monitored_guests(host: RegisteredHost) -> bool:
    """Whether guests can be recovered there: Nova restarts none on a host without its nova-compute."""
    return host.monitored and not host.on_maintenance


def _is_polled(host: RegisteredHost) -> bool:
    """Whether its hypervisor is asked: for its guests, or only whether it answers, while its own death is handled."""
    return _has_monitored_guests(host) or host.open_recovery is not None


def _reachable(world: GuestMonitorWorld, hosts: Iterable[RegisteredHost]) -> dict[str, RegisteredHost]:
    polled = {host.name: host for host in hosts if _is_polled(host)}
    return {polled[name].health.host_uuid: polled[name] for name in world.hypervisors.here(polled)}


@dataclass(frozen=True)
class _HostPoll:
    """One poll of the guests of one host."""

    world: GuestMonitorWorld
    host: RegisteredHost
    owner: str
    at: datetime
    deadline: datetime

    def run(self) -> None:
        """Ask libvirt and the agents, remember, report."""
        health, domains = None, None
        unasked: str | None = None
        answering: list[str] = []
        try:
            with self.world.hypervisors.open(self.host.name) as hypervisor:
                domains = hypervisor.domains()
                if _has_monitored_guests(self.host):
                    health, answering = self._poll(hypervisor, domains)
        except SourceUnavailable as error:
            unasked = None if isinstance(error, HostSilent) else str(error)
            log.get().warning("libvirt not available", host=self.host.name, reason=str(error))
        except StoreUnavailable:
            raise
        except Exception as error:  # one host must not keep the others from being polled
            unasked = f"unexpected error: {type(error).__name__}"
            log.get().exception("unexpected error", host=self.host.name)
        if self._remember(health, self._evidence(domains, unasked), answering) and health is not None:
            self.world.breakpoint(Breakpoint.GUESTS_STORED)
            due = [r for guest in health for r in guests.due(guest, self.host.name, self._schedule(guest), self.at)]
            reporting.report_guests(self.world, due)

    def _poll(self, hypervisor: Hypervisor, found: Iterable[Domain]) -> tuple[list[GuestHealth], list[str]]:
        """Ask the agents; returns what is known of the guests now, and whose agent has begun to answer."""
        domains, host_uuid = {domain.uuid: domain for domain in found}, self.host.health.host_uuid
        with self.world.database.begin() as connection:
            before = guest_health.of_host(connection, host_uuid, list(domains))
        known = {}
        for uuid, domain in domains.items():
            guest = before.get(uuid) or GuestHealth(instance_uuid=uuid, host_uuid=host_uuid)
            known[uuid] = guests.observed(guest, domain, host_uuid, self.at)
        known = self._with_policies(known, domains)
        asked = [
            uuid
            for uuid, guest in known.items()
            if guest.policy_at is not None and guests.wants_ping(guest, domains[uuid], self._schedule(guest), self.at)
        ]

        def ping(uuid: str) -> bool | None:
            return hypervisor.ping(uuid) if self.world.clock.now() < self.deadline else None

        answering = []
        for uuid, answered in zip(asked, self.world.map_concurrent(ping, asked, _PINGS), strict=True):
            was, known[uuid] = known[uuid], guests.pinged(known[uuid], answered, self.at)
            self._log(known[uuid], was)
            if known[uuid].state is GuestState.HEALTHY is not was.state:
                answering.append(uuid)
        return list(known.values()), answering

    def _schedule(self, guest: GuestHealth) -> guests.PingSchedule:
        settings = self.world.settings
        default = guests.PingSchedule(
            settings.guest_monitoring_default,
            settings.guest_monitoring_interval,
            settings.guest_monitoring_failure_threshold,
        )
        return guests.schedule(guest.policy, default)

    def _log(self, now: GuestHealth, was: GuestHealth) -> None:
        if now.state is not was.state or now.misses != was.misses:
            about = {"host": self.host.name, "instance_uuid": now.instance_uuid}
            log.get().info("guest state changed", was=was.state, now=now.state, misses=now.misses, **about)

    def _with_policies(self, known: dict[str, GuestHealth], domains: dict[str, Domain]) -> dict[str, GuestHealth]:
        """Ask Nova how the instances are to be monitored, if that is not known, or was asked too long ago."""
        old = self.at - timedelta(seconds=self.world.settings.guest_policy_ttl)
        if not any(
            d.channel is not Channel.NONE and ((at := known[d.uuid].policy_at) is None or at < old)
            for d in domains.values()
        ):
            return known
        try:
            pages = self.world.nova.servers_on(self.host.name)
            stated = {s.id: guests.policy(s.metadata, s.extra_specs) for page in pages for s in page}
        except (TryAgain, CloudRefused) as error:
            log.get().warning("guest policies not available", host=self.host.name, reason=str(error))
            return known
        refreshed = {}
        for uuid, guest in known.items():
            policy = stated.get(uuid) or GuestPolicy(on=False)  # no instance of Nova: not ours
            guest = replace(guest, policy=policy, policy_at=self.at)
            refreshed[uuid] = guest if self._schedule(guest).on else guests.switched_off(guest)
        return refreshed

    def _evidence(self, domains: Iterable[Domain] | None, unasked: str | None) -> Iterator[Evidence]:
        """Say what the hypervisor tells of a host whose death was reported."""
        if self.host.open_recovery is not None:
            lasts = timedelta(seconds=_POLLS * self.world.settings.guest_monitoring_interval)
            uuid = HostUuid(self.host.health.host_uuid)
            yield witnesses.of_hypervisor(uuid, self.host.open_recovery, domains, self.at, lasts, unasked)

    def _remember(self, health: list[GuestHealth] | None, seen: Iterable[Evidence], answering: Sequence[str]) -> bool:
        later = self.at + timedelta(seconds=self.world.settings.guest_monitoring_interval)
        uuid = self.host.health.host_uuid
        with self.world.database.begin() as connection:
            if not watches.hold(connection, uuid, self.owner):
                log.get().warning("guest poll superseded", host=self.host.name)
                return False
            if health is not None:
                vmoves.note_agents(connection, self.host.name, answering, self.at)
                guest_health.write(connection, uuid, health)
            evidence.add(connection, seen)
            watches.polled(connection, uuid, self.at, later)
        return True
