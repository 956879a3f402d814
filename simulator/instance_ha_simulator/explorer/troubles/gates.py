"""Operators who pause, approve and deny, and a Nova without its controllers."""

from random import Random

from instance_ha_simulator.explorer.troubles.base import Data, failing, happens, moment


def operator_pauses(random: Random, world: Data, faults: Data) -> None:
    """An operator pauses the cloud, the segment or a host, and may end the pause before its time."""
    at, seconds = random.uniform(1.0, 60.0), random.choice((20, 100, 300))
    about: Data = random.choice(({}, {"segment": "one"}, {"host": random.choice(list(world["hosts"]))}))
    happens(world, at, "pause", about | {"seconds": seconds})
    if random.random() < 0.4:
        happens(world, at + random.uniform(1.0, seconds), "unpause", True)


def operator_decides(random: Random, world: Data, faults: Data) -> None:
    """An operator approves or denies the recovery of a host, whether it is held or not."""
    host = random.choice(failing(world))
    happens(world, moment(random, world), random.choice(("approve", "approve", "deny")), host)


def mode_changes(random: Random, world: Data, faults: Data) -> None:
    """An operator lets the segment act by itself, or not."""
    change = {"mode": random.choice(("approve", "observe", "auto"))}
    happens(world, random.uniform(1.0, 100.0), "policy", {"segment": "one", "change": change})
    if random.random() < 0.6:
        happens(world, moment(random, world) + 60.0, "policy", {"segment": "one", "change": {"mode": "auto"}})


def controller_is_down(random: Random, world: Data, faults: Data) -> None:
    """Nova's scheduler or conductor stops for a while, before hosts fail or after."""
    name, at = random.choice(("nova-scheduler", "nova-conductor")), random.uniform(1.0, 20.0)
    happens(world, at, "controller_stops", name)
    happens(world, at + random.choice((30.0, 100.0, 300.0)), "controller_starts", name)
