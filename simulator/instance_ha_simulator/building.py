"""Builds the cloud of a scenario, before its story begins."""

from collections.abc import Iterator, Mapping
from typing import Any
from uuid import uuid4

from instance_ha_simulator.cloud import people
from instance_ha_simulator.cloud.cloud import Cloud
from instance_ha_simulator.cloud.faults import Rule
from instance_ha_simulator.cloud.model import Aggregate, Course, LiveCourse
from instance_ha_simulator.scheduler import Scheduler

_APART = 1.0  # seconds between two boots: Nova sorts its lists by them


def build(cloud: Cloud, scheduler: Scheduler, world: Mapping[str, Any]) -> dict[str, str]:
    """Have hosts with their instances, and aggregates; returns the instances' names by their ids."""
    names: dict[str, str] = {}
    pause = 0.0 if world.get("boot_at_once") else _APART
    for host, about in world["hosts"].items():
        cloud.add_host(host, **{key: value for key, value in (about or {}).items() if key != "instances"})
        for group in reversed((about or {}).get("instances", [])):
            for server_id, name in _boot(cloud, host, dict(group)):
                names[server_id] = name
                if pause:
                    scheduler.sleep(pause)
    for name, about in world.get("aggregates", {}).items():
        _aggregate(cloud, name, about)
    for host in world.get("disabled", []):
        people.operator_switches(cloud, host, enabled=False)
    return names


def _boot(cloud: Cloud, host: str, group: dict[str, Any]) -> Iterator[tuple[str, str]]:
    """Nova lists the youngest first, so the last is booted first and they come in the order of the file."""
    count, prefix = group.pop("count", 0), group.pop("prefix", "vm")
    names = group.pop("names", None) or [f"{prefix}-{n}" for n in range(1, count + 1)] or [group.pop("name")]
    metadata = group.pop("metadata", {}) | ({"HA_Enabled": "True"} if group.pop("ha", False) else {})
    locked = group.pop("locked", False)
    for name in reversed(names):
        (server,) = cloud.boot(host, [name], metadata=metadata, **group)
        yield server.id, name
        if locked:
            with cloud.world() as world:
                world.server(server.id).locked_by = "owner"
                world.history.locked[server.id] = world.now


def _aggregate(cloud: Cloud, name: str, about: Mapping[str, Any]) -> None:
    with cloud.world() as world:
        world.aggregate_count += 1
        number = world.aggregate_count
        made = Aggregate(number, str(uuid4()), name, world.now, about.get("zone"), hosts=list(about["hosts"]))
        world.aggregates[number] = made


def set_faults(cloud: Cloud, faults: Mapping[str, Any]) -> None:
    """Tell the cloud what of it will go wrong."""
    for rule in faults.get("nova", []):
        cloud.faults.add(Rule(**rule))
    with cloud.world() as world:
        world.courses += [Course(**course) for course in faults.get("evacuations", [])]
        world.live_courses += [LiveCourse(**one) for one in faults.get("live_migrations", [])]
