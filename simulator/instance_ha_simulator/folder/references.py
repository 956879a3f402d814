"""What a world names that is not there: hosts, instances, segments, settings."""

from collections.abc import Iterator, Mapping
from typing import Any

from instance_ha.settings import Settings
from pydantic import ValidationError

from instance_ha_simulator.folder.base import in_words
from instance_ha_simulator.folder.world import World

Place = tuple[str | int, ...]  # the keys and positions that lead to a value

_HOSTS = {"kill_host", "stop_compute", "start_host", "reserve_host", "enable_service", "disable_service"}
_HOSTS |= {"approve", "deny", "instances_change"}
_INSTANCES = {
    "breaks",
    "delete_server",
    "evacuated_by_hand",
    "guest_shuts_down",
    "live_migration_switches",
    "lock_server",
    "owner_deletes",
    "user_locks",
    "user_pauses",
    "user_reboots",
    "user_resizes",
    "user_resumes",
    "user_starts",
    "user_stops",
    "user_suspends",
    "user_unlocks",
    "user_unpauses",
}
_SEGMENTS = {"disable_segment", "enable_segment"}


def unknown_names(world: World) -> Iterator[tuple[Place, str]]:
    """Find them, each with its place."""
    hosts = set(world.hosts)
    lists: Mapping[Place, list[str]] = {
        ("disabled",): world.disabled,
        ("fenced",): world.fenced,
        **{("segments", name, "hosts"): about.hosts for name, about in world.segments.items()},
        **{("segments", name, "reserved"): about.reserved for name, about in world.segments.items()},
        **{("aggregates", name, "hosts"): about.hosts for name, about in world.aggregates.items()},
    }
    for place, names in lists.items():
        yield from (((*place, at), f"there is no host {name}") for at, name in enumerate(names) if name not in hosts)
    yield from _twice(world)
    yield from _in_happenings(world, hosts)
    yield from _in_settings(world)


def _twice(world: World) -> Iterator[tuple[Place, str]]:
    """Find hosts that are in the segments more than once."""
    seen: set[str] = set()
    for segment, about in world.segments.items():
        for kind, names in (("hosts", about.hosts), ("reserved", about.reserved)):
            for at, name in enumerate(names):
                if name in seen:
                    yield ("segments", segment, kind, at), f"host {name} is in a segment already"
                seen.add(name)


def _in_happenings(world: World, hosts: set[str]) -> Iterator[tuple[Place, str]]:
    groups = [group for host in world.hosts.values() if host for group in host.instances]
    instances = {name for group in groups for name in group.all_names()}
    for position, happening in enumerate(world.happenings):
        (what,) = happening.model_fields_set - {"at"}
        for kind, name in _names(what, getattr(happening, what)):
            known = {"host": {*hosts, "all"}, "instance": instances, "segment": set(world.segments)}[kind]
            if name not in known:
                yield ("happenings", position, what), f"there is no {kind} {name}"


def _names(what: str, about: Any) -> Iterator[tuple[str, str]]:
    """Find the names in what happens, each with its kind."""
    if isinstance(about, str):
        kinds = {"host": _HOSTS, "instance": _INSTANCES, "segment": _SEGMENTS}
        yield from ((kind, about) for kind, words in kinds.items() if what in words)
        return
    for field, kind in (("host", "host"), ("instance", "instance"), ("segment", "segment")):
        if name := getattr(about, field, None):
            yield kind, name
    if what == "live_migration":
        yield "host", about.to
    if what in {"guest", "live_migration", "live_migration_ends", "operator_resets"}:
        yield "instance", about.name
    if what == "node":
        yield "host", about.name


def _in_settings(world: World) -> Iterator[tuple[Place, str]]:
    """Find settings that there are not, and values that they cannot have."""
    values = {name: str(value) for name, value in world.settings.items()}
    try:
        Settings.model_validate({"database_url": "postgresql://"} | values)
    except ValidationError as error:
        for one in error.errors():
            yield ("settings", *one["loc"]), in_words(one)
