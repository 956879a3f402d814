"""What people and their systems say of a host, and hosts that are cut off and live on."""

from random import Random
from typing import Any

from instance_ha_simulator.explorer.troubles.base import Data, failing, happens, moment, others

DEAD_WHEN: tuple[list[list[str]], ...] = (
    [["service_down"]],
    [["service_down"]],
    [["service_down", "power_off"], ["service_down", "confirmed"]],
    [["service_down", "external"]],
    [["confirmed"], ["service_down", "external", "power_off"]],
)
FENCE = ("never", "if_possible", "if_possible", "required")
_LASTS = (20, 60, 600, 3600)  # seconds for which something counts


def host_is_cut_off(random: Random, world: Data, faults: Data) -> None:
    """A host loses its nova-compute, its guests run on, and it is reported; a system of the operator's may see it."""
    host, at = random.choice(list(world["hosts"])), moment(random, world)
    happens(world, at, "stop_compute", host)
    happens(world, at + random.uniform(0.5, 15), "notify", host)
    if random.random() < 0.6:
        happens(world, at + random.uniform(0.0, 30), "api", _says(host, "alive", random.choice(_LASTS)))
    if random.random() < 0.3:
        what, later = random.choice(("start_host", "kill_host")), at + random.choice((30, 100, 300))
        happens(world, later, what, host)
        if what == "kill_host":
            happens(world, later + random.uniform(0.5, 15), "notify", host)


def system_says(random: Random, world: Data, faults: Data) -> None:
    """A system of the operator's says of a host that it is dead, or that it lives."""
    host = random.choice((*failing(world), random.choice(list(world["hosts"]))))
    verdict = random.choice(("dead", "dead", "alive", "unknown"))
    happens(world, moment(random, world), "api", _says(host, verdict, random.choice(_LASTS)))


def person_confirms(random: Random, world: Data, faults: Data) -> None:
    """Somebody confirms that a host is dead: mostly one that is, and at times before Nova calls it down."""
    host = random.choice((*failing(world), *failing(world), random.choice(others(world))))
    is_early = random.random() < 0.3
    at = random.uniform(8.0, 24.0) if is_early else moment(random, world) + random.choice((0.0, 60.0, 300.0))
    about = {"host": host, "kind": "confirmed", "reason": "seen in the rack", "valid_for": random.choice(_LASTS)}
    happens(world, at, "api", _post(about))


def operator_changes_policy(random: Random, world: Data, faults: Data) -> None:
    """An operator changes what a segment asks for: it may release what is held, or hold what goes on."""
    changes: tuple[Data, ...] = (
        {"local_disk": random.choice(("evacuate", "leave", "hold"))},
        {"fence": random.choice(FENCE)},
        {"dead_when": random.choice(DEAD_WHEN)},
    )
    happens(world, moment(random, world), "policy", {"segment": "one", "change": random.choice(changes)})


def operator_forbids_fences(random: Random, world: Data, faults: Data) -> None:
    """An operator forbids fences while one may be under way."""
    at = moment(random, world) if random.random() < 0.3 else random.uniform(5.0, 90.0)
    happens(world, at, "policy", {"segment": "one", "change": {"fence": "never"}})


def ladder(random: Random) -> list[Data]:
    """Draw what can cut a host's power: rungs that are late, refuse, are silent, say what is not so, or do nothing.

    None says off twice in a row of a host that is on: that is believed, and not promised.
    """
    return [_rung(random) for _ in range(random.choice((0, 1, 1, 2, 3)))]


def _rung(random: Random) -> Data:
    rung: Data = {
        "method": random.choice(("redfish", "ipmi", "ironic", "url")),
        "time_limit": random.choice((5.0, 15.0, 60.0)),
        "after": random.choice((0.1, 1.0, 11.0, 30.0)),
    }
    maybe: tuple[tuple[float, Data], ...] = (
        (0.2, {"cuts": False}),
        (0.3, {"says": random.choice((["off", "on"], ["off", "on", "off", "unknown"], ["unknown", "on"]))}),
        (0.1, {"silent": True}),
        (0.1, {"refuses": True}),
        (0.2, {"answers_in": 5.0}),
    )
    for chance, values in maybe:
        rung |= values if random.random() < chance else {}
    return rung


def _says(host: str, verdict: str, lasts: int) -> Data:
    return _post({"host": host, "kind": "external", "verdict": verdict, "source": "rack", "valid_for": lasts})


def _post(about: dict[str, Any]) -> Data:
    path = "/v1/x-instance-ha/evidence"
    return {"function": "api-notifications", "method": "POST", "path": path, "body": {"evidence": about}}
