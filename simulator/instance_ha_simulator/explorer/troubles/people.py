"""What owners, operators and monitors do, and hosts that die and come back."""

from random import Random
from typing import Any

from instance_ha_simulator.explorer.troubles.base import (
    Data,
    failing,
    happens,
    instance_with_host,
    instances,
    moment,
    others,
)

_USERS = ("stops", "starts", "pauses", "unpauses", "suspends", "resumes", "reboots", "resizes", "locks", "unlocks")


def another_host_dies(random: Random, world: Data, faults: Data) -> None:
    """Another host dies, a destination perhaps."""
    host, at = random.choice(others(world)), moment(random, world)
    happens(world, at, "kill_host", host)
    happens(world, at + random.uniform(0.5, 30), "notify", host)


def host_comes_back(random: Random, world: Data, faults: Data) -> None:
    """A failed host is there again, with its guests running or off."""
    happens(world, moment(random, world), "start_host", random.choice(failing(world)))


def host_is_reported_again(random: Random, world: Data, faults: Data) -> None:
    """A monitor reports a host once more, or another one does in its own words, which is another failure by the API."""
    host: Any = random.choice(failing(world))
    about = {"host": host, "payload": {"cluster_status": "ONLINE"}} if random.random() < 0.4 else host
    happens(world, moment(random, world) + random.choice((0.0, 200.0)), "notify", about)


def live_host_is_reported(random: Random, world: Data, faults: Data) -> None:
    """A monitor reports a host that lives."""
    happens(world, moment(random, world), "notify", random.choice(others(world)))


def instance_fails(random: Random, world: Data, faults: Data) -> None:
    """A monitor reports an instance."""
    if found := instance_with_host(random, world):
        happens(world, moment(random, world), "notify", {"host": found[1], "instance": found[0]})


def process_fails(random: Random, world: Data, faults: Data) -> None:
    """A monitor reports the nova-compute of a host."""
    host = random.choice(list(world["hosts"]))
    happens(world, moment(random, world), "notify", {"host": host, "process": "nova-compute"})


def owner_acts(random: Random, world: Data, faults: Data) -> None:
    """Owners act on their instances."""
    if names := instances(world):
        for _ in range(random.randint(1, 3)):
            happens(world, moment(random, world), f"user_{random.choice(_USERS)}", random.choice(names))


def owner_deletes(random: Random, world: Data, faults: Data) -> None:
    """An owner deletes an instance."""
    if names := instances(world):
        what = random.choice(("owner_deletes", "delete_server"))
        happens(world, moment(random, world), what, random.choice(names))


def operator_evacuates(random: Random, world: Data, faults: Data) -> None:
    """An operator evacuates an instance by hand."""
    if names := instances(world):
        happens(world, moment(random, world), "evacuated_by_hand", random.choice(names))


def operator_acts(random: Random, world: Data, faults: Data) -> None:
    """An operator resets or locks an instance, or switches a compute service."""
    host, at = random.choice(list(world["hosts"])), moment(random, world)
    if (names := instances(world)) and random.random() < 0.5:
        name = random.choice(names)
        about: Any = {"name": name, "to": random.choice(("active", "error"))}
        what, about = random.choice((("operator_resets", about), ("lock_server", name)))
        happens(world, at, what, about)
    else:
        happens(world, at, random.choice(("enable_service", "disable_service")), host)


def migrates_live(random: Random, world: Data, faults: Data) -> None:
    """An operator migrates an instance; its guest may have switched over when its host dies."""
    if found := instance_with_host(random, world):
        name, host = found
        to = random.choice([other for other in world["hosts"] if other != host])
        at = random.choice((1.0, moment(random, world)))
        happens(world, at, "live_migration", {"name": name, "to": to})
        switches, later = random.random() < 0.4, random.uniform(0.5, 20)
        if switches:
            happens(world, at + random.uniform(0.1, 3.0), "live_migration_switches", name)
        if random.random() < 0.6:
            status = "completed" if switches else random.choice(("completed", "failed"))
            happens(world, at + 3.0 + later, "live_migration_ends", {"name": name, "status": status})


def segment_is_disabled(random: Random, world: Data, faults: Data) -> None:
    """An operator disables the segment, and perhaps enables it again."""
    at = moment(random, world)
    happens(world, at, "disable_segment", "one")
    if random.random() < 0.5:
        happens(world, at + 60, "enable_segment", "one")
