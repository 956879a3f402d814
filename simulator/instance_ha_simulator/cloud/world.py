"""What is there: hosts, servers, records; and the scheduler's choice among the hosts."""

from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

from instance_ha_simulator.cloud.controllers import Controllers
from instance_ha_simulator.cloud.errors import not_found
from instance_ha_simulator.cloud.history import History
from instance_ha_simulator.cloud.model import (
    Aggregate,
    CloudOptions,
    Course,
    EvacuationRequest,
    Host,
    InstanceAction,
    LiveCourse,
    Migration,
    Server,
    ServerGroup,
)
from instance_ha_simulator.cloud.replica import Replica
from instance_ha_simulator.cloud.timeline import Timeline


@dataclass
class World:
    """All state of the simulated Nova. It is used with the cloud's lock held."""

    options: CloudOptions
    timeline: Timeline
    hosts: dict[str, Host] = field(default_factory=dict)
    servers: dict[str, Server] = field(default_factory=dict)
    deleted: dict[str, Server] = field(default_factory=dict)
    migrations: list[Migration] = field(default_factory=list)
    aggregates: dict[int, Aggregate] = field(default_factory=dict)
    evacuation_requests: list[EvacuationRequest] = field(default_factory=list)
    instance_actions: dict[str, list[InstanceAction]] = field(default_factory=dict)
    history: History = field(default_factory=History)
    load: Counter[str] = field(default_factory=Counter)  # sizes of servers per host, with those about to come there
    down_cells: set[str] = field(default_factory=set)  # whose database does not answer
    controllers: Controllers = field(default_factory=Controllers)
    courses: list[Course] = field(default_factory=list)  # of the next evacuations
    live_courses: list[LiveCourse] = field(default_factory=list)  # of the next live migrations
    casts_to_lose: int = 0  # so many evacuations get a record, and never reach the conductor
    replica: Replica | None = None  # where lists are read from, if it lags behind
    groups: list[ServerGroup] = field(default_factory=list)
    aggregate_count: int = 0
    server_count: int = 0

    @property
    def now(self) -> datetime:
        """The time up to which everything has happened."""
        return self.timeline.now

    def is_up(self, host: Host) -> bool:
        """Tell what Nova thinks of the host's service."""
        silence = self.now - host.reported_at(self.now, self.options.report_interval)
        return not host.forced_down and silence <= timedelta(seconds=self.options.service_down_time)

    def answers(self, host_name: str) -> bool:
        """Tell whether Nova can read what it knows of a host, and of the servers on it; records outlive their host."""
        host = self.hosts.get(host_name)
        return host is None or host.cell not in self.down_cells

    def updated_at(self, host: Host) -> datetime:
        """Return when the service's record changed: by a report, or by the API."""
        return max(host.changed_at, host.reported_at(self.now, self.options.report_interval))

    @property
    def listed_servers(self) -> list[Server]:
        """What lists of servers are made of."""
        return list(self.servers.values()) if self.replica is None else self.replica.servers

    @property
    def listed_migrations(self) -> list[Migration]:
        """What lists of moves are made of."""
        return self.migrations if self.replica is None else self.replica.migrations

    def run_until(self, now: datetime) -> None:
        """Let everything happen that is due by then."""
        if self.replica is not None:
            self.timeline.run_until(now - self.replica.lag)
            self.copy()
        self.timeline.run_until(now)
        self.copy()

    def copy(self) -> None:
        """Let the replica, if there is one, learn of what there is now."""
        if self.replica is not None:
            self.replica.take(self.now, list(self.servers.values()), self.migrations)

    def server(self, server_id: str) -> Server:
        """Return a server, or answer that there is none."""
        try:
            return self.servers[server_id]
        except KeyError:
            raise not_found(f"Instance {server_id} could not be found.") from None

    def service(self, service_id: str) -> Host:
        """Return the host whose service has this id, now or before, or answer that there is none."""
        for host in self.hosts.values():
            if service_id in (host.service_id, host.old_service and host.old_service.id):
                return host
        raise not_found(f"Service {service_id} could not be found.")

    def aggregate(self, aggregate_id: int) -> Aggregate:
        """Return an aggregate, or answer that there is none."""
        try:
            return self.aggregates[aggregate_id]
        except KeyError:
            raise not_found(f"Aggregate {aggregate_id} could not be found.") from None

    def record(
        self, server: Server, kind: str, to: str | None, user_id: str, project_id: str, status: str = "accepted"
    ) -> Migration:
        """Write down a move of a server from its host."""
        made = Migration(
            id=len(self.migrations) + 1,
            uuid=str(uuid4()),
            instance_uuid=server.id,
            source_compute=server.host,
            source_node=server.hypervisor_hostname,
            user_id=user_id,
            project_id=project_id,
            created_at=self.now,
            dest_compute=to,
            dest_node=self.hosts[to].hypervisor_hostname if to is not None and status != "accepted" else None,
            status=status,
            migration_type=kind,
        )
        self.migrations.append(made)
        return made

    def note(self, server_id: str, name: str, user_id: str | None = None, project_id: str | None = None) -> None:
        """Write down that something was done to a server, and by whom; Nova itself has no user."""
        action = InstanceAction(self.now, name, f"req-{uuid4()}", user_id, project_id)
        self.instance_actions.setdefault(server_id, []).append(action)

    def move(self, server: Server, host: str | None, node: str | None) -> None:
        """Have a server on another host, which has counted it already."""
        self.load[server.host] -= server.size
        server.host, server.hypervisor_hostname = host or server.host, node or server.hypervisor_hostname

    def zone_of(self, host: Host) -> str:
        """Return the host's availability zone: an aggregate's, if one of its aggregates has one."""
        zones = [a.availability_zone for a in self.aggregates.values() if host.name in a.hosts]
        return next((zone for zone in zones if zone), host.zone)

    def next_course(self, server: Server) -> Course | None:
        """Take what is said of the next evacuation of a server."""
        course = next((one for one in self.courses if one.instance == server.name), None)
        if course is not None:
            self.courses.remove(course)
        return course

    def pick_host(self, server: Server, wanted: str | None) -> Host | None:
        """Choose where an evacuated server goes: the emptiest host that can take it, ties by name."""
        taken = self._hosts_of_group(server)
        fit = [
            host
            for host in self.hosts.values()
            if host.name not in {server.host, *taken}
            and wanted in (None, host.name)
            and host.enabled
            and self.is_up(host)
            and (host.capacity is None or self.load[host.name] + server.size <= host.capacity)
            and server.requested_zone in (None, self.zone_of(host))
        ]
        return min(fit, key=lambda host: (self.load[host.name], host.name), default=None)

    def _hosts_of_group(self, server: Server) -> set[str]:
        """Name the hosts that have other members of its server group, or to which they are on their way."""
        others = {one for group in self.groups if server.id in group.members for one in group.members} - {server.id}
        if not others:
            return set()
        coming = {record.dest_compute or "" for record in self.migrations if record.instance_uuid in others}
        return {self.servers[one].host for one in others if one in self.servers} | coming
