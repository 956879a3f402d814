"""The way back of recovered hosts, and what gets in its way."""

from random import Random

from instance_ha_simulator.explorer.troubles.base import Data, failing, happens, instances, moment

_REFUSALS = ("refused", "no-valid-host", "cancelled", "left-in-error")
_SHORT = {"return_wait": 600, "live_migration_give_up_after": 600}  # so that a world comes to rest


def operator_returns_host(random: Random, world: Data, faults: Data) -> None:
    """An operator asks for the return of a host that starts, or for that of one that does not."""
    host, at = random.choice(failing(world)), moment(random, world) + random.choice((0.0, 60.0, 200.0))
    _prepare(random, world)
    if random.random() < 0.8:
        happens(world, at, "start_host", host)
    asked = max(1.0, at + random.uniform(-30.0, 90.0))
    happens(world, asked, "return_host", {"host": host, "move_home": random.random() < 0.8})
    if random.random() < 0.2:
        happens(world, asked + random.uniform(0.0, 120.0), "stop_return", True)


def hosts_return_by_themselves(random: Random, world: Data, faults: Data) -> None:
    """The policy of the segment brings recovered hosts back; one of them starts."""
    _prepare(random, world)
    world["segments"]["one"].setdefault("policy", {})["returns"] = "auto"
    happens(world, moment(random, world) + random.uniform(0.0, 200.0), "start_host", random.choice(failing(world)))


def returned_host_dies_again(random: Random, world: Data, faults: Data) -> None:
    """A host dies again, while it returns perhaps, and may come back once more."""
    host, at = random.choice(failing(world)), moment(random, world) + random.uniform(50.0, 250.0)
    happens(world, at, "kill_host", host)
    happens(world, at + random.uniform(0.5, 30.0), "notify", host)
    if random.random() < 0.5:
        happens(world, at + random.uniform(60.0, 300.0), "start_host", host)


def live_migrations_fail(random: Random, world: Data, faults: Data) -> None:
    """Nova refuses to live-migrate instances home, or fails at it."""
    for name in random.sample(instances(world), k=min(2, len(instances(world)))):
        faults.setdefault("live_migrations", []).append({"instance": name, "fails": random.choice(_REFUSALS)})


def _prepare(random: Random, world: Data) -> None:
    world["settings"] |= _SHORT | {"return_threads": random.choice((1, 2, 10))}
    world["cloud"]["live_migrate_seconds"] = random.choice((1.0, 5.0, 60.0))
