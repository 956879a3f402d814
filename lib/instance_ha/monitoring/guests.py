"""monitor-guests: asks each host's libvirt about its domains, and the domains' agents for a sign of life.

A host is claimed for a look, so several invocations may share the hosts. A host that cannot be reached is left to
monitor-poll: nothing follows for its guests.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from instance_ha import log
from instance_ha.decide import guests
from instance_ha.models.breakpoints import Breakpoint
from instance_ha.models.errors import CloudRefused, SightUnavailable, StoreUnavailable, TryAgain
from instance_ha.models.guests import Domain, GuestHealth, Wishes
from instance_ha.models.health import Watched
from instance_ha.models.ports import Hypervisor
from instance_ha.monitoring import reporting
from instance_ha.store import guest_health, host_health, watches
from instance_ha.world import World, new_owner

_CLAIM = 60.0  # seconds in which a look at a host must be made
_PINGS = 4  # at once on one connection; libvirt works off five requests of a client at a time


def watch(world: World) -> int:
    """Look at hosts that are due for the time of one invocation; returns how many looks were made."""
    if not world.settings.guest_monitoring:
        log.get().debug("guests are not watched: guest_monitoring is off")
        return 0
    deadline, looks = world.deadline(), 0
    while True:
        try:
            looks += len(watch_once(world, deadline))
            until = _next(world)
        except StoreUnavailable as error:
            log.get().error("guests are not watched: Postgres does not answer", reason=str(error))
            until = world.clock.now() + timedelta(seconds=world.settings.guest_monitoring_interval)
        if until is None or until >= deadline:
            return looks
        world.clock.sleep(max(0.1, (until - world.clock.now()).total_seconds()))


def watch_once(world: World, deadline: datetime) -> list[str]:
    """Look at as many hosts as are due, and may be looked at at once; returns their names."""
    owner, now, limit = new_owner(), world.clock.now(), world.settings.libvirt_parallel
    with world.database.begin() as connection:
        judged = [host for host in host_health.watched(connection) if host.judged]
        hosts = _reachable(world, judged)
        watches.register(connection, hosts, now)
        everywhere = [host.health.host_uuid for host in judged]  # others may look at those that we do not reach
        watches.forget(connection, everywhere)
        guest_health.forget(connection, everywhere)
        taken = watches.claim(connection, list(hosts), owner, now, _CLAIM, limit)
    world.breakpoint(Breakpoint.GUESTS_CLAIMED)
    looks = [_Look(world, hosts[uuid], owner, now, deadline) for uuid in taken]
    world.map_concurrent(_Look.make, looks, limit)
    return [look.host.name for look in looks]


def _reachable(world: World, hosts: list[Watched]) -> dict[str, Watched]:
    judged = {host.name: host for host in hosts if host.judged}
    return {judged[name].health.host_uuid: judged[name] for name in world.hypervisors.here(judged)}


def _next(world: World) -> datetime | None:
    with world.database.begin() as connection:
        hosts = _reachable(world, host_health.watched(connection))
        return watches.next_due(connection, list(hosts))


@dataclass(frozen=True)
class _Look:
    """One look at the guests of one host."""

    world: World
    host: Watched
    owner: str
    at: datetime
    deadline: datetime

    @property
    def _uuid(self) -> str:
        return self.host.health.host_uuid

    def make(self) -> None:
        """Look, remember, tell."""
        try:
            with self.world.hypervisors.open(self.host.name) as hypervisor:
                health = self._look(hypervisor)
        except SightUnavailable as error:
            log.get().warning("the guests of a host cannot be seen", host=self.host.name, reason=str(error))
            health = None
        except StoreUnavailable:
            raise
        except Exception:  # one host must not keep us from the others
            log.get().exception("unexpected error", host=self.host.name)
            health = None
        if self._remember(health) and health is not None:
            self.world.breakpoint(Breakpoint.GUESTS_STORED)
            due = [r for guest in health for r in guests.due(guest, self.host.name, self._policy(guest), self.at)]
            reporting.tell_guests(self.world, due)

    def _look(self, hypervisor: Hypervisor) -> list[GuestHealth]:
        domains = {domain.uuid: domain for domain in hypervisor.domains()}
        with self.world.database.begin() as connection:
            before = guest_health.of_host(connection, self._uuid, list(domains))
        known = {
            uuid: guests.seen(self._known(before, uuid), domain, self._uuid, self.at)
            for uuid, domain in domains.items()
        }
        known = self._with_wishes(known, domains)
        asked = [uuid for uuid, guest in known.items() if self._is_due(guest, domains[uuid])]

        def ping(uuid: str) -> bool | None:
            return hypervisor.ping(uuid) if self.world.clock.now() < self.deadline else None

        for uuid, answered in zip(asked, self.world.map_concurrent(ping, asked, _PINGS), strict=True):
            known[uuid] = self._said(guests.pinged(known[uuid], answered, self.at), known[uuid])
        return list(known.values())

    def _known(self, before: Mapping[str, GuestHealth], uuid: str) -> GuestHealth:
        return before.get(uuid) or GuestHealth(instance_uuid=uuid, host_uuid=self._uuid)

    def _policy(self, guest: GuestHealth) -> guests.GuestPolicy:
        settings = self.world.settings
        default = guests.GuestPolicy(
            settings.guest_monitoring_default,
            settings.guest_monitoring_interval,
            settings.guest_monitoring_failure_threshold,
        )
        return guests.policy(guest.wishes, default)

    def _is_due(self, guest: GuestHealth, domain: Domain) -> bool:
        return guest.wishes_at is not None and guests.wants_ping(guest, domain, self._policy(guest), self.at)

    def _said(self, now: GuestHealth, before: GuestHealth) -> GuestHealth:
        if now.state is not before.state or now.misses != before.misses:
            about = {"host": self.host.name, "instance_uuid": now.instance_uuid}
            log.get().info("guest is seen otherwise", was=before.state, now=now.state, misses=now.misses, **about)
        return now

    def _with_wishes(self, known: dict[str, GuestHealth], domains: Mapping[str, Domain]) -> dict[str, GuestHealth]:
        """Ask Nova how the instances are to be watched, if that is not known, or was long ago."""
        old = self.at - timedelta(seconds=self.world.settings.guest_wishes_age)
        if not any(d.has_agent and ((at := known[d.uuid].wishes_at) is None or at < old) for d in domains.values()):
            return known
        try:
            pages = self.world.nova.servers_on(self.host.name)
            said = {s.id: guests.wishes(s.metadata, s.extra_specs) for page in pages for s in page}
        except (TryAgain, CloudRefused) as error:
            log.get().warning("Nova does not tell how guests are to be watched", host=self.host.name, reason=str(error))
            return known
        return {uuid: self._wished(guest, said.get(uuid)) for uuid, guest in known.items()}

    def _wished(self, guest: GuestHealth, wishes: Wishes | None) -> GuestHealth:
        guest = replace(guest, wishes=wishes or Wishes(on=False), wishes_at=self.at)  # no instance of Nova's: not ours
        return guest if self._policy(guest).on else guests.switched_off(guest)

    def _remember(self, health: list[GuestHealth] | None) -> bool:
        later = self.at + timedelta(seconds=self.world.settings.guest_monitoring_interval)
        with self.world.database.begin() as connection:
            if not watches.hold(connection, self._uuid, self.owner):
                log.get().warning("another look at a host has overtaken this one", host=self.host.name)
                return False
            if health is not None:
                guest_health.write(connection, self._uuid, health)
            watches.looked(connection, self._uuid, self.at, later)
        return True
