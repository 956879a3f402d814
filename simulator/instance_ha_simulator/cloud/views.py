"""What Nova's API shows of things, by microversion."""

import json
from datetime import datetime, timedelta
from typing import Any
from uuid import NAMESPACE_OID, uuid5

from instance_ha_simulator.cloud.microversion import Version
from instance_ha_simulator.cloud.model import Aggregate, Host, Migration, Server, ServerGroup
from instance_ha_simulator.cloud.world import World

Json = dict[str, Any]
_IMAGE = str(uuid5(NAMESPACE_OID, "image"))


def iso(time: datetime | None) -> str | None:
    """Return a time as Nova's extensions write it: whole seconds, yet six decimals."""
    return None if time is None else time.strftime("%Y-%m-%dT%H:%M:%S.000000")


def zulu(time: datetime) -> str:
    """Return a time as Nova's servers show it."""
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def server_brief(server: Server, base: str) -> Json:
    """Show a server as in a list without details."""
    return {"id": server.id, "name": server.name, "links": _links(server, base)}


def server_in_unreachable_cell(server: Server, base: str, version: Version | None = None) -> Json:
    """Show what is known of a server whose cell does not answer; with a version, as shown by itself."""
    view: Json = {"id": server.id, "status": "UNKNOWN", "tenant_id": server.project_id, "created": zulu(server.created)}
    view["links"] = _links(server, base)
    if version is None:
        return view
    view |= {"user_id": server.user_id, "image": {"id": _IMAGE, "links": []}, "flavor": _flavor(server, version)}
    return view | {"OS-EXT-AZ:availability_zone": server.requested_zone, "OS-EXT-STS:power_state": 0}


def server(world: World, server: Server, version: Version, base: str, admin: bool) -> Json:
    """Show a server with its details."""
    host = world.hosts[server.host]
    view: Json = {
        "id": server.id,
        "name": server.name,
        "status": server.status,
        "tenant_id": server.project_id,
        "user_id": server.user_id,
        "metadata": server.metadata,
        "created": zulu(server.created),
        "updated": zulu(server.updated),
        "links": _links(server, base),
        "addresses": {},
        "accessIPv4": "",
        "accessIPv6": "",
        "hostId": uuid5(NAMESPACE_OID, server.project_id + server.host).hex,
        "image": "" if server.on_volume else {"id": _IMAGE, "links": []},
        "flavor": _flavor(server, version),
        "key_name": None,
        "config_drive": "",
        "OS-DCF:diskConfig": "MANUAL",
        "OS-EXT-AZ:availability_zone": world.zone_of(host),
        "OS-EXT-STS:vm_state": server.vm_state,
        "OS-EXT-STS:task_state": server.task_state,
        "OS-EXT-STS:power_state": server.power_state,
        "OS-SRV-USG:launched_at": iso(server.created),
        "OS-SRV-USG:terminated_at": None,
        "os-extended-volumes:volumes_attached": [],
    }
    _add_optional(view, server, version, admin)
    if admin:
        _add_host(view, world, server, host, version)
    return view


def _add_optional(view: Json, server: Server, version: Version, admin: bool) -> None:
    if server.status == "ACTIVE":
        view["progress"] = 0
    if server.fault is not None and server.status in ("ERROR", "DELETED"):
        fault = server.fault
        view["fault"] = {"code": fault.code, "created": zulu(fault.created), "message": fault.message}
        if admin:
            view["fault"]["details"] = fault.message
    if version >= (2, 9):
        view["locked"] = server.locked_by is not None
    if version >= (2, 19):
        view["description"] = None
    if version >= (2, 26):
        view["tags"] = []
    if version >= (2, 73):
        view["locked_reason"] = server.locked_reason


def _add_host(view: Json, world: World, server: Server, host: Host, version: Version) -> None:
    view["OS-EXT-SRV-ATTR:host"] = server.host
    view["OS-EXT-SRV-ATTR:hypervisor_hostname"] = server.hypervisor_hostname
    view["OS-EXT-SRV-ATTR:instance_name"] = f"instance-{server.number:08x}"
    if version >= (2, 16):
        view["host_status"] = _host_status(world, host)


def _host_status(world: World, host: Host) -> str:
    if host.forced_down:
        return "DOWN"
    if not host.enabled:
        return "MAINTENANCE"
    return "UP" if world.is_up(host) else "UNKNOWN"


def _links(server: Server, base: str) -> list[Json]:
    return [
        {"rel": "self", "href": f"{base}/v2.1/servers/{server.id}"},
        {"rel": "bookmark", "href": f"{base}/servers/{server.id}"},
    ]


def _flavor(server: Server, version: Version) -> Json:
    name = "tiny" if server.size == 1 else f"tiny-{server.size}"
    name += "-vgpu" if server.has_device else ""
    if version < (2, 47):
        return {"id": str(uuid5(NAMESPACE_OID, name)), "links": []}
    sizes = {"vcpus": server.size, "ram": 64 * server.size, "disk": server.size, "ephemeral": 0, "swap": 0}
    return {**sizes, "original_name": name, "extra_specs": {"resources:VGPU": "1"} if server.has_device else {}}


def migration(record: Migration, version: Version) -> Json:
    """Show a migration record."""
    view: Json = {
        "id": record.id,
        "source_compute": record.source_compute,
        "dest_compute": record.dest_compute,
        "source_node": record.source_node,
        "dest_node": record.dest_node,
        "dest_host": None,
        "old_instance_type_id": None,
        "new_instance_type_id": None,
        "instance_uuid": record.instance_uuid,
        "status": record.status,
        "created_at": iso(record.created_at),
        "updated_at": iso(record.updated_at),
    }
    if version >= (2, 23):
        view["migration_type"] = record.migration_type
    if version >= (2, 59):
        view["uuid"] = record.uuid
    if version >= (2, 80):
        view |= {"user_id": record.user_id, "project_id": record.project_id}
    return view


def hypervisor(world: World, host: Host, version: Version, detail: bool, servers: bool) -> Json:
    """Show a hypervisor, and the servers that its host's cell has on it."""
    new = version >= (2, 53)
    view: Json = {
        "id": host.hypervisor_id if new else host.number,
        "hypervisor_hostname": host.hypervisor_hostname,
        "state": "up" if world.is_up(host) else "down",
        "status": "enabled" if host.enabled else "disabled",
    }
    on_it = [server for server in world.servers.values() if server.host == host.name]
    if servers and (on_it or version >= (2, 75)):
        view["servers"] = [{"uuid": server.id, "name": server.name} for server in on_it]
    if not detail:
        return view
    service_id = host.service_id if new else host.number
    view |= {
        "hypervisor_type": "fake",
        "hypervisor_version": 1000,
        "host_ip": "127.0.0.1",
        "service": {"id": service_id, "host": host.name, "disabled_reason": host.disabled_reason},
    }
    return view | ({"uptime": None} if version >= (2, 88) else _usage(world.load[host.name], len(on_it)))


def uptime(world: World, host: Host) -> str:
    """Say how long a host has been up, as the command `uptime` does: in whole minutes."""
    up = timedelta(days=93) if host.booted_at is None else world.now - host.booted_at
    hours, minutes = divmod(up.seconds // 60, 60)
    days = f"{up.days} day{'s' if up.days > 1 else ''}, " if up.days else ""
    span = f"{hours}:{minutes:02}" if hours else f"{minutes} min"
    return f" {world.now:%H:%M:%S} up {days}{span},  1 user,  load average: 0.20, 0.12, 0.14"


def _usage(used: int, servers: int) -> Json:
    usage: Json = {"vcpus": 1000, "memory_mb": 800000, "local_gb": 600000, "running_vms": servers}
    usage |= {"vcpus_used": used, "memory_mb_used": 64 * used, "local_gb_used": used}
    usage |= {"free_ram_mb": 800000 - 64 * used, "free_disk_gb": 600000 - used}
    return usage | {"current_workload": 0, "disk_available_least": 0, "cpu_info": json.dumps({})}


def server_group(group: ServerGroup) -> Json:
    """Show a server group, as from 2.64 on."""
    view: Json = {"id": group.id, "name": group.name, "policy": "anti-affinity", "rules": {}, "user_id": ""}
    return view | {"members": list(group.members), "project_id": group.project_id}


def aggregate(record: Aggregate, version: Version, created: bool = False) -> Json:
    """Show an aggregate; the answer to its creation leaves out what it cannot have yet."""
    view: Json = {
        "id": record.id,
        "name": record.name,
        "created_at": iso(record.created_at),
        "updated_at": None,
        "deleted_at": None,
        "deleted": False,
        "availability_zone": record.availability_zone,
    }
    if version >= (2, 41):
        view["uuid"] = record.uuid
    return view if created else view | {"hosts": list(record.hosts), "metadata": dict(record.metadata)}
