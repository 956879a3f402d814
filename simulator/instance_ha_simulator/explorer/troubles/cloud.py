"""What Nova and Keystone do wrong; all of it ends by itself, but for a right that is missing."""

from random import Random
from typing import Any

from instance_ha_simulator.explorer.troubles.base import Data, happens, instance_with_host, moment, others

_ACTIONS = ("evacuate", "lock", "unlock", "os-resetState", "os-stop", "os-start", "pause", "suspend")
_PATHS = ("/servers/detail", "/servers/[^/]+$", "/os-services", "/os-migrations", "/action", "^/compute", "^/identity")
# What a policy may keep from our user for good, without which a recovery can still leave nothing behind.
_RIGHTS: tuple[Data, ...] = (
    {"method": "PUT", "path": "/os-services"},
    {"path": "/os-services"},
    {"path": "/os-hypervisors"},
    {"path": "/os-migrations"},
    {"path": "/os-instance-actions"},
    {"path": "/os-aggregates"},
    {"path": "/servers/detail"},
    {"path": "/action", "action": "lock"},
    {"path": "/action", "action": "evacuate"},
    {"path": "/action", "action": "os-resetState"},
)
_CAUSES = ("no-valid-host", "claim", "pci", "group", "spawn", "volume", "refused")


def nova_fails(random: Random, world: Data, faults: Data) -> None:
    """Some requests are answered by an error; a 404 is a proxy's, since Nova says it only of what is not there."""
    rule: Data = {"path": random.choice(_PATHS), "status": random.choice((500, 502, 503, 503, 429, 403, 401, 404, 409))}
    if rule["status"] == 409:
        rule |= {"path": "/action", "method": "POST"}
    happens(world, moment(random, world), "nova_fault", rule | {"times": random.choice((1, 2, 5))})


def nova_refuses_for_a_while(random: Random, world: Data, faults: Data) -> None:
    """A kind of requests, or all, are answered by an error for a while."""
    at = moment(random, world)
    rule = {"path": random.choice(_PATHS), "status": random.choice((500, 503, 429, 403, 401, 404))}
    happens(world, at, "nova_fault", rule)
    happens(world, at + random.choice((20, 100, 300)), "nova_faults_end", True)


def keystone_is_away(random: Random, world: Data, faults: Data) -> None:
    """Keystone has lost its tokens, and makes no new ones for a while."""
    at = moment(random, world)
    happens(world, at, "tokens_expire", True)
    happens(world, at, "nova_fault", {"path": "^/identity", "status": random.choice((500, 503))})
    happens(world, at + random.choice((20, 100)), "nova_faults_end", True)


def tokens_expire(random: Random, world: Data, faults: Data) -> None:
    """All tokens expire."""
    happens(world, moment(random, world), "tokens_expire", True)


def right_is_missing(random: Random, world: Data, faults: Data) -> None:
    """A policy keeps one kind of requests from our user for good."""
    faults.setdefault("nova", []).append(random.choice(_RIGHTS) | {"status": 403})


def request_is_lost(random: Random, world: Data, faults: Data) -> None:
    """A request is lost, or its answer, or it is carried out late."""
    rule: Data = {"path": "/action", "action": random.choice(_ACTIONS), "times": 1}
    how = random.choice(("drop", "drop_after", "fail_after", "late"))
    rule |= {"late": float(random.randint(5, 50))} if how == "late" else {}
    rule |= {"drop": True} if how.startswith("drop") else {}
    rule |= {"after": True} if how.endswith("after") else {}
    rule |= {"status": 504} if how == "fail_after" else {}
    faults.setdefault("nova", []).append(rule)


def nova_is_slow(random: Random, world: Data, faults: Data) -> None:
    """Two answers take long."""
    rule = {"path": random.choice(_PATHS), "latency": random.choice((4.0, 12.0, 20.0, 70.0)), "times": 2}
    happens(world, moment(random, world), "nova_fault", rule)


def cell_is_down(random: Random, world: Data, faults: Data) -> None:
    """A cell does not answer for a while: what is in it is left out, or UNKNOWN."""
    at, cell = moment(random, world), random.choice(("cell1", "cell2"))
    happens(world, at, "cell_stops_answering", cell)
    happens(world, at + random.choice((5, 30, 120)), "cell_answers", cell)


def cast_is_lost(random: Random, world: Data, faults: Data) -> None:
    """An evacuation gets its record, and goes no further."""
    happens(world, 1.0, "lose_casts", 1)


def evacuations_fail(random: Random, world: Data, faults: Data) -> None:
    """An instance cannot be evacuated, once or twice, for a cause of its own."""
    if found := instance_with_host(random, world):
        course: dict[str, Any] = {"instance": found[0], "fails": random.choice(_CAUSES)}
        faults.setdefault("evacuations", []).extend([course] * random.choice((1, 1, 2)))


def evacuation_lasts(random: Random, world: Data, faults: Data) -> None:
    """The evacuation of an instance takes minutes: its image is big, or its destination is slow."""
    if found := instance_with_host(random, world):
        course = {"instance": found[0], "seconds": random.choice((100.0, 400.0, 900.0))}
        faults.setdefault("evacuations", []).append(course)


def destination_goes_down(random: Random, world: Data, faults: Data) -> None:
    """A host that takes instances goes down while evacuations last: it dies, or only its nova-compute stops."""
    world["cloud"]["evacuate_seconds"] = random.choice((8.0, 30.0, 60.0))
    host, at = random.choice(others(world)), moment(random, world)
    what = random.choice(("kill_host", "stop_compute"))
    happens(world, at, what, host)
    if what == "kill_host" or random.random() < 0.5:  # a monitor reports what is dead
        happens(world, at + random.choice((5, 60, 200)), "notify", host)
    if random.random() < 0.3:
        happens(world, at + random.choice((30, 100, 300)), "start_host", host)


def room_changes(random: Random, world: Data, faults: Data) -> None:
    """A host has less room for a while."""
    host, at = random.choice(others(world)), moment(random, world)
    happens(world, at, "capacity", {"host": host, "is": random.randint(0, 2)})
    happens(world, at + random.choice((30, 300)), "capacity", {"host": host, "is": None})
